// Builders for tests of the log: a real Ed25519 key, a silent logger, drafts with complete defaults.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type Audit, type AuditDeps, createAudit, type LeafDraft } from '../../../audit/index.ts';
import { type Database, fixedClock, systemIds } from '../../../platform/index.ts';
import { createLogger } from '../../../platform/logger.ts';

export const origin = 'log.yunzhu.example/yihao';
export const logger = createLogger({ level: 'silent' });

/** A log key as the keystore hands it over. */
export function aSigner(): AuditDeps['signer'] {
  const { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject } =
    generateKeyPairSync('ed25519');
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
    sign: (bytes) => sign(null, bytes, privateKey),
  };
}

export const signer = aSigner();

export function aLog(deps: Partial<AuditDeps> & Pick<AuditDeps, 'database'>): Audit {
  return createAudit({
    clock: fixedClock('2026-03-04T05:00:00Z'),
    ids: systemIds,
    logger,
    signer,
    origin,
    ...deps,
  });
}

export function aDraft(draft: Partial<LeafDraft> = {}): LeafDraft {
  return {
    type: 'verification.answered',
    outcome: 'ok',
    department: 'housing',
    actor: 'pseudonym-1',
    role: 'desk',
    service: 'VS-MARITAL',
    legalBasis: 'LB-716-7',
    commitments: {
      subject: { salt: systemIds.bytes(32), value: Buffer.from('tag') },
      purpose: { salt: systemIds.bytes(32), value: Buffer.from('rental housing application') },
    },
    sealed: systemIds.bytes(300),
    tags: { subject: systemIds.bytes(32), case: systemIds.bytes(32) },
    ...draft,
  };
}

/** Stages drafts in one transaction; their stage ids. */
export async function stage(
  audit: Audit,
  database: Database,
  drafts: LeafDraft[],
): Promise<string[]> {
  const staged = await database.transaction((tx) => audit.appendMany(tx, drafts));
  return staged.map(({ stageId }) => stageId);
}

/** Stages and waits for the indexes. */
export async function write(
  audit: Audit,
  database: Database,
  drafts: LeafDraft[],
): Promise<number[]> {
  return audit.sequenced(await stage(audit, database, drafts));
}
