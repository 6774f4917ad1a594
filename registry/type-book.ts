// Licence types: publishing a version, and the book of them that the acts read. A published version
// never changes, so what is compiled once is kept; which version is the newest is asked every time.
import { type Actor, requireScope } from '../identity/index.ts';
import { canonicalJson, dbNow, type JsonObject, type Tx } from '../platform/index.ts';
import { typeMetadata } from './credential-claims.ts';
import type { RegistryDeps } from './deps.ts';
import { fieldError, registryErrors } from './errors.ts';
import { compileFieldCheck, type FieldCheck } from './field-schema.ts';
import {
  definitionFaults,
  type LicenceType,
  readTypeDefinition,
  TypeDefinition,
} from './licence-type.ts';
import {
  claimTypeCode,
  findCurrentTypes,
  findTypeVersion,
  insertTypeVersion,
  listCurrentTypes,
  type TypeRow,
} from './type-store.ts';

/** A published version, ready to check fields by. */
export interface PublishedType extends LicenceType {
  checkFields: FieldCheck;
}

// 400 compiled versions of 40 types' size are about 20 MB.
const HELD_VERSIONS = 400;

/** Publishing and reading of licence types. */
export function createTypeBook({ database, identity, publicUrl }: RegistryDeps) {
  const held = new Map<string, PublishedType>();

  function toPublished({ id, version, definition }: TypeRow): PublishedType {
    const key = `${id}|${version}`;
    const known = held.get(key);
    if (known) return known;
    const type = { ...TypeDefinition.parse(definition), version };
    const published = { ...type, checkFields: compileFieldCheck(type.schema) };
    const [oldest] = held.keys();
    if (held.size >= HELD_VERSIONS && oldest !== undefined) held.delete(oldest);
    held.set(key, published);
    return published;
  }

  /** The newest versions of these types by the word asked with; throws registry.unknown_type. */
  async function getCurrent(
    tx: Tx,
    idsOrCodes: readonly string[],
    pointerOf: (at: number) => string = () => '/type',
  ): Promise<Map<string, PublishedType>> {
    const types = new Map<string, PublishedType>();
    for (const row of await findCurrentTypes(tx, idsOrCodes)) {
      const type = toPublished(row);
      types.set(type.id, type);
      types.set(type.code, type);
    }
    const missing = idsOrCodes.findIndex((word) => !types.has(word));
    if (missing >= 0) {
      throw registryErrors.unknown_type('There is no licence type of this id or code.', {
        fields: [{ pointer: pointerOf(missing), detail: 'names no licence type' }],
      });
    }
    return types;
  }

  /** One version of a type; throws registry.type_not_found. */
  async function getVersion(tx: Tx, idOrCode: string, version: number): Promise<PublishedType> {
    const known = held.get(`${idOrCode}|${version}`);
    if (known) return known;
    const isVersion = Number.isInteger(version) && version > 0 && version < 2 ** 31;
    const row = isVersion ? await findTypeVersion(tx, idOrCode, version) : undefined;
    if (!row) throw registryErrors.type_not_found('There is no such version of a licence type.');
    return toPublished(row);
  }

  async function getNewest(tx: Tx, idOrCode: string): Promise<PublishedType> {
    const [row] = await findCurrentTypes(tx, [idOrCode]);
    if (!row) throw registryErrors.type_not_found('There is no licence type of this id or code.');
    return toPublished(row);
  }

  return {
    getCurrent,
    getVersion,

    /**
     * A new type, or a new version of one, live at once; licences keep the version they were issued
     * under. A definition equal to the newest version changes nothing.
     */
    async publishType(actor: Actor, written: unknown): Promise<LicenceType> {
      requireScope(actor, 'types:manage');
      const definition = readDefinition(written);
      try {
        await identity.getOrganisation(definition.issuer);
      } catch (cause) {
        throw registryErrors.type_invalid('The issuer is no organisation of this registry.', {
          fields: [{ pointer: '/issuer', detail: 'is no organisation' }],
          cause,
        });
      }
      return database.transaction((tx) => publish(tx, definition));
    },

    /** A type by id or GB type code: the newest version unless one is asked for. */
    async getType(idOrCode: string, version?: number): Promise<LicenceType> {
      return withoutCheck(
        version === undefined
          ? await getNewest(database.db, idOrCode)
          : await getVersion(database.db, idOrCode, version),
      );
    },

    /** The newest version of every type. */
    async listTypes(): Promise<LicenceType[]> {
      return (await listCurrentTypes(database.db)).map((row) => withoutCheck(toPublished(row)));
    },

    /** SD-JWT VC type metadata, as `/vct/{typeCode}/{version}` serves it. */
    async typeMetadata(idOrCode: string, version: number): Promise<JsonObject> {
      return typeMetadata(publicUrl, await getVersion(database.db, idOrCode, version));
    },
  };
}

export type TypeBook = ReturnType<typeof createTypeBook>;

function readDefinition(written: unknown): TypeDefinition {
  const read = readTypeDefinition(written);
  const faults = read.success
    ? definitionFaults(read.data)
    : read.error.issues.map((issue) => fieldError(issue));
  if (!read.success || faults.length > 0) {
    throw registryErrors.type_invalid('This definition can not go live; see errors.', {
      fields: faults,
    });
  }
  return read.data;
}

async function publish(tx: Tx, definition: TypeDefinition): Promise<LicenceType> {
  const { id, code } = definition;
  if (!(await claimTypeCode(tx, code, id))) {
    throw registryErrors.type_code_taken(
      'A type keeps its GB code for ever: this code is of another type, or this type has another.',
      { fields: [{ pointer: '/code', detail: 'does not belong to this id' }] },
    );
  }
  const [newest] = await findCurrentTypes(tx, [id]);
  const isSame = newest && canonicalJson(newest.definition) === canonicalJson(definition);
  if (isSame) return { ...definition, version: newest.version };
  const version = (newest?.version ?? 0) + 1;
  await insertTypeVersion(tx, { ...definition, version, definition }, await dbNow(tx));
  return { ...definition, version };
}

function withoutCheck({ checkFields: _, ...type }: PublishedType): LicenceType {
  return type;
}
