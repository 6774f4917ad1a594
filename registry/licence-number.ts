// The licence identifier of GB/T 36904: 1.2.156.3005.2 . TYPE . AUTHORITY . SERIAL . VERSION . CHECK

const ROOT = '1.2.156.3005.2';
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const SERIAL_LENGTH = 20;
const LAST_VERSION = 999;
// TYPE and AUTHORITY are as loose as older holdings carry them (region codes, demo bodies); what we
// issue is a USCC in both places because types and organisations are checked when they enter.
const FORM =
  /^1\.2\.156\.3005\.2\.([0-9A-Z]{6,24})\.([0-9A-Z]{6,18})\.([0-9A-Z]{1,32})\.(\d{3})\.([0-9A-Z])$/;

/** The parts of a licence identifier; the check character follows from them. */
export interface LicenceNumber {
  type: string;
  authority: string;
  serial: string;
  version: number;
}

/** ISO/IEC 7064 MOD 37,36 (GB/T 17710) over digits and upper-case letters. */
export function checkCharacter(payload: string): string {
  let product = 36;
  for (const character of payload) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) throw new TypeError('A check character covers digits and capitals only.');
    const sum = (product + value) % 36 || 36;
    product = (2 * sum) % 37;
  }
  return ALPHABET.charAt((37 - product) % 36);
}

/** The identifier's text. Its check covers the four parts without root and dots. */
export function formatLicenceNumber({ type, authority, serial, version }: LicenceNumber): string {
  if (!isVersion(version)) throw new TypeError('A licence has versions 1 to 999.');
  const digits = String(version).padStart(3, '0');
  const check = checkCharacter(type + authority + serial + digits);
  const number = [ROOT, type, authority, serial, digits, check].join('.');
  if (!FORM.test(number)) throw new TypeError('These parts do not make a licence number.');
  return number;
}

/** The parts of an identifier; undefined when its form or its check character is wrong. */
export function parseLicenceNumber(text: string): LicenceNumber | undefined {
  const [, type, authority, serial, digits, check] = FORM.exec(text) ?? [];
  if (!type || !authority || !serial || !digits || !check) return undefined;
  const version = Number(digits);
  if (!isVersion(version)) return undefined;
  if (checkCharacter(type + authority + serial + digits) !== check) return undefined;
  return { type, authority, serial, version };
}

/** Is there a version after this one? GB/T 36904 has three digits for it. */
export function hasNextVersion(version: number): boolean {
  return version < LAST_VERSION;
}

/** A serial for a new licence: 20 characters, 103 random bits, so that it tells no order or count. */
export function newSerial(randomInt: (maxExclusive: number) => number): string {
  return Array.from({ length: SERIAL_LENGTH }, () => ALPHABET.charAt(randomInt(36))).join('');
}

function isVersion(version: number): boolean {
  return Number.isInteger(version) && version >= 1 && version <= LAST_VERSION;
}
