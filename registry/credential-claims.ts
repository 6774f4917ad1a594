// What a licence's credential says, and the type metadata that explains it (SD-JWT VC; spec/licence.md
// 2.8). Status stays out of the signed body: the status list speaks for it.
import { endOfCityDay, type Json, type JsonObject } from '../platform/index.ts';
import { propertiesOf } from './field-schema.ts';
import type { Fields, Holder } from './licence.ts';
import { fieldTitle, type LicenceType } from './licence-type.ts';

/** The authority a licence is issued by, as it stands in the credential. */
export interface IssuingAuthority {
  name: string;
  uscc: string;
}

/** A licence as it is about to be signed, every reference resolved. */
export interface LicenceBody {
  number: string;
  version: number;
  type: LicenceType;
  authority: IssuingAuthority;
  holder: Holder;
  fields: Fields;
  validFrom: string;
  validTo: string | null;
  issuedAt: Date;
}

/** What signing.issueCredential takes of a licence, without its status. */
export interface CredentialContent {
  vct: string;
  claims: JsonObject;
  disclosable: Record<string, Json>;
  iat: Date;
  exp?: Date;
}

// Names the credential uses itself: registered claims, and the ones set below.
const TAKEN = new Set([
  'iss',
  'sub',
  'iat',
  'nbf',
  'exp',
  'cnf',
  'vct',
  'vct#integrity',
  'aka_vcts',
  'status',
  'licence_id',
  'licence_version',
  'issuing_authority',
  'valid_from',
  'valid_to',
  'holder_name',
  'holder_id',
]);

/** The claim a field is disclosed as: its own name, `field_…` where the credential needs that name. */
export function claimOf(field: string): string {
  return TAKEN.has(field) ? `field_${field}` : field;
}

/** The address of a type version's metadata, which is also the credential's `vct`. */
export function vctOf(publicUrl: string, type: { code: string; version: number }): string {
  return `${publicUrl}/vct/${type.code}/${type.version}`;
}

/** The credential's content: who, what and how long; `exp` is the end of the last valid day. */
export function credentialContent(
  body: LicenceBody,
  { publicUrl, cityTz }: { publicUrl: string; cityTz: string },
): CredentialContent {
  const { number, version, type, authority, holder, fields, validFrom, validTo, issuedAt } = body;
  const own = Object.entries(fields).flatMap(([name, value]): [string, Json][] =>
    value === undefined ? [] : [[claimOf(name), value]],
  );
  return {
    vct: vctOf(publicUrl, type),
    claims: {
      licence_id: number,
      licence_version: version,
      issuing_authority: { name: authority.name, uscc: authority.uscc },
      valid_from: validFrom,
      ...(validTo === null ? {} : { valid_to: validTo }),
    },
    disclosable: { holder_name: holder.name, holder_id: holder.value, ...Object.fromEntries(own) },
    iat: issuedAt,
    ...(validTo === null ? {} : { exp: endOfCityDay(validTo, cityTz) }),
  };
}

/** SD-JWT VC type metadata of one version of a type (draft-ietf-oauth-sd-jwt-vc section 6). */
export function typeMetadata(publicUrl: string, type: LicenceType): JsonObject {
  const claim = (
    path: string,
    zh: string,
    en: string,
    sd: 'always' | 'never',
    mandatory: boolean,
  ) => ({
    path: [path],
    display: [
      { locale: 'zh-CN', label: zh },
      { locale: 'en', label: en },
    ],
    sd,
    mandatory,
  });
  const required = Array.isArray(type.schema.required) ? type.schema.required : [];
  return {
    vct: vctOf(publicUrl, type),
    name: type.nameEn,
    description: type.nameZh,
    display: [
      { locale: 'zh-CN', name: type.nameZh },
      { locale: 'en', name: type.nameEn },
    ],
    claims: [
      claim('licence_id', '证照标识', 'Licence number', 'never', true),
      claim('issuing_authority', '颁发机构', 'Issuing authority', 'never', true),
      claim('holder_name', '持证主体', 'Holder', 'always', true),
      claim('holder_id', '持证主体代码', 'Holder identifier', 'always', true),
      ...propertiesOf(type.schema).map(({ name }) =>
        claim(
          claimOf(name),
          fieldTitle(type, name, 'zh'),
          fieldTitle(type, name, 'en'),
          'always',
          required.includes(name),
        ),
      ),
    ],
  };
}
