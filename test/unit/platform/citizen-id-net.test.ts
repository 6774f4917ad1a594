import { expect, test } from 'vitest';
import { holdsCitizenId } from '../../../platform/citizen-id-net.ts';

test('a citizen ID is found wherever it stands as a word, with either x', () => {
  const texts = [
    '99010119900101102X',
    '99010119900101102x',
    '990101195505050120',
    '{"subject":"990101195505050120"}',
    'for 990101195505050120, urgent',
    'req-990101195505050120-1',
    '990101199001011234 and 990101195505050120',
  ];
  for (const text of texts) expect(holdsCitizenId(text), text).toBe(true);
});

test('what is none is let through: wrong checks, impossible days, parts of longer words', () => {
  const texts = [
    '',
    '990101199001011020',
    '990101199013011020',
    '990101199001321020',
    '990101179001011020',
    '090101195505050120',
    '1990101195505050120',
    '9901011955050501203',
    'a990101195505050120',
    '11440118MB2D0001X3',
    // A department's credit code within a licence number, though it has an ID's shape.
    '1.2.156.3005.2.11100000000013127D001.990101195505050120.202600000017.001.A',
    '0192c1f0-1234-7abc-8def-0123456789ab',
    '4bf92f3577b34da6a3ce929d0e0e4736',
  ];
  for (const text of texts) expect(holdsCitizenId(text), text).toBe(false);
});
