// The time-stamp authority (RFC 3161): a token says that a digest existed at a time.
import { createHash } from 'node:crypto';
import type { Clock, Database, Tx } from '../platform/index.ts';
import { OID, signedData } from './cms.ts';
import {
  type Der,
  generalizedTime,
  integer,
  nothing,
  objectId,
  octets,
  sequence,
  smallInteger,
  Type,
  writeDer,
} from './der.ts';
import type { Keystore } from './keystore.ts';
import type { RemoteSigner } from './signer-client.ts';
import {
  grantedReply,
  readStampRequest,
  rejectedReply,
  type StampRequest,
  TIMESTAMP_POLICY,
} from './timestamp-request.ts';
import { insertStamp } from './timestamp-store.ts';

/** How far genTime may be from the true time, in seconds. */
const ACCURACY = 1;

export interface TimestampsDeps {
  database: Database;
  clock: Clock;
  keystore: Keystore;
  remote?: Pick<RemoteSigner, 'timestamp'> | undefined;
}

/** Binds the authority to its key, or to the signer that holds it. */
export function createTimestamps({ database, clock, keystore, remote }: TimestampsDeps) {
  /** A token over a digest; it has its row, which gives its serial number, before it is signed. */
  async function stamp(request: StampRequest, tx: Tx = database.db): Promise<Buffer> {
    const signer = keystore.timestampKey;
    const at = clock.now();
    const imprint = Buffer.from(request.imprint, 'hex');
    const serial = await insertStamp(tx, { hash: request.hash, imprint, at });
    const info = writeDer(timestampInfo(request, serial, at));
    return signedData(
      {
        type: OID.timestampInfo,
        inside: info,
        digest: createHash('sha256').update(info).digest(),
        hasCertificates: request.isCertificateWanted,
      },
      signer,
    );
  }

  const token = (request: StampRequest): Promise<Buffer> =>
    remote ? remote.timestamp(request) : stamp(request);

  return {
    timestampToken: token,

    /** The reply to a TimeStampReq, both as DER; a rejection is a reply too. */
    async timestampReply(request: Uint8Array): Promise<Buffer> {
      const read = readStampRequest(request);
      return 'failure' in read ? rejectedReply(read) : grantedReply(await token(read));
    },
  };
}

/** TSTInfo (section 2.4.2); `ordering` is false and left out. */
function timestampInfo(request: StampRequest, serial: bigint, at: Date): Der {
  const { hash, hasNull, imprint, nonce } = request;
  const algorithm = sequence(objectId(OID[hash]), ...(hasNull ? [nothing()] : []));
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(serial);
  return sequence(
    smallInteger(1),
    objectId(TIMESTAMP_POLICY),
    sequence(algorithm, octets(Buffer.from(imprint, 'hex'))),
    integer(number),
    generalizedTime(at),
    sequence(smallInteger(ACCURACY)),
    ...(nonce === undefined ? [] : [asGiven(nonce)]),
  );
}

/** An INTEGER of exactly these bytes, as the request had them: it may be negative. */
function asGiven(nonce: string): Der {
  const der = octets(Buffer.from(nonce, 'hex'));
  der.type = Type.INTEGER;
  return der;
}
