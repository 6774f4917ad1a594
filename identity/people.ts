// People and companies as references: ensured, found, and, here alone, turned back into who they are.
import { type Clock, cityDay, type Ids, type Tx } from '../platform/index.ts';
import type { DataKeys } from './data-keys.ts';
import { identityErrors } from './errors.ts';
import type { PersonIdentifier } from './identifiers.ts';
import type { KeyRing } from './key-ring.ts';
import { normalise, type PersonIndex } from './person-index.ts';
import { marksOfPerson, type PersonMarks } from './person-marks.ts';
import { open, seal } from './sealing.ts';
import { findLiveVersions, type IndexedPersonRow } from './store-keys.ts';
import {
  findByAuditTag,
  findByBlindIndex,
  findById,
  insertPeople,
  type NewPerson,
  type PersonRow,
  updateNames,
} from './store-people.ts';

/** Who a reference stands for. */
export interface RevealedPerson extends PersonIdentifier {
  name: string | null;
}

/** Someone to be ensured; a name given replaces the name known. */
export type NamedPerson = PersonIdentifier & { name?: string | null | undefined };

interface Wanted {
  identifier: PersonIdentifier;
  auditTag: Buffer;
  name: string | undefined;
}

// The version of these rules stands in the context too, so that a value can't pass for one sealed by
// others.
const SEALING_VERSION = 1;
const context = (personId: string, column: 'value' | 'name') =>
  `identity.people|${personId}|${column}|${SEALING_VERSION}`;

/** Each round but the first needs a rival's commit or a new key version between two statements. */
const ROUNDS = 5;

