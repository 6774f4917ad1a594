// A person takes her own out: everything as JSON, her looks as CSV, or her looks as a bundle with proofs
// that the offline verifier checks. Written while it is read, a page of entries at a time; that she took
// it is an entry of her own log, in the tree before the first byte is out.
import { setTimeout as wait } from 'node:timers/promises';
import { type LogEntry, scopeOfTag } from '../audit/index.ts';
import type { Actor } from '../identity/index.ts';
import { AppError, dbNow } from '../platform/index.ts';
import { type AccessItem, accessItem, accessReceipt, type Lang } from './access-item.ts';
import { chained, emptyChain, entryLine, headLine, manifestLine, sealOf } from './bundle.ts';
import type { OversightDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import type { Found, Searching } from './search-conditions.ts';

export const EXPORT_FORMATS = ['json', 'csv', 'bundle'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface OwnExport {
  name: string;
  mediaType: string;
  parts: AsyncIterable<Buffer>;
}

const AT_ONCE = 200;
// A checkpoint is signed within a second; with witnesses within some.
const CHECKPOINT_TRIES = 100;
const CHECKPOINT_WAIT_MS = 100;

const mediaTypes = {
  json: 'application/json',
  csv: 'text/csv; charset=utf-8',
  bundle: 'application/x-ndjson',
} as const satisfies Record<ExportFormat, string>;
const endings = { json: 'json', csv: 'csv', bundle: 'ndjson' } as const;

export function createOwnExport(deps: OversightDeps, searching: Searching) {
  const { database, ids, audit, identity, citationOf, ownRecords } = deps;

  /** All entries she may see now, newest first, of a tree of this size. */
  async function* looksOf(tag: Buffer, size: number, now: Date): AsyncGenerator<Found[]> {
    const hers = audit.as(scopeOfTag(tag));
    for (let beforeIndex: number | undefined; ; ) {
      const entries: LogEntry[] = await hers.findEntries({
        subjectTag: tag,
        onlyDisclosedBefore: now,
        below: size,
        beforeIndex,
        limit: AT_ONCE,
      });
      yield await searching.open(entries);
      if (entries.length < AT_ONCE) return;
      beforeIndex = entries.at(-1)?.index;
    }
  }

  async function itemsWith(lang: Lang): Promise<(found: Found) => AccessItem> {
    const organisations = new Map((await identity.listOrganisations()).map((one) => [one.id, one]));
    return ({ entry, detail }) => accessItem(entry, detail, { lang, organisations, citationOf });
  }

  async function* asJson(actor: Actor, pages: AsyncIterable<Found[]>, lang: Lang, at: Date) {
    const item = await itemsWith(lang);
    const records = await ownRecords(actor);
    const head = JSON.stringify({ exportedAt: at.toISOString(), ...records });
    yield Buffer.from(`${head.slice(0, -1)},"accessLog":[`, 'utf8');
    let comma = '';
    for await (const page of pages) {
      const texts = page.map((found) => JSON.stringify(item(found)));
      if (texts.length > 0) yield Buffer.from(`${comma}${texts.join(',\n')}`, 'utf8');
      if (texts.length > 0) comma = ',\n';
    }
    yield Buffer.from(']}\n', 'utf8');
  }

  async function* asCsv(pages: AsyncIterable<Found[]>, lang: Lang) {
    const item = await itemsWith(lang);
    // The mark tells spreadsheets that it is UTF-8.
    yield Buffer.from(`\uFEFF${columns.map(([name]) => name).join(',')}\r\n`, 'utf8');
    for await (const page of pages) {
      const lines = page.map((found) => {
        const look = item(found);
        return `${columns.map(([, read]) => cell(read(look))).join(',')}\r\n`;
      });
      yield Buffer.from(lines.join(''), 'utf8');
    }
  }

  async function* asBundle(actor: Actor, person: string, tag: Buffer, size: number, at: Date) {
    const shown = await eventually(async () => (await audit.checkpointOver(size)) ?? null);
    const id = ids.uuid();
    let chain: Buffer = emptyChain;
    let entries = 0;
    const told = (lines: readonly string[]): Buffer => {
      chain = lines.reduce(chained, chain);
      return Buffer.from(lines.map((line) => `${line}\n`).join(''), 'utf8');
    };
    const { note: checkpoint } = shown;
    yield told([headLine({ id, createdAt: at.toISOString(), conditions: {}, checkpoint })]);
    for await (const page of looksOf(tag, size, at)) {
      const lines: string[] = [];
      for (const { entry, detail } of page) {
        const proof = await audit.inclusion(entry.index, shown.size);
        lines.push(entryLine(entry, detail, proof, true));
      }
      entries += page.length;
      yield told(lines);
    }
    const { stageId } = await database.transaction((tx) =>
      identity.recordAccess(tx, actor, {
        type: 'access_log.sealed',
        outcome: 'ok',
        subject: person,
        caseId: id,
        purpose: sealOf(chain),
        answerKind: 'none',
      }),
    );
    const [index = -1] = await audit.sequenced([stageId]);
    const proof = await eventually(() =>
      audit.receipt(index).catch((error: unknown) => {
        if (error instanceof AppError && error.kind === 'conflict') return null;
        throw error;
      }),
    );
    const hers = audit.as(scopeOfTag(tag));
    const [seal] = await searching.open([await hers.getEntry(index)]);
    if (!seal) throw new TypeError('One entry in, one detail out.');
    const receipt = accessReceipt(seal.entry, seal.detail, proof);
    const line = manifestLine({ id, entries, digest: chain }, receipt);
    yield Buffer.from(`${line}\n`, 'utf8');
  }

  return {
    /** Her own, for herself alone: no agent takes everything out. */
    async exportOwn(actor: Actor, format: ExportFormat, lang: Lang = 'zh'): Promise<OwnExport> {
      const person = await identity.subjectOf(actor, 'data.export');
      if (person === null) {
        throw oversightErrors.not_the_subject('Only the person herself takes her data out.');
      }
      const tag = await identity.subjectTagOf(database.db, person);
      const { stageId } = await database.transaction((tx) =>
        identity.recordAccess(tx, actor, {
          type: 'data.exported',
          outcome: 'ok',
          subject: person,
          question: format,
          answerKind: 'document',
        }),
      );
      const [index = -1] = await audit.sequenced([stageId]);
      const at = await dbNow(database.db);
      // Up to and with the entry that says so.
      const size = index + 1;
      const parts = {
        json: () => asJson(actor, looksOf(tag, size, at), lang, at),
        csv: () => asCsv(looksOf(tag, size, at), lang),
        bundle: () => asBundle(actor, person, tag, size, at),
      }[format]();
      return { name: `yihao-my-data.${endings[format]}`, mediaType: mediaTypes[format], parts };
    },
  };
}

/** Asks again until there is an answer; audit.unavailable's words when the log signs nothing for long. */
async function eventually<T>(look: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < CHECKPOINT_TRIES; tries++) {
    const found = await look();
    if (found !== null) return found;
    await wait(CHECKPOINT_WAIT_MS);
  }
  throw oversightErrors.no_checkpoint(
    'The log has signed no checkpoint yet. Try again in a minute.',
    {
      retryAfterSeconds: 60,
    },
  );
}

const columns: [string, (look: AccessItem) => string | number | null | undefined][] = [
  ['index', (look) => look.index],
  ['at', (look) => look.at],
  ['type', (look) => look.type],
  ['outcome', (look) => look.outcome],
  ['department', (look) => look.department.id],
  ['department_name', (look) => look.department.name],
  ['role', (look) => look.role],
  ['service', (look) => look.service],
  ['question', (look) => look.question],
  ['purpose', (look) => look.purpose],
  ['legal_basis', (look) => look.legalBasis?.id],
  ['citation', (look) => look.legalBasis?.citation],
  ['case_id', (look) => look.caseId],
  ['answer_kind', (look) => look.answerKind],
  ['verification', (look) => look.verification],
];

/** RFC 4180, and nothing that a spreadsheet would run as a formula. */
function cell(value: string | number | null | undefined): string {
  const text = String(value ?? '');
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
