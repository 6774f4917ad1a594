// SD-JWT VC (draft-ietf-oauth-sd-jwt-vc): what its issuing and its verifying have in common.

/** Claims that are always in the clear (section 3.2.2.2 of the draft). */
export const NEVER_DISCLOSABLE: ReadonlySet<string> = new Set([
  'iss',
  'nbf',
  'exp',
  'cnf',
  'vct',
  'vct#integrity',
  'aka_vcts',
  'status',
]);

/** Where a credential's status stands (Token Status List section 6.1). */
export interface StatusReference {
  uri: string;
  idx: number;
}
