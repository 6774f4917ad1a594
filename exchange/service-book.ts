// Published services with everything compiled, one compilation per version and process.
import type { Tx } from '../platform/index.ts';
import { type CompiledRule, compileRule } from './answer-rule.ts';
import { disclosedFields } from './disclosure.ts';
import { exchangeErrors } from './errors.ts';
import { compileSchema, narrowSchema, type SchemaCheck } from './schema-check.ts';
import type { PublishedService } from './service-definition.ts';
import { findCurrentVersion, findServiceVersion } from './service-store.ts';

/** A service ready to be asked. */
export interface Service {
  definition: PublishedService;
  checkParams: SchemaCheck;
  checkAnswer: SchemaCheck;
  /** Undefined where a desk answers everything. */
  rule: CompiledRule | undefined;
  /** Checks what leaves: the answer cut to these fields. */
  checkDisclosed(fields: readonly string[]): SchemaCheck;
  /** The fields an agreement over `agreementFields` lets through. */
  disclosed(agreementFields: readonly string[]): string[];
}

/** Makes a service ready; throws RuleFault when its rule doesn't compile. */
export function compileService(definition: PublishedService): Service {
  const { paramsSchema, answerSchema, minimalDisclosure } = definition;
  const narrowed = new Map<string, SchemaCheck>();
  const world = {
    params: paramsSchema,
    answer: answerSchema,
    licenceFields: new Map(Object.entries(definition.licenceFields)),
  };
  return {
    definition,
    checkParams: compileSchema(paramsSchema),
    checkAnswer: compileSchema(answerSchema),
    rule: definition.rule && compileRule(definition.rule, world),
    checkDisclosed(fields) {
      const key = fields.join(' ');
      const known = narrowed.get(key);
      if (known) return known;
      const made = compileSchema(narrowSchema(answerSchema, fields));
      narrowed.set(key, made);
      return made;
    },
    disclosed: (agreementFields) =>
      disclosedFields({ answerSchema, minimalFields: minimalDisclosure.fields, agreementFields }),
  };
}

/** Keeps compiled services; a version never changes, so nothing here grows stale. */
export function createServiceBook() {
  const compiled = new Map<string, Service>();

  async function findVersion(tx: Tx, code: string, version: number): Promise<Service | undefined> {
    const key = `${code}@${version}`;
    const known = compiled.get(key);
    if (known) return known;
    const definition = await findServiceVersion(tx, code, version);
    if (!definition) return undefined;
    const service = compileService(definition);
    compiled.set(key, service);
    return service;
  }

  return {
    findVersion,

    /** One version, which a stored request names and which therefore exists. */
    async getVersion(tx: Tx, code: string, version: number): Promise<Service> {
      const service = await findVersion(tx, code, version);
      if (!service) throw new TypeError('A request names a version that was never published.');
      return service;
    },

    /** The version that is asked today. */
    async findCurrent(tx: Tx, code: string): Promise<Service | undefined> {
      const version = await findCurrentVersion(tx, code);
      return version === undefined ? undefined : findVersion(tx, code, version);
    },

    async getCurrent(tx: Tx, code: string): Promise<Service> {
      const version = await findCurrentVersion(tx, code);
      if (version === undefined) {
        throw exchangeErrors.unknown_service('There is no such verification service.');
      }
      return this.getVersion(tx, code, version);
    },
  };
}

export type ServiceBook = ReturnType<typeof createServiceBook>;
