// What the signer asks the register before it signs a credential for another process: could a licence
// of this house say this at all (docs/adr/0012-signer.md)?
import { z } from 'zod';
import { signingErrors } from '../signing/index.ts';
import { type CredentialContent, claimOf, vctOf } from './credential-claims.ts';
import type { RegistryDeps } from './deps.ts';
import { propertiesOf } from './field-schema.ts';
import { Day } from './licence.ts';
import { parseLicenceNumber } from './licence-number.ts';
import type { TypeBook } from './type-book.ts';

const Claims = z.strictObject({
  licence_id: z.string(),
  licence_version: z.number().int().min(1).max(999),
  issuing_authority: z.strictObject({ name: z.string(), uscc: z.string() }),
  valid_from: Day,
  valid_to: Day.optional(),
});

/** Binds the check to the types and organisations of this house. */
export function createSignable({ database, identity, publicUrl }: RegistryDeps, book: TypeBook) {
  return {
    /**
     * Refuses what is no licence of a published type by an authority of this house, numbered for both,
     * with the fields of that type alone.
     */
    async checkCredential({ vct, claims, disclosable }: CredentialContent): Promise<void> {
      const read = Claims.safeParse(claims);
      const [, code = '', version = ''] = /\/vct\/([^/]+)\/(\d+)$/.exec(vct) ?? [];
      if (!read.success || vct !== vctOf(publicUrl, { code, version: Number(version) })) {
        throw unsignable('It is not of the form of a licence.');
      }
      const type = await book.getVersion(database.db, code, Number(version));
      const { licence_id, licence_version, issuing_authority } = read.data;
      const number = parseLicenceNumber(licence_id);
      const authority = (await identity.listOrganisations()).find(
        ({ uscc }) => uscc === issuing_authority.uscc,
      );
      if (!authority || authority.nameZh !== issuing_authority.name) {
        throw unsignable('Its authority is none of this house.');
      }
      if (
        number?.type !== type.code ||
        number.authority !== authority.uscc ||
        number.version !== licence_version
      ) {
        throw unsignable('Its number is not of its type, authority and version.');
      }
      const known = new Set(['holder_name', 'holder_id']);
      for (const { name } of propertiesOf(type.schema)) known.add(claimOf(name));
      if (Object.keys(disclosable).some((name) => !known.has(name))) {
        throw unsignable('It has fields that its type has not.');
      }
    },
  };
}

function unsignable(why: string) {
  return signingErrors.signature_refused(`This credential is not signed. ${why}`);
}
