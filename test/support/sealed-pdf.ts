// Taking a sealed PDF apart, as a stranger with a hex editor would.
import { dottedOf, membersOf, readDer, writeDer } from '../../signing/der.ts';

/** The signature as DER, and the bytes its byte range covers. */
export function sealOf(pdf: Buffer): { signature: Buffer; covered: Buffer } {
  const [, a, b, c] = /\/ByteRange \[0 (\d+) (\d+) (\d+) *\]/.exec(pdf.toString('latin1')) ?? [];
  const [before, after, rest] = [a, b, c].map(Number);
  if (!before || !after || rest === undefined) throw new TypeError('This PDF has no byte range.');
  const digits = pdf.subarray(before + 1, after - 1).toString('latin1');
  const padded = Buffer.from(digits, 'hex');
  // A definite length of two bytes: 30 82 LL LL.
  const signature = padded.subarray(0, 4 + padded.readUInt16BE(2));
  const covered = Buffer.concat([pdf.subarray(0, before), pdf.subarray(after, after + rest)]);
  return { signature, covered };
}

/** The signature's value, and the time-stamp token over it. */
sealOf.parts = (signature: Buffer): { value: Buffer; token: Buffer } => {
  const signed = membersOf(membersOf(readDer(signature))[1] ?? fail())[0] ?? fail();
  const signerInfo = membersOf(membersOf(signed).at(-1) ?? fail())[0] ?? fail();
  const [, , , , , value, unsigned] = membersOf(signerInfo);
  const [oid, values] = membersOf(membersOf(unsigned ?? fail())[0] ?? fail());
  if (dottedOf(oid) !== '1.2.840.113549.1.9.16.2.14') fail();
  const [token] = membersOf(values ?? fail());
  return {
    value: Buffer.from(String(value?.value), 'latin1'),
    token: writeDer(token ?? fail()),
  };
};

function fail(): never {
  throw new TypeError('This is no seal of ours.');
}
