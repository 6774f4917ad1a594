// `operators`: the first two operators of a house without a sample city, and the way back when there are
// too few of them, on its own machine.
// The links it prints are shown to who runs it and written nowhere else.
import { type Enrolment, requireWayIn } from '../identity/index.ts';
import { loadConfig } from '../platform/index.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { ownerOf, withHouse } from './house.ts';

const organisationOptions = {
  organisation: { type: 'string' },
  'name-zh': { type: 'string' },
  'name-en': { type: 'string' },
  uscc: { type: 'string' },
  operator: { type: 'string', multiple: true },
} as const;

function told(value: string | undefined, option: string): string {
  if (value !== undefined) return value;
  throw new UsageError(`Say --${option}.`);
}

function showLink(username: string, { url, expiresAt }: Enrolment): void {
  console.log(`${username}: hand over this link; it works once, until ${expiresAt}`);
  console.log(`  ${url}`);
}

export const operatorsInitCommand: Command = {
  name: 'operators init',
  summary: 'Make the governing organisation and the first two operators, once',
  help: `operators init --organisation ID --name-zh NAME --name-en NAME --uscc CODE
               --operator USERNAME --operator USERNAME

For a house without the sample city (SAMPLE=none): each role takes two operators, and this makes
them. ID is 1 to 32 of a to z, digits and -; CODE is the organisation's unified social credit code.
Prints for each operator a link at which she makes her passkey: hand it to her and nobody else. It
works once, for 60 minutes; operators link makes another. PUBLIC_URL must be a name with https, or
localhost: browsers have no passkeys for an IP address. Where a provider in OIDC_PROVIDERS signs
officers in there are no links: each signs in there, and is known by the claim that is printed.

Refused once there are two operators (identity.operators_exist).
Exit code: 0 when made, 1 when refused.`,
  async run(args) {
    const { values } = readArgs(args, organisationOptions);
    const organisation = {
      id: told(values.organisation, 'organisation'),
      nameZh: told(values['name-zh'], 'name-zh'),
      nameEn: told(values['name-en'], 'name-en'),
      uscc: told(values.uscc, 'uscc'),
    };
    const [first, second, ...more] = values.operator ?? [];
    if (first === undefined || second === undefined || more.length > 0) {
      throw new UsageError('Say --operator USERNAME twice, for two people.');
    }
    const config = loadConfig();
    requireWayIn(config);
    return withHouse(async ({ services: { identity, ids } }) => {
      const made = await identity.foundOperators(ownerOf(ids), {
        organisation,
        operators: [first, second],
      });
      console.log(`Made ${organisation.id} and its operators ${first} and ${second}.`);
      const elsewhere = config.identityProviders.filter(({ signsIn }) => signsIn === 'officers');
      for (const { username, enrolment } of made) {
        if (enrolment) showLink(username, enrolment);
        for (const { label, issuer, claim } of elsewhere) {
          console.log(`${username}: signs in by ${label.en} (${issuer}), ${claim} = ${username}`);
        }
      }
      return 0;
    });
  },
};

export const operatorsLinkCommand: Command = {
  name: 'operators link',
  summary: 'Make another link for an operator who has not come in yet',
  help: `operators link USERNAME

For an operator without a passkey whose link was lost or ran out; the older link ends. Prints the new
one: hand it to her and nobody else. It works once, for 60 minutes.
Exit code: 0 when made, 1 when refused: she has a passkey, or there is no such operator.`,
  async run(args) {
    const [username, ...more] = readArgs(args, {}).positionals;
    if (username === undefined || more.length > 0) throw new UsageError('Say which USERNAME.');
    return withHouse(async ({ services: { identity, ids } }) => {
      showLink(username, await identity.renewEnrolment(ownerOf(ids), username));
      return 0;
    });
  },
};

const restoreOptions = {
  operator: { type: 'string', multiple: true },
  organisation: { type: 'string' },
  reason: { type: 'string' },
} as const;

export const operatorsRestoreCommand: Command = {
  name: 'operators restore',
  summary: 'Name two operators anew, when fewer than two can decide anything',
  help: `operators restore --operator USERNAME --operator USERNAME --reason TEXT [--organisation ID]

For a house whose operators' grants have run out, or who have left: nobody else could grant a role.
Names two accounts, which get the role operator without end. Accounts that are there must be for
operating and not have left; others are opened in --organisation. Prints for each who has no way in a
link, as operators init does. Who was named, and why, stands in the log, and the database refuses it
while two operators can decide (identity.operators_exist).
Exit code: 0 when done, 1 when refused.`,
  async run(args) {
    const { values } = readArgs(args, restoreOptions);
    const [first, second, ...more] = values.operator ?? [];
    if (first === undefined || second === undefined || more.length > 0) {
      throw new UsageError('Say --operator USERNAME twice, for two people.');
    }
    const reason = told(values.reason, 'reason');
    return withHouse(async ({ services: { identity, ids } }) => {
      const restored = await identity.restoreOperators(ownerOf(ids), {
        operators: [first, second],
        organisation: values.organisation,
        reason,
      });
      console.log(`${first} and ${second} are operators from now on. The log says so.`);
      for (const { username, enrolment } of restored) {
        if (enrolment) showLink(username, enrolment);
        else console.log(`${username}: signs in as before`);
      }
      return 0;
    });
  },
};

export const operatorsResetCommand: Command = {
  name: 'operators reset',
  summary: 'End the lost passkeys of an operator, when no two others can',
  help: `operators reset USERNAME --reason TEXT

Ends all passkeys and sessions of an operator at once and prints a link to make a new passkey by. For
a house with two operators, one of whom has lost hers: with more of them two others do it at
/ops/rights, and this refuses (identity.operators_exist). The log says that it was done, and why.
Exit code: 0 when done, 1 when refused.`,
  async run(args) {
    const { values, positionals } = readArgs(args, { reason: { type: 'string' } });
    const [username, ...more] = positionals;
    if (username === undefined || more.length > 0) throw new UsageError('Say which USERNAME.');
    const reason = told(values.reason, 'reason');
    return withHouse(async ({ services: { identity, ids } }) => {
      const enrolment = await identity.resetOperator(ownerOf(ids), username, { reason });
      console.log(`The passkeys and sessions of ${username} have ended. The log says so.`);
      if (enrolment) showLink(username, enrolment);
      else console.log(`${username}: signs in by another way than a passkey`);
      return 0;
    });
  },
};
