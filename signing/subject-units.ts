// What a leaf of our issuing CA may be used for, told by its subject's organizational unit: a
// department's receipt key must not be able to sign licences. An extended key usage of our own
// would need an object identifier of 128 bits, which Go's X.509 reader refuses.

export const SUBJECT_UNITS = {
  credential: 'Credential signing',
  receipt: 'Receipt signing',
  seal: 'Document sealing',
  status: 'Status list signing',
  timestamp: 'Time-stamping',
} as const;

export type LeafPurpose = keyof typeof SUBJECT_UNITS;
