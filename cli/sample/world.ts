// The sample city's file, read and checked: departments, types, services, legal bases, personas.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Department = z.object({
  id: z.string(),
  name_zh: z.string(),
  name_en: z.string(),
  short_zh: z.string(),
  uscc: z.string(),
  kind: z.string(),
  roles: z.array(z.string()),
});

const LegalBasis = z.object({ id: z.string(), cite_zh: z.string(), cite_en: z.string() });
const Persona = z.object({ key: z.string(), label_zh: z.string(), holds: z.array(z.string()) });

const World = z.object({
  departments: z.array(Department),
  legal_bases: z.array(LegalBasis),
  licence_types: z.array(z.looseObject({ id: z.string(), issuer: z.string() })),
  verification_services: z.array(
    z.looseObject({
      id: z.string(),
      provider: z.string(),
      requesters: z.array(z.string()),
      legal_basis: z.array(z.string()),
      minimal_disclosure: z.looseObject({ fields: z.array(z.string()) }),
    }),
  ),
  persona_templates: z.array(Persona),
});

export type World = z.infer<typeof World>;
export type Department = z.infer<typeof Department>;

function readData(name: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'data', name), 'utf8'));
}

/** Reads data/sample-world.json, each service with its rule of data/answer-rules.json. */
export function readWorld(): World {
  const world = World.parse(readData('sample-world.json'));
  const rules = z.record(z.string(), z.json()).parse(readData('answer-rules.json'));
  return {
    ...world,
    verification_services: world.verification_services.map((service) =>
      service.id in rules ? { ...service, rule: rules[service.id] } : service,
    ),
  };
}

/** Citations of the world's legal bases by id, in both languages; an unknown id is its own citation. */
export function legalBasisCitations(world: World): (id: string, lang: 'zh' | 'en') => string {
  const bases = new Map(world.legal_bases.map((basis) => [basis.id, basis]));
  return (id, lang) => {
    const basis = bases.get(id);
    return basis ? (lang === 'en' ? basis.cite_en : basis.cite_zh) : id;
  };
}
