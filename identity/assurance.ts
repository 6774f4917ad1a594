// How sure a session is of who sits there.

/**
 * How sure a session is of who sits there (eIDAS art. 8): low for a PIN or a password, what the provider
 * says for sign-ins elsewhere, high for a passkey.
 */
export const ASSURANCES = ['low', 'substantial', 'high'] as const;
export type Assurance = (typeof ASSURANCES)[number];
