// The watch list, and which person an officer is herself: kept as digests, so that nobody can read from
// the database who is on it. An auditor gives the number once; what is kept finds, and tells nothing.
import { scopeOfLog } from '../audit/index.ts';
import {
  type Actor,
  containsCitizenId,
  type PersonIdentifier,
  requireScope,
} from '../identity/index.ts';
import { AppError } from '../platform/index.ts';
import type { VigilanceDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import { insertMark, type ListedMark, listMarks, removeMark } from './mark-store.ts';
import { isId, pageOfRows, readCursor, readReason } from './operator.ts';
import type { Watch } from './watched.ts';

/** Someone to be watched over, or the person behind an officer. */
export type MarkInput =
  | { kind: 'listed'; subject: PersonIdentifier; reason: string }
  | {
      kind: 'officer';
      subject: PersonIdentifier;
      reason: string;
      department: string;
      officer: string;
    };

export type Mark = {
  id: string;
  kind: 'listed' | 'officer';
  reason: string;
  department: string | null;
  officer: string | null;
  addedBy: string;
  addedAt: string;
};

interface Words {
  reason?: string;
  department?: string;
  officer?: string;
}

const context = (id: string) => `oversight.marks|${id}|reason_sealed`;

export function createMarks(deps: VigilanceDeps, watch: Watch) {
  const { identity, ids, householdOf } = deps;
  const house = deps.database.as(scopeOfLog);

  function auditorOf(actor: Actor): string {
    requireScope(actor, 'audit:read');
    const officer = actor.onBehalfOf ?? actor.officerKey;
    if (officer !== undefined) return officer;
    throw oversightErrors.officer_needed(
      'Say which auditor acts: sign in, or name her in X-On-Behalf-Of.',
    );
  }

  function tagOf(subject: PersonIdentifier): Buffer {
    try {
      return identity.subjectTag(subject);
    } catch (cause) {
      if (!(cause instanceof AppError) || !cause.fields) throw cause;
      const fields = cause.fields.map((f) => ({ ...f, pointer: `/subject${f.pointer}` }));
      throw new AppError(cause.kind, cause.code, cause.detail, { fields, cause });
    }
  }

  return {
    /** Adds to the watch list, or says which person an officer is; the log tells that it was done, not of whom. */
    addMark(actor: Actor, input: MarkInput): Promise<Mark> {
      const call = { type: 'vigilance.mark_added', question: input.kind };
      return watch.change(actor, call, scopeOfLog, async (tx) => {
        const addedBy = auditorOf(actor);
        const reason = readReason(input.reason);
        const of = input.kind === 'officer' ? input : undefined;
        if (of && containsCitizenId(`${of.department} ${of.officer}`)) {
          throw oversightErrors.identifier_in_text('Name an officer by her key.');
        }
        const subjectTag = tagOf(input.subject);
        const person = (await identity.marksOf(tx, [subjectTag])).get(subjectTag.toString('hex'));
        const household = person && of ? await householdOf(tx, person.personId) : null;
        const id = ids.uuid();
        const words: Words = {
          reason,
          ...(of && { department: of.department, officer: of.officer }),
        };
        const wordsSealed = await identity.sealFor(
          tx,
          null,
          Buffer.from(JSON.stringify(words)),
          context(id),
        );
        const isNew = await insertMark(tx, {
          id,
          kind: input.kind,
          subjectTag,
          actorTag: of ? identity.actorTag(of.department, of.officer) : null,
          surnameMark: of ? (person?.surname ?? null) : null,
          householdMark: household === null ? null : identity.textMark('household', household),
          wordsSealed,
          addedBy,
        });
        if (!isNew) throw oversightErrors.mark_stands('This stands on the list already.');
        const [row] = await listMarks(tx, { limit: 1 });
        if (!row) throw new TypeError('What was added is there.');
        return asMark(row, words);
      });
    },

    /** Takes it away again. */
    removeMark(actor: Actor, id: string): Promise<void> {
      const call = { type: 'vigilance.mark_removed' };
      return watch.change(actor, call, scopeOfLog, async (tx) => {
        const by = auditorOf(actor);
        if (isId(id) && (await removeMark(tx, id, by))) return;
        throw oversightErrors.mark_not_found('There is no such mark.');
      });
    },

    /** What stands, latest first; never of whom. */
    listMarks: (
      actor: Actor,
      { limit = 50, cursor }: { limit?: number; cursor?: string | undefined } = {},
    ): Promise<{ items: Mark[]; nextCursor: string | null }> =>
      watch.look(actor, { type: 'audit.marks_read' }, () =>
        house.transaction(async (tx) => {
          const rows = await listMarks(tx, { beforeId: readCursor(cursor), limit: limit + 1 });
          const page = pageOfRows(rows, limit, (row) => row);
          const words = await identity.openMany(
            tx,
            page.items.map((row) => ({
              personId: null,
              sealed: row.wordsSealed,
              context: context(row.id),
            })),
          );
          return {
            ...page,
            items: page.items.map((row, at) =>
              asMark(row, JSON.parse(words[at]?.toString('utf8') ?? '{}')),
            ),
          };
        }),
      ),
  };
}

function asMark({ id, kind, addedBy, addedAt }: ListedMark, words: Words): Mark {
  const { reason = '', department = null, officer = null } = words;
  return { id, kind, reason, department, officer, addedBy, addedAt };
}
