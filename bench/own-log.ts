// A log that a load run has for itself: an embedded PostgreSQL with fsync on in a temporary folder, the
// house's tables, the audit room alone.
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { type Audit, createAudit, type LeafDraft } from '../audit/index.ts';
import {
  connectDatabase,
  createLogger,
  type Database,
  migrate,
  migrateQueue,
  startEmbeddedPostgres,
  systemClock,
  systemIds,
} from '../platform/index.ts';

export interface OwnLog {
  /** The room, as a process that starts has it; what was stopped stays stopped. */
  openAudit(): Audit;
  database: Database;
  owner: postgres.Sql;
}

/** Starts a log on an empty database; runs `act`; ends it and removes its folder. */
export async function withOwnLog(act: (log: OwnLog) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'yihao-bench-log-'));
  const server = await startEmbeddedPostgres({ dataDir });
  const urls = await migrate({
    ownerUrl: server.url,
    roles: { app: systemIds.token(24), log: systemIds.token(24) },
    extra: migrateQueue,
  });
  // As large as the pools of a house in one process (api/compose.ts).
  const { socketFolder } = server;
  const connect = (url: string, max: number, name: string) =>
    connectDatabase({ url, max, applicationName: `bench-${name}`, socketFolder });
  const database = connect(urls.appUrl, 20, 'app');
  const logDatabase = connect(urls.logUrl, 3, 'log');
  const owner = postgres(server.url, { max: 20, onnotice: () => {} });
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const opened: Audit[] = [];
  const openAudit = (): Audit => {
    const audit = createAudit({
      database,
      logDatabase,
      clock: systemClock,
      ids: systemIds,
      logger: createLogger({ level: 'warn', destination: process.stderr }),
      signer: {
        publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
        sign: (bytes) => sign(null, bytes, privateKey),
      },
      origin: 'bench.example/log',
      headFile: join(dataDir, 'log-head.json'),
    });
    opened.push(audit);
    return audit;
  };
  try {
    await act({ openAudit, database, owner });
  } finally {
    await Promise.all(opened.map((audit) => audit.stop()));
    await Promise.all([database.close(), logDatabase.close(), owner.end()]);
    await server.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const subjects = Array.from({ length: 5000 }, () => systemIds.bytes(32));

/** An entry as the exchange writes it: three commitments, 420 bytes of sealed words, both tags. */
export function anEntry(serial: number): LeafDraft {
  const subject = subjects[serial % subjects.length] ?? systemIds.bytes(32);
  return {
    type: 'verification.answered',
    outcome: 'ok',
    department: `department-${serial % 15}`,
    actor: `pseudonym-${serial % 400}`,
    role: 'desk',
    service: `VS-${serial % 30}`,
    legalBasis: 'LB-716-7',
    verification: systemIds.uuid(),
    answerKind: 'match',
    commitments: {
      subject: { salt: systemIds.bytes(32), value: subject },
      purpose: { salt: systemIds.bytes(32), value: Buffer.from('PUR-HOUSING') },
      case: { salt: systemIds.bytes(32), value: Buffer.from(`case-${serial}`) },
    },
    sealed: systemIds.bytes(420),
    tags: { subject, case: systemIds.bytes(32) },
  };
}

/** Fills the stage with entries of that size, made by the server: a rate no caller would reach. */
export async function fillStage(owner: postgres.Sql, count: number): Promise<void> {
  await owner.unsafe(`
    insert into audit.stage
      (id, leaf, at, type, outcome, department, actor, service, subject_tag, case_tag, sealed)
    select id, convert_to(format(
        '{"actor":"pseudonym-%s","at":"%s","basis":"LB-716-7","case":"%s","ct":"%s","dept":"department-%s","id":"%s","kind":"match","nonce":"%s","outcome":"ok","purpose":"%s","role":"desk","service":"VS-%s","subj":"%s","type":"verification.answered","v":1,"verification":"%s"}',
        n % 400, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), d, ct, n % 15, id,
        left(d, 22), d, n % 30, d, id), 'UTF8'),
      at, 'verification.answered', 'ok', 'department-' || n % 15, 'pseudonym-' || n % 400,
      'VS-' || n % 30, sha256(int8send(n % 5000)), sha256(uuid_send(id)), sealed
    from (
      select *, left(translate(encode(sha256(sealed), 'base64'), '+/', '-_'), 43) as ct,
        left(translate(encode(sha256(int8send(n)), 'base64'), '+/', '-_'), 43) as d
      from (
        select n, uuidv7() as id, clock_timestamp()::timestamptz(3) as at,
          decode(repeat(md5(n::text), 26), 'hex') as sealed
        from generate_series(1, ${count}) as n
      ) as drawn
    ) as made`);
}
