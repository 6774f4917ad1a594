// Who is locked out after wrong tries, and for how long: the rule alone. Counters have names made of
// keyed digests, never of an account, a device or an address in clear.

/** How long tries count, and how long the last one allowed locks: a quarter of an hour. */
export const LOCKED_SECONDS = 15 * 60;

/** Wrong tries allowed within that time. */
const MOST_TRIES = { account: 5, device: 20, address: 100 } as const;

/** One thing tries are counted by. */
export interface Counter {
  name: string;
  mostTries: number;
  /** Whether a right try ends the count, or only takes itself back out of it. */
  isForgotten: boolean;
}

/** Where a try comes from, and whom it names; each already a text that stands for itself alone. */
export interface Try {
  account: string;
  device: string;
  address: string;
  /** The account's holder has signed in from this device before. */
  isKnownDevice: boolean;
}

/**
 * What a try counts in. On a device its holder signed in from before, an account counts apart and no
 * address counts at all: whoever locks it from elsewhere, or shares her network, can't keep her out.
 * A right try clears its account's count; a device and an address serve many accounts, and whoever
 * owns one of them could wipe his guesses at the others away.
 */
export function countersOf({ account, device, address, isKnownDevice }: Try): Counter[] {
  const byDevice = {
    name: `device|${device}`,
    mostTries: MOST_TRIES.device,
    isForgotten: false,
  };
  if (isKnownDevice) {
    const apart = `account on device|${device}|${account}`;
    return [{ name: apart, mostTries: MOST_TRIES.account, isForgotten: true }, byDevice];
  }
  return [
    { name: `account|${account}`, mostTries: MOST_TRIES.account, isForgotten: true },
    byDevice,
    { name: `address|${address}`, mostTries: MOST_TRIES.address, isForgotten: false },
  ];
}
