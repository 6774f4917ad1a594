// DER (ITU-T X.690) values as certificates and revocation lists need them, over forge.asn1.
import forge from 'node-forge';

const { asn1 } = forge;
const universal = asn1.Class.UNIVERSAL;

export type Der = forge.asn1.Asn1;

const binary = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

export const sequence = (...items: Der[]): Der =>
  asn1.create(universal, asn1.Type.SEQUENCE, true, items);

export const set = (...items: Der[]): Der => asn1.create(universal, asn1.Type.SET, true, items);

export const objectId = (dotted: string): Der =>
  asn1.create(universal, asn1.Type.OID, false, asn1.oidToDer(dotted).getBytes());

/** A non-negative INTEGER from big-endian bytes. */
export function integer(bytes: Uint8Array): Der {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first === -1 ? Buffer.from([0]) : Buffer.from(bytes.subarray(first));
  const isNegative = digits.readUInt8(0) >= 0x80;
  const value = isNegative ? Buffer.concat([Buffer.from([0]), digits]) : digits;
  return asn1.create(universal, asn1.Type.INTEGER, false, binary(value));
}

/** A non-negative INTEGER or ENUMERATED that fits four bytes. */
export function smallInteger(value: number, type = asn1.Type.INTEGER): Der {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  const der = integer(bytes);
  der.type = type;
  return der;
}

export const enumerated = (value: number): Der => smallInteger(value, asn1.Type.ENUMERATED);

export const truth = (): Der => asn1.create(universal, asn1.Type.BOOLEAN, false, '\xff');

/** NULL, which some algorithm identifiers carry as their parameters. */
export const nothing = (): Der => asn1.create(universal, asn1.Type.NULL, false, '');

export const utf8 = (text: string): Der =>
  asn1.create(universal, asn1.Type.UTF8, false, forge.util.encodeUtf8(text));

export const printable = (text: string): Der =>
  asn1.create(universal, asn1.Type.PRINTABLESTRING, false, text);

export const octets = (bytes: Uint8Array): Der =>
  asn1.create(universal, asn1.Type.OCTETSTRING, false, binary(bytes));

export const bits = (bytes: Uint8Array, unusedBits = 0): Der =>
  asn1.create(
    universal,
    asn1.Type.BITSTRING,
    false,
    String.fromCharCode(unusedBits) + binary(bytes),
  );

/** A context-specific tag around other values. */
export const tagged = (tag: number, ...items: Der[]): Der =>
  asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, true, items);

/** A context-specific tag on bytes (IMPLICIT, primitive). */
export const taggedBytes = (tag: number, bytes: Uint8Array): Der =>
  asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, false, binary(bytes));

/** UTCTime through 2049, GeneralizedTime after it (RFC 5280 section 4.1.2.5). */
export function time(date: Date): Der {
  return date.getUTCFullYear() < 2050
    ? asn1.create(universal, asn1.Type.UTCTIME, false, asn1.dateToUtcTime(date))
    : asn1.create(universal, asn1.Type.GENERALIZEDTIME, false, asn1.dateToGeneralizedTime(date));
}

/** GeneralizedTime to the second, always (RFC 3161 section 2.4.2). */
export const generalizedTime = (date: Date): Der =>
  asn1.create(universal, asn1.Type.GENERALIZEDTIME, false, asn1.dateToGeneralizedTime(date));

/** A SET OF in the order DER wants: by the bytes of its members (X.690 section 11.6). */
export function sortedSet(...items: Der[]): Der {
  const encoded = items.map((item) => ({ item, bytes: writeDer(item) }));
  encoded.sort((one, other) => Buffer.compare(one.bytes, other.bytes));
  return set(...encoded.map(({ item }) => item));
}

// forge takes options here since 0.9; its types know only the old boolean.
const fromDer = asn1.fromDer as (
  bytes: forge.util.ByteBuffer,
  options: { strict: boolean; decodeBitStrings: boolean } | boolean | undefined,
) => Der;

/** Reads DER; what lies inside BIT STRINGs stays bytes, so writing it again gives the same bytes. */
export function readDer(bytes: Uint8Array): Der {
  const buffer = forge.util.createBuffer(binary(bytes));
  return fromDer(buffer, { strict: true, decodeBitStrings: false });
}

export const writeDer = (value: Der): Buffer => Buffer.from(asn1.toDer(value).getBytes(), 'latin1');

/** The member of a constructed value at `index`. */
export function memberOf(value: Der, index: number): Der {
  const member = Array.isArray(value.value) ? value.value[index] : undefined;
  if (!member) throw new TypeError(`This DER value has no member ${index}.`);
  return member;
}

/** The bytes of a primitive value. */
export function bytesOf(value: Der): Buffer {
  if (typeof value.value !== 'string') throw new TypeError('This DER value is constructed.');
  return Buffer.from(value.value, 'latin1');
}

/** The members of a constructed value; none of a primitive one. */
export const membersOf = (value: Der): Der[] => (Array.isArray(value.value) ? value.value : []);

/** Is this the universal type (`Type.SEQUENCE` …)? */
export const isUniversal = (value: Der | undefined, type: number): value is Der =>
  value?.tagClass === universal && value.type === type;

/** Is this the context-specific tag? */
export const isTagged = (value: Der | undefined, tag: number): value is Der =>
  value?.tagClass === asn1.Class.CONTEXT_SPECIFIC && value.type === tag;

export const { Type } = asn1;

/** An OBJECT IDENTIFIER in dotted form; undefined for anything else. */
export function dottedOf(value: Der | undefined): string | undefined {
  if (!isUniversal(value, Type.OID) || typeof value.value !== 'string') return undefined;
  return asn1.derToOid(value.value);
}