/** The people of one house. */
export function createPeople(deps: {
  ring: KeyRing;
  index: PersonIndex;
  dataKeys: DataKeys;
  clock: Clock;
  ids: Ids;
  cityTz: string;
}) {
  const { ring, index, dataKeys, clock, ids, cityTz } = deps;
  const today = () => cityDay(clock.now(), cityTz);

  /** The rows of these people by their audit tags in hex, whichever version they are indexed under. */
  async function lookUp(tx: Tx, people: readonly { identifier: PersonIdentifier }[]) {
    if (ring.isEmpty()) ring.learn(await findLiveVersions(tx));
    for (;;) {
      const versions = ring.indexVersions();
      const { people: rows, live } = await findByBlindIndex(
        tx,
        people.flatMap(({ identifier }) =>
          versions.map((version) => index.blindIndex(identifier, version)),
        ),
      );
      if (!ring.learn(live)) return byTag(rows);
    }
  }

  /**
   * The references of these people, in their order, in at most six statements for any number. Unknown
   * ones get a row, so that nobody can tell by it who was known. Safe beside rivals that ensure the same
   * and while the keys rotate: the audit tag, whose key does not, is unique.
   */
  async function ensurePeople(
    tx: Tx,
    people: readonly NamedPerson[],
    pointerOf: (at: number) => string = (at) => `/${at}/value`,
  ): Promise<string[]> {
    const wanted = new Map<string, Wanted>();
    const order = people.map((person, at) => {
      const identifier = normalise(person, today(), pointerOf(at));
      const auditTag = index.subjectTag(identifier);
      const key = auditTag.toString('hex');
      const name = person.name?.trim() || wanted.get(key)?.name;
      wanted.set(key, { identifier, auditTag, name });
      return key;
    });
    if (wanted.size === 0) return [];

    const known = new Map<string, string>();
    const meet = async (rows: Map<string, PersonRow>) => {
      for (const [key, row] of rows) {
        known.set(key, row.id);
        // Whoever ensures a person seals or logs something about her next.
        dataKeys.hold(row);
      }
      await rename(tx, rows, wanted);
    };
    const missing = () => [...wanted].filter(([key]) => !known.has(key)).map(([, one]) => one);

    await meet(await lookUp(tx, [...wanted.values()]));
    for (let round = 1; missing().length > 0; round += 1) {
      if (round > ROUNDS) throw new TypeError('A person was neither found nor added.');
      const made = missing().map(newPerson);
      const added = new Set(await insertPeople(tx, made, clock.now()));
      for (const row of made) {
        if (!added.has(row.id)) continue;
        known.set(row.auditTag.toString('hex'), row.id);
        dataKeys.hold(row);
      }
      const late = missing();
      if (late.length === 0) break;
      // A rival committed them between our look and our insert, or a new key version has come.
      const tags = late.map(({ auditTag }) => auditTag);
      const rivals = await findByAuditTag(tx, tags);
      if (rivals.some(({ wrapped }) => wrapped === null)) {
        throw identityErrors.being_erased(
          'The data of a person named here is being erased. Try again in a minute.',
          { retryAfterSeconds: 60 },
        );
      }
      await meet(byTag(rivals));
      if (missing().length > 0) await meet(await lookUp(tx, missing()));
    }
    return order.map((key) => {
      const id = known.get(key);
      if (id === undefined) throw new TypeError('A person was neither found nor added.');
      return id;
    });
  }

  function newPerson({ identifier, auditTag, name }: Wanted): NewPerson {
    const id = ids.uuid();
    const { key, kekVersion, wrapped } = dataKeys.make(id);
    const sealText = (text: string, column: 'value' | 'name') =>
      seal(ids, key, Buffer.from(text, 'utf8'), context(id, column));
    const indexVersion = ring.newestIndex();
    return {
      id,
      scheme: identifier.scheme,
      indexVersion,
      blindIndex: index.blindIndex(identifier, indexVersion),
      auditTag,
      valueSealed: sealText(identifier.value, 'value'),
      nameSealed: name === undefined ? null : sealText(name, 'name'),
      kekVersion,
      wrapped,
    };
  }

  async function rename(
    tx: Tx,
    rows: Map<string, PersonRow>,
    wanted: Map<string, Wanted>,
  ): Promise<void> {
    const names = [...rows].flatMap(([at, row]) => {
      const name = wanted.get(at)?.name;
      const key = name === undefined ? null : dataKeys.hold(row)?.key;
      if (name === undefined || !key || openName(row, key) === name) return [];
      const nameSealed = seal(ids, key, Buffer.from(name, 'utf8'), context(row.id, 'name'));
      return [{ id: row.id, nameSealed }];
    });
    if (names.length > 0) await updateNames(tx, names);
  }

  /** Who these references stand for; those who don't exist or were erased are missing. */
  async function revealPeople(
    tx: Tx,
    personIds: readonly string[],
  ): Promise<Map<string, RevealedPerson>> {
    if (personIds.length === 0) return new Map();
    const rows = await findById(tx, [...new Set(personIds)]);
    return new Map([...reveal(rows)].map(([{ id }, person]) => [id, person]));
  }

  /** Those of the rows whose key is still there, opened. */
  function reveal(rows: readonly PersonRow[]): Map<PersonRow, RevealedPerson> {
    const revealed = new Map<PersonRow, RevealedPerson>();
    for (const row of rows) {
      const key = dataKeys.hold(row)?.key;
      if (!key || !row.valueSealed) continue;
      const value = open(key, row.valueSealed, context(row.id, 'value')).toString('utf8');
      revealed.set(row, { scheme: row.scheme, value, name: openName(row, key) });
    }
    return revealed;
  }

  /** What vigilance may compare of people, by their tags in hex: keyed digests, never a name or number. */
  async function marksOf(
    tx: Tx,
    subjectTags: readonly Buffer[],
  ): Promise<Map<string, PersonMarks>> {
    if (subjectTags.length === 0) return new Map();
    const rows = await findByAuditTag(tx, [...subjectTags]);
    return new Map(
      [...reveal(rows)].map(([row, person]) => [
        row.auditTag?.toString('hex') ?? '',
        { personId: row.id, ...marksOfPerson(person, index) },
      ]),
    );
  }

  return {
    ensurePeople,
    revealPeople,
    marksOf,

    /** The reference of a person; see ensurePeople. */
    async ensurePerson(
      tx: Tx,
      identifier: PersonIdentifier,
      name?: string | null,
    ): Promise<string> {
      const [id] = await ensurePeople(tx, [{ ...identifier, name }], () => '/value');
      if (id === undefined) throw new TypeError('One person in, one reference out.');
      return id;
    },

    /** The reference of a person already known, or null; adds nothing. */
    async findPerson(tx: Tx, identifier: PersonIdentifier): Promise<string | null> {
      const wanted = normalise(identifier, today(), '/value');
      const [row] = (await lookUp(tx, [{ identifier: wanted }])).values();
      return row?.id ?? null;
    },

    /** The blind index of a row under the newest version, from what is sealed in it. */
    newIndexOf(row: IndexedPersonRow): { indexVersion: number; blindIndex: Buffer } {
      const key = dataKeys.unwrap(row.id, row.kekVersion, row.wrapped);
      const value = open(key, row.valueSealed, context(row.id, 'value')).toString('utf8');
      const indexVersion = ring.newestIndex();
      return {
        indexVersion,
        blindIndex: index.blindIndex({ scheme: row.scheme, value }, indexVersion),
      };
    },

    /** Who a reference stands for; identity.erased when her data key is gone. */
    async revealPerson(tx: Tx, personId: string): Promise<RevealedPerson> {
      const person = (await revealPeople(tx, [personId])).get(personId);
      if (!person) throw identityErrors.erased('The data of this person has been erased.');
      return person;
    },

    /** The tag of an identifier, whether or not anybody knows her. */
    subjectTag(identifier: PersonIdentifier): Buffer {
      return index.subjectTag(normalise(identifier, today(), '/value'));
    },

    /** The person behind a tag of the log; null when nobody known has it, or she was erased. */
    async findPersonByTag(tx: Tx, tag: Buffer): Promise<string | null> {
      const [row] = await findByAuditTag(tx, [tag]);
      return row?.wrapped ? row.id : null;
    },

    /** The people behind tags of the log, each once; who is unknown or erased is left out. */
    async findPeopleByTags(tx: Tx, tags: readonly Buffer[]): Promise<string[]> {
      if (tags.length === 0) return [];
      const rows = await findByAuditTag(tx, [...tags]);
      return rows.filter(({ wrapped }) => wrapped !== null).map(({ id }) => id);
    },

    /** The tag under which the log's entries about a person are found. */
    async subjectTagOf(tx: Tx, personId: string): Promise<Buffer> {
      const [row] = await findById(tx, [personId]);
      if (!row) throw identityErrors.person_not_found('There is no such person.');
      if (!row.auditTag) throw identityErrors.erased('The data of this person has been erased.');
      return row.auditTag;
    },
  };
}

function byTag(rows: readonly PersonRow[]): Map<string, PersonRow> {
  return new Map(
    rows.flatMap((row) => (row.auditTag ? [[row.auditTag.toString('hex'), row]] : [])),
  );
}

export type People = ReturnType<typeof createPeople>;

function openName(row: PersonRow, key: Buffer): string | null {
  if (!row.nameSealed) return null;
  return open(key, row.nameSealed, context(row.id, 'name')).toString('utf8');
}
