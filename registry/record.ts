// Recording and signing licences: the one place a version comes into being, for issue, approval,
// renewal, amendment and transfer alike, one or many at a time.
import type { Actor, Organisation } from '../identity/index.ts';
import type { JsonObject, Tx } from '../platform/index.ts';
import { credentialContent } from './credential-claims.ts';
import type { RegistryDeps } from './deps.ts';
import { type Fields, type Holder, isLive, type LicenceStatus } from './licence.ts';
import { formatLicenceNumber, newSerial } from './licence-number.ts';
import { encodeBody, peopleNamedIn, sealContexts } from './sealed-licence.ts';
import { insertLicences, insertSigned } from './store.ts';
import { together } from './together.ts';
import type { PublishedType } from './type-book.ts';
import { CODE_BYTES, encodeVerificationCode, verificationCodeKey } from './verification-code.ts';

/** A licence about to come into being: checked, with a known holder, its fields as values. */
export interface Draft {
  type: PublishedType;
  authority: Organisation;
  holder: Holder;
  holderId: string;
  fields: Fields;
  validFrom: string;
  validTo: string | null;
  status: Extract<LicenceStatus, 'valid' | 'expired'>;
  purpose?: string | undefined;
  legalBasis?: string | undefined;
  /** The version before this one; absent for a new licence. */
  predecessor?: { number: string; lineage: string; serial: string; version: number };
}

/**
 * The number of a draft that follows another version: the same serial, the version after it (GB/T
 * 36904), the authority that issues it.
 */
export function successorNumber({ type, authority, predecessor }: Draft): string {
  if (!predecessor) throw new TypeError('This draft follows no version.');
  const { serial, version } = predecessor;
  return formatLicenceNumber({
    type: type.code,
    authority: authority.uscc,
    serial,
    version: version + 1,
  });
}

/** The reply of issuing (contract section 4.1). */
export interface IssuedLicence {
  number: string;
  verificationCode: string;
  type: string;
  code: string;
  version: number;
  typeVersion: number;
  status: LicenceStatus;
  validFrom: string;
  validTo: string | null;
  issuedAt: string;
  statusListIndex: number;
  credential: string;
  supersedes?: string;
}

/** Licences in the register, and the staged log entries that must be sequenced before they leave. */
export interface Recorded {
  licences: IssuedLicence[];
  stageIds: string[];
}

interface Prepared extends Draft {
  number: string;
  lineage: string;
  version: number;
  verificationCode: string;
}

