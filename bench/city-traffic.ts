// What departments and passers-by do all day, as calls to a house over the sample city.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { createMachineClient, type Reply, readClientFile } from '../cli/machine-client.ts';
import { PersonFile } from '../cli/person-client.ts';

/** Somebody with a citizen ID. */
export interface Holder {
  value: string;
  name: string;
}

const Issued = z.looseObject({ number: z.string(), verificationCode: z.string() });
export type IssuedLicence = z.infer<typeof Issued>;

/** A reply that is none of those it should have been is a failure of the call. */
function expectStatus(reply: Pick<Reply, 'status' | 'text'>, ...expected: number[]): void {
  if (!expected.includes(reply.status)) throw new Error(`${reply.status} ${reply.text}`);
}

/** The calls of one load run on the house that keeps its clients' keys under `dataDir`. */
export async function createTraffic({ baseUrl, dataDir }: { baseUrl: string; dataDir: string }) {
  const clientOf = async (name: string) =>
    createMachineClient(await readClientFile(join(dataDir, 'clients', `${name}.json`)), {
      baseUrl,
    });
  const [housing, health] = await Promise.all([clientOf('housing'), clientOf('health')]);
  // p-abroad is left to the demo, which reads his list of looks.
  const people = PersonFile.parse(
    JSON.parse(await readFile(join(dataDir, 'people.json'), 'utf8')),
  ).filter(({ scheme, key }) => scheme === 'cn-id' && key !== 'p-abroad');
  let serial = 0;

  /** Asks whether a person is married as declared; the reply of one that was answered in time. */
  async function ask({ value }: Pick<Holder, 'value'>): Promise<Reply> {
    serial += 1;
    const reply = await housing.call(
      'POST',
      '/v1/verifications',
      {
        service: 'VS-MARITAL',
        subject: { scheme: 'cn-id', value },
        params: { declared: 'married' },
        legalBasis: 'LB-MCA266',
        purpose: 'public rental housing application',
        caseId: `C-${serial}`,
      },
      { Prefer: 'wait=10' },
    );
    expectStatus(reply, 200);
    return reply;
  }

  /** Issues a health certificate. */
  async function issueTo({ value, name }: Holder): Promise<IssuedLicence> {
    serial += 1;
    const reply = await health.call('POST', '/v1/licences', {
      type: 'LT-HEALTHCERT',
      holder: { scheme: 'cn-id', value, name },
      fields: {
        certificate_no: `JK-${String(serial).padStart(6, '0')}`,
        trade: 'food',
        examined_on: '2026-03-01',
        facility: '云珠市疾病预防控制中心',
      },
    });
    expectStatus(reply, 201);
    return Issued.parse(reply.json);
  }

  async function look(code: string): Promise<void> {
    const reply = await fetch(`${baseUrl}/v1/public/licences/${code}`);
    expectStatus({ status: reply.status, text: await reply.text() }, 200);
  }

  /** Cancels a licence in the name of its issuer. */
  async function cancel(number: string, by = health): Promise<void> {
    const reply = await by.call('POST', `/v1/licences/${number}/cancel`, {
      reason: 'load run',
      legalBasis: 'LB-AL70',
    });
    expectStatus(reply, 200);
  }

  return {
    clientOf,
    people,
    ask,
    issueTo,
    look,
    cancel,

    /** One call after the other about `some` people: half questions, a quarter issues, a quarter look-ups. */
    mixed(
      some: readonly Holder[],
      onIssued: (holder: Holder, licence: IssuedLicence) => void = () => {},
    ): () => Promise<void> {
      let turn = 0;
      let code = '';
      return async () => {
        turn += 1;
        const person = some[turn % some.length];
        if (!person) throw new TypeError('Traffic is about somebody.');
        if (turn % 4 === 0) {
          const licence = await issueTo(person);
          code = licence.verificationCode;
          onIssued(person, licence);
        } else if (turn % 4 === 1 && code !== '') await look(code);
        else await ask(person);
      };
    },
  };
}

export type Traffic = Awaited<ReturnType<typeof createTraffic>>;

/** Somebody the city does not know: the check character of GB 11643 behind 17 digits. */
export function stranger(at: number): Holder {
  const body = `99010219600101${String(at).padStart(3, '0')}`;
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((total, weight, digit) => total + weight * Number(body[digit]), 0);
  return { value: `${body}${'10X98765432'[sum % 11]}`, name: `临时${at}` };
}

const Officers = z.array(
  z.object({ username: z.string(), password: z.string(), roles: z.array(z.string()) }),
);

/** The sign-ins of the sample's two operators. */
export async function operatorsOf(
  dataDir: string,
): Promise<{ username: string; password: string }[]> {
  const officers = Officers.parse(
    JSON.parse(await readFile(join(dataDir, 'officers.json'), 'utf8')),
  );
  return officers
    .filter(({ roles }) => roles.includes('operator'))
    .map(({ username, password }) => ({ username, password }));
}
