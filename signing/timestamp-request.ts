// Reading a TimeStampReq and writing a TimeStampResp (RFC 3161 section 2.4).
import { z } from 'zod';
import { OID } from './cms.ts';
import {
  bits,
  bytesOf,
  type Der,
  dottedOf,
  isTagged,
  isUniversal,
  membersOf,
  readDer,
  sequence,
  smallInteger,
  Type,
  utf8,
  writeDer,
} from './der.ts';

/** Digests that are stamped; SHA-1 is not one of them. */
export const HASH_LENGTHS = { sha256: 32, sha384: 48, sha512: 64 } as const;
export type StampedHash = keyof typeof HASH_LENGTHS;

/**
 * The policy tokens are made under. 32473 is the number that RFC 5612 keeps for documentation: who
 * runs this for others states a policy and puts a number of her own here.
 */
export const TIMESTAMP_POLICY = '1.3.6.1.4.1.32473.3161.1';

/** A request as it travels to whoever holds the key. */
export const StampRequest = z
  .strictObject({
    hash: z.enum(['sha256', 'sha384', 'sha512']),
    imprint: z.hex(),
    /** Whether the algorithm identifier came with NULL: the token repeats it as it was. */
    hasNull: z.boolean(),
    /** The INTEGER's own bytes. */
    nonce: z.hex().max(128).optional(),
    isCertificateWanted: z.boolean(),
  })
  .refine(({ hash, imprint }) => imprint.length === 2 * HASH_LENGTHS[hash]);
export type StampRequest = z.infer<typeof StampRequest>;

/** PKIFailureInfo (RFC 3161 section 2.4.2): the bit of each reason. */
const FAILURES = {
  badAlg: 0,
  badRequest: 2,
  badDataFormat: 5,
  unacceptedPolicy: 15,
  unacceptedExtension: 16,
  systemFailure: 25,
} as const;

/** Why a request is rejected: said in the reply, not as an error of HTTP. */
export interface StampRefusal {
  failure: keyof typeof FAILURES;
  detail: string;
}

const refuse = (failure: StampRefusal['failure'], detail: string): StampRefusal => ({
  failure,
  detail,
});

const LONGEST_NONCE = 64;

/** The request, or why it is rejected. */
export function readStampRequest(bytes: Uint8Array): StampRequest | StampRefusal {
  let request: Der;
  try {
    request = readDer(bytes);
  } catch {
    return refuse('badDataFormat', 'The request is not DER.');
  }
  const [version, messageImprint, ...rest] = membersOf(request);
  if (!isUniversal(request, Type.SEQUENCE) || !isUniversal(version, Type.INTEGER)) {
    return refuse('badDataFormat', 'The request is not a TimeStampReq.');
  }
  if (!bytesOf(version).equals(Buffer.from([1]))) {
    return refuse('badRequest', 'Only version 1 is known.');
  }
  const imprint = readImprint(messageImprint);
  if ('failure' in imprint) return imprint;
  const policy = isUniversal(rest[0], Type.OID) ? dottedOf(rest.shift()) : undefined;
  const nonce = isUniversal(rest[0], Type.INTEGER) ? rest.shift() : undefined;
  const wanted = isUniversal(rest[0], Type.BOOLEAN) ? rest.shift() : undefined;
  if (isTagged(rest[0], 0)) return refuse('unacceptedExtension', 'No extension is known.');
  if (rest.length > 0) return refuse('badDataFormat', 'The request is not a TimeStampReq.');
  if (policy !== undefined && policy !== TIMESTAMP_POLICY) {
    return refuse('unacceptedPolicy', `The policy is ${TIMESTAMP_POLICY}.`);
  }
  if (nonce && bytesOf(nonce).length > LONGEST_NONCE) {
    return refuse('badRequest', `A nonce has at most ${LONGEST_NONCE} bytes.`);
  }
  return {
    ...imprint,
    ...(nonce && { nonce: bytesOf(nonce).toString('hex') }),
    isCertificateWanted: wanted !== undefined && bytesOf(wanted).some((byte) => byte !== 0),
  };
}

function readImprint(
  messageImprint: Der | undefined,
): Pick<StampRequest, 'hash' | 'imprint' | 'hasNull'> | StampRefusal {
  const [algorithm, digest] = messageImprint ? membersOf(messageImprint) : [];
  const [oid, parameters] = algorithm ? membersOf(algorithm) : [];
  const dotted = dottedOf(oid);
  if (dotted === undefined || !isUniversal(digest, Type.OCTETSTRING)) {
    return refuse('badDataFormat', 'The request has no messageImprint.');
  }
  const hash = (['sha256', 'sha384', 'sha512'] as const).find((name) => OID[name] === dotted);
  const hasNull = parameters !== undefined;
  if (hash === undefined || (hasNull && !isUniversal(parameters, Type.NULL))) {
    return refuse('badAlg', 'Digests are SHA-256, SHA-384 or SHA-512.');
  }
  const bytes = bytesOf(digest);
  if (bytes.length !== HASH_LENGTHS[hash]) {
    return refuse('badDataFormat', 'The digest has not the length of its algorithm.');
  }
  return { hash, imprint: bytes.toString('hex'), hasNull };
}

/** A granted TimeStampResp around a token. */
export function grantedReply(token: Buffer): Buffer {
  return writeDer(sequence(sequence(smallInteger(0)), readDer(token)));
}

/** A rejecting TimeStampResp: status 2, the reason in words and as a bit. */
export function rejectedReply({ failure, detail }: StampRefusal): Buffer {
  const bit = FAILURES[failure];
  const bytes = Buffer.alloc((bit >> 3) + 1);
  bytes.writeUInt8(0x80 >> (bit & 7), bit >> 3);
  const info = sequence(smallInteger(2), sequence(utf8(detail)), bits(bytes, 7 - (bit & 7)));
  return writeDer(sequence(info));
}
