// The signer's record against the register: a signature that no licence belongs to is found, and told once.
import { expect, test } from 'vitest';
import { department, healthCertificate, issued, withRegistry } from './house.ts';

const house = withRegistry();
const health = department('health');

/** Records a signature as the signer does, made so many minutes ago. */
async function signed(place: { uri: string; idx: number }, licence: string, minutes: number) {
  await house.ownerSql`
    insert into signing.credential_signatures
      (status_uri, status_idx, licence, vct, content_digest, signed_at)
    values (${place.uri}, ${place.idx}, ${licence}, 'vct', sha256('x'),
      now() - make_interval(mins => ${minutes}))`;
}

const told = async () => {
  const rows = await house.ownerSql<{ key: string; payload: object }[]>`
    select key, payload from platform.outbox where topic = 'registry.signature_unrecorded'
    order by key`;
  return rows.map(({ key }) => key);
};

const placeOf = async (number: string) => {
  const [row] = await house.ownerSql<{ uri: string; idx: number }[]>`
    select status_list_uri as uri, status_list_index as idx from registry.licences
    where number = ${number}`;
  if (!row) throw new TypeError('It was issued.');
  return row;
};

test('a planted signature without a row is found, one with its licence is not, each told once', async () => {
  const licence = await issued(house, health, healthCertificate());
  const place = await placeOf(licence.number);
  await signed(place, licence.number, 60);
  expect(await house.registry.checkSignatures()).toEqual({ looked: 1, unrecorded: [] });

  await signed({ uri: place.uri, idx: 90_001 }, 'nobody-s', 60);
  // Another place than the licence's own is no excuse.
  await signed({ uri: place.uri, idx: 90_002 }, licence.number, 60);
  // What is being issued at this moment is not written down yet.
  await signed({ uri: place.uri, idx: 90_003 }, 'just-now', 1);
  const found = await house.registry.checkSignatures();
  expect(found).toEqual({ looked: 3, unrecorded: ['nobody-s', licence.number] });
  expect(await told()).toEqual([licence.number, 'nobody-s'].sort());

  expect(await house.registry.checkSignatures()).toEqual({ looked: 3, unrecorded: [] });
  await house.setClockOffset(20 * 60_000);
  expect((await house.registry.checkSignatures()).unrecorded).toEqual(['just-now']);
  expect(await told()).toHaveLength(3);
});
