// A log as an outsider follows it: from one trusted key to the name and keys it has now, by what it published.
import {
  followKeys,
  type LogEpoch,
  openOfEpoch,
  parseVkey,
  type TreeHead,
  verifiersOf,
} from '../audit/index.ts';

/** The log's present epoch, and the list that led to it; none where the trusted key is all there is. */
export interface FollowedLog {
  epoch: LogEpoch;
  epochs: LogEpoch[];
  /** As it was published; undefined for a log that publishes none. */
  keys: string | undefined;
}

/** Reads the list of keys at `url`; a log without one has the trusted key alone. */
export async function followLog(vkey: string, url: string): Promise<FollowedLog> {
  const reply = await fetch(`${url}/vkeys`, {
    signal: AbortSignal.timeout(10_000),
    redirect: 'error',
  });
  if (reply.status === 404) {
    const verifier = parseVkey(vkey);
    const epoch = { number: 1, origin: verifier.name, keys: [{ vkey, verifier }] };
    return { epoch, epochs: [epoch], keys: undefined };
  }
  if (!reply.ok) throw new Error(`${url}/vkeys answers ${reply.status}`);
  const keys = await reply.text();
  const { current, epochs, notes } = followKeys(vkey, keys);
  return { epoch: current, epochs, keys: notes.length > 0 ? keys : undefined };
}

/** The head in a checkpoint of the present epoch. */
export function openFollowed(note: string, { epoch }: FollowedLog): TreeHead {
  return openOfEpoch(note, epoch);
}

/** Every key the log has had. */
export const verifiersOfLog = ({ epochs }: FollowedLog) => epochs.flatMap(verifiersOf);