/** Binds recording to the rooms below. */
export function createRecorder(deps: RegistryDeps) {
  const { ids, signing, identity, outbox, publicUrl, cityTz, keys } = deps;

  function prepare(draft: Draft): Prepared {
    const { predecessor, type, authority } = draft;
    const first = { type: type.code, authority: authority.uscc, version: 1 };
    return {
      ...draft,
      number: predecessor
        ? successorNumber(draft)
        : formatLicenceNumber({ ...first, serial: newSerial(ids.int) }),
      lineage: predecessor?.lineage ?? ids.uuid(),
      version: (predecessor?.version ?? 0) + 1,
      verificationCode: encodeVerificationCode(ids.bytes(CODE_BYTES)),
    };
  }

  /** The fields of all drafts with references for citizen IDs, in one look at the people. */
  async function internFields(tx: Tx, drafts: readonly Draft[]): Promise<JsonObject[]> {
    const [first] = drafts;
    if (first && drafts.length === 1) {
      return [await identity.internReferences(tx, first.type.schema, first.fields)];
    }
    const numbered = <Value>(partOf: (draft: Draft) => Value) =>
      Object.fromEntries(drafts.map((draft, at) => [String(at), partOf(draft)]));
    const interned = await identity.internReferences(
      tx,
      { type: 'object', properties: numbered((draft) => draft.type.schema) },
      numbered((draft): JsonObject => draft.fields),
      '',
    );
    return drafts.map((_, at) => {
      const fields = interned[String(at)];
      if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
        throw new TypeError('Fields in, fields out.');
      }
      return fields;
    });
  }

  async function sealRows(tx: Tx, prepared: readonly Prepared[], fields: readonly JsonObject[]) {
    const sealed = await identity.sealMany(
      tx,
      prepared.flatMap((licence, at) => {
        const { number, holderId: personId, holder, verificationCode } = licence;
        const body = { holderName: holder.name, fields: fields[at] ?? {} };
        return [
          { personId, plaintext: encodeBody(body), context: sealContexts.body(number) },
          {
            personId,
            plaintext: Buffer.from(verificationCode),
            context: sealContexts.code(number),
          },
        ];
      }),
    );
    return (at: number, part: 0 | 1): Buffer => {
      const bytes = sealed[2 * at + part];
      if (!bytes) throw new TypeError('Values in, sealed values out.');
      return bytes;
    };
  }

  /**
   * Records these licences and signs their credentials, in the caller's transaction. The order is
   * Boulder's: what will be signed stands in the register before the signature is made, and nothing
   * leaves before the commit. Nobody may see the result before its stage ids are sequenced.
   */
  return async function record(
    tx: Tx,
    actor: Actor,
    drafts: readonly Draft[],
    now: Date,
  ): Promise<Recorded> {
    if (drafts.length === 0) return { licences: [], stageIds: [] };
    const prepared = drafts.map(prepare);
    const fields = await internFields(tx, drafts);
    const statuses = await signing.allocateStatuses(tx, drafts.length);
    const statusOf = (at: number) => {
      const status = statuses[at];
      if (!status) throw new TypeError('Each licence has a place in a status list.');
      return { uri: status.uri, idx: status.idx };
    };

    // 1. Record what will be signed.
    const sealed = await sealRows(tx, prepared, fields);
    await insertLicences(
      tx,
      prepared.map((licence, at) => ({
        number: licence.number,
        codeKey: verificationCodeKey(keys.lookup, licence.verificationCode),
        lineage: licence.lineage,
        version: licence.version,
        typeId: licence.type.id,
        typeVersion: licence.type.version,
        issuerId: licence.authority.id,
        holderId: licence.holderId,
        status: licence.status,
        isLive: isLive(licence.status),
        validFrom: licence.validFrom,
        validTo: licence.validTo,
        statusListUri: statusOf(at).uri,
        statusListIndex: statusOf(at).idx,
        supersedes: licence.predecessor?.number ?? null,
        bodySealed: sealed(at, 0),
        codeSealed: sealed(at, 1),
      })),
      now,
    );
    // 2. Sign.
    const credentials = await Promise.all(
      prepared.map((licence, at) => {
        const { nameZh: name, uscc } = licence.authority;
        const body = { ...licence, authority: { name, uscc }, issuedAt: now };
        const content = credentialContent(body, { publicUrl, cityTz });
        return signing.issueCredential({ ...content, status: statusOf(at) });
      }),
    );
    const credentialOf = (at: number) => credentials[at] ?? '';

    // 3. Store the signatures, the history, the log entries and the news.
    const credentialsSealed = await identity.sealMany(
      tx,
      prepared.map(({ number, holderId }, at) => ({
        personId: holderId,
        plaintext: Buffer.from(credentialOf(at)),
        context: sealContexts.credential(number),
      })),
    );
    await insertSigned(
      tx,
      prepared.map((licence, at) => ({
        number: licence.number,
        typeId: licence.type.id,
        credentialSealed: credentialsSealed[at] ?? Buffer.alloc(0),
        mentions: peopleNamedIn(fields[at]),
        event: {
          id: ids.uuid(),
          act: 'issue',
          status: licence.status,
          organisationId: licence.authority.id,
          legalBasis: licence.legalBasis ?? null,
          related: licence.predecessor?.number ?? null,
        },
      })),
      now,
    );
    const staged = await identity.recordAccessMany(
      tx,
      actor,
      prepared.map((licence) => ({
        type: 'licence.issued',
        outcome: 'ok',
        subject: licence.holderId,
        department: licence.authority.id,
        licence: licence.number,
        ...(licence.purpose === undefined ? {} : { purpose: licence.purpose }),
        ...(licence.legalBasis === undefined ? {} : { legalBasis: licence.legalBasis }),
      })),
    );
    await together(
      prepared.map(({ number, type }) =>
        outbox.add(tx, {
          topic: 'licence.issued',
          key: number,
          payload: { number, type: type.id },
        }),
      ),
    );
    return {
      licences: prepared.map((licence, at) =>
        replyOf(licence, statusOf(at).idx, credentialOf(at), now),
      ),
      stageIds: staged.map(({ stageId }) => stageId),
    };
  };
}

export type Recorder = ReturnType<typeof createRecorder>;

function replyOf(
  licence: Prepared,
  statusListIndex: number,
  credential: string,
  now: Date,
): IssuedLicence {
  return {
    number: licence.number,
    verificationCode: licence.verificationCode,
    type: licence.type.id,
    code: licence.type.code,
    version: licence.version,
    typeVersion: licence.type.version,
    status: licence.status,
    validFrom: licence.validFrom,
    validTo: licence.validTo,
    issuedAt: now.toISOString(),
    statusListIndex,
    credential,
    ...(licence.predecessor ? { supersedes: licence.predecessor.number } : {}),
  };
}
