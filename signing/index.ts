// The face of signing: the only room with private keys.
export type { Check } from './checks.ts';
export type { RevocationReason } from './crl.ts';
export {
  DEFAULT_TEMPLATE,
  type DocumentContent,
  type DocumentRow,
  DocumentTemplate,
} from './document.ts';
export { missingCharacters } from './document-font.ts';
export { signingErrors } from './errors.ts';
export { type InitKeysOptions, initKeys, type KeyOrganisation } from './init-keys.ts';
export type { CredentialContent } from './issue-credential.ts';
export type { SecretName } from './key-files.ts';
export { type Keystore, openKeystore, type Signer } from './keystore.ts';
export type { LogKey } from './log-keys.ts';
export type { VerifyOptions } from './open-credential.ts';
export type { VerifiedReceipt } from './receipt.ts';
export type { ProcessRole } from './role-keys.ts';
export type { StatusReference } from './sd-jwt-vc.ts';
export { openSecretVersions, type SecretVersions } from './secret-versions.ts';
export { createSigning, type Signing, type SigningDeps } from './service.ts';
export type { SignaturePlace, SignatureRecord } from './signature-store.ts';
export { connectSigner } from './signer-client.ts';
export { createSignerDesk } from './signer-desk.ts';
export type { DocumentRequest } from './signer-protocol.ts';
export { serveSigner } from './signer-server.ts';
export type { AllocatedStatus, StatusValue } from './status-lists.ts';
export type { VerifiedCredential } from './verify-credential.ts';
export { openVrf, type Vrf, verifyVrf } from './vrf.ts';
