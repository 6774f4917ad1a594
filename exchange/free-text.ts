// What a department may type beside a question: bounded, and never a citizen's identifier
// (contract section 3).
import { containsCitizenId } from '../identity/index.ts';
import type { FieldError } from '../platform/index.ts';
import { exchangeErrors } from './errors.ts';

const REFERENCE = /^[A-Za-z0-9._:/-]{1,64}$/;
const PURPOSE_MAX = 500;

/** The members whose text a person chose. */
const REFERENCES = ['caseId', 'officer', 'legalBasis'] as const;
const TEXTS = ['purpose', 'discloseReason', 'reason', 'text'] as const;
const CHECKED = [...REFERENCES, ...TEXTS];
export type FreeTexts = Partial<
  Record<(typeof REFERENCES)[number] | (typeof TEXTS)[number], string | undefined>
>;

/**
 * The faults of the free texts of a request. A member that holds a valid citizen ID is the graver
 * fault: `holdsIdentifier` names it, and its text must not be stored anywhere.
 */
export function freeTextFaults(texts: FreeTexts): {
  faults: FieldError[];
  holdsIdentifier: FieldError[];
} {
  const faults: FieldError[] = [];
  const holdsIdentifier: FieldError[] = [];
  for (const name of CHECKED) {
    const text = texts[name];
    if (text === undefined) continue;
    const pointer = `/${name}`;
    if (containsCitizenId(text)) {
      holdsIdentifier.push({ pointer, detail: 'Write no citizen ID here.' });
    } else if (isReference(name) && !REFERENCE.test(text)) {
      faults.push({ pointer, detail: 'Use 1 to 64 letters, digits and . _ : / - only.' });
    } else if (text.trim() === '' || text.length > PURPOSE_MAX) {
      faults.push({ pointer, detail: `Use 1 to ${PURPOSE_MAX} characters.` });
    }
  }
  return { faults, holdsIdentifier };
}

/** Refuses free texts that are odd or hold a citizen ID. */
export function checkFreeTexts(texts: FreeTexts): void {
  const { faults, holdsIdentifier } = freeTextFaults(texts);
  if (holdsIdentifier.length > 0) {
    throw exchangeErrors.identifier_in_text(
      'A citizen ID may stand only where an identifier is asked for: take it out of the text.',
      { fields: holdsIdentifier },
    );
  }
  if (faults.length > 0) {
    throw exchangeErrors.request_invalid('The request has members that are not usable.', {
      fields: faults,
    });
  }
}

function isReference(name: (typeof CHECKED)[number]): boolean {
  return REFERENCES.some((reference) => reference === name);
}
