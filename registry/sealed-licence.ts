// What a licence says, sealed for its holder: the body (name and fields, citizen IDs as references),
// the verification code, the credential, and the reasons in its history.

import { z } from 'zod';
import type { Json, JsonObject, Tx } from '../platform/index.ts';
import type { RegistryDeps } from './deps.ts';
import { Fields } from './licence.ts';

/** The holder's name as issued, and the fields with `{ $person }` where the schema has a citizen ID. */
const SealedBody = z.object({ holderName: z.string(), fields: Fields });
export interface SealedBody {
  holderName: string;
  fields: JsonObject;
}

/** Where a sealed value stands; it can't be opened anywhere else. */
export const sealContexts = {
  body: (number: string) => `registry.licences|${number}|body_sealed`,
  code: (number: string) => `registry.licences|${number}|code_sealed`,
  credential: (number: string) => `registry.credentials|${number}|credential_sealed`,
  document: (key: string) => `registry.documents|${key}|pdf_sealed`,
  reason: (eventId: string) => `registry.licence_events|${eventId}|reason_sealed`,
  application: (id: string) => `registry.applications|${id}|input_sealed`,
};

export function encodeBody(body: SealedBody): Buffer {
  return Buffer.from(JSON.stringify(body), 'utf8');
}

interface SealedLicence {
  number: string;
  holderId: string;
  bodySealed: Buffer;
}

/** The bodies of licences in their order; null where the holder was erased. */
export async function openBodies(
  tx: Tx,
  identity: Pick<RegistryDeps['identity'], 'openMany'>,
  licences: readonly SealedLicence[],
): Promise<(SealedBody | null)[]> {
  const opened = await identity.openMany(
    tx,
    licences.map(({ number, holderId, bodySealed }) => ({
      personId: holderId,
      sealed: bodySealed,
      context: sealContexts.body(number),
    })),
  );
  return opened.map((bytes) => bytes && SealedBody.parse(JSON.parse(bytes.toString('utf8'))));
}

/** Opens one text sealed for a person; null when she was erased. */
export async function openText(
  tx: Tx,
  identity: Pick<RegistryDeps['identity'], 'openMany'>,
  personId: string,
  sealed: Buffer,
  context: string,
): Promise<string | null> {
  const [bytes] = await identity.openMany(tx, [{ personId, sealed, context }]);
  return bytes?.toString('utf8') ?? null;
}

/** The people a body's fields name, each once. */
export function peopleNamedIn(value: Json | undefined): string[] {
  const found = new Set<string>();
  const look = (part: Json | undefined): void => {
    if (Array.isArray(part)) for (const item of part) look(item);
    else if (part !== null && typeof part === 'object') {
      if (typeof part.$person === 'string') found.add(part.$person);
      else for (const member of Object.values(part)) look(member);
    }
  };
  look(value);
  return [...found];
}
