// The face of signing: the only room with private keys.
export { type InitKeysOptions, initKeys, type KeyOrganisation } from './init-keys.ts';
export type { SecretName } from './key-files.ts';
export { type Keystore, type LogKey, openKeystore, type Signer } from './keystore.ts';
