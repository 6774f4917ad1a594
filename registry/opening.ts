// Opening what is sealed of licences, for those who may see it: bodies, codes, reasons, credentials.
import type { JsonObject, Tx } from '../platform/index.ts';
import type { RegistryDeps } from './deps.ts';
import { licenceErased } from './errors.ts';
import type { LicenceStatus } from './licence.ts';
import { openBodies, openText, sealContexts } from './sealed-licence.ts';
import { getCredentialSealed, type LicenceRow } from './store.ts';
import { etagOf, type LicenceView, viewOf } from './view.ts';

/** A licence as its issuer and its holder read it: references turned back into citizen IDs. */
export interface WholeLicence {
  number: string;
  type: string;
  typeVersion: number;
  version: number;
  status: LicenceStatus;
  issuer: string;
  holder: { scheme: string; value: string; name: string };
  validFrom: string;
  validTo: string | null;
  issuedAt: string;
  changedAt: string;
  statusListIndex: number;
  supersedes?: string;
  supersededBy?: string;
  fields: JsonObject;
  etag: string;
}

/** Opens rows of the register. */
export function createOpening({ identity, cityTz }: Pick<RegistryDeps, 'identity' | 'cityTz'>) {
  /** These licences as their holder and issuer read them; those of an erased person are missing. */
  async function openWholes(tx: Tx, rows: readonly LicenceRow[]): Promise<WholeLicence[]> {
    const bodies = await openBodies(tx, identity, rows);
    const people = await identity.revealPeople(
      tx,
      rows.map(({ holderId }) => holderId),
    );
    const whole: WholeLicence[] = [];
    for (const [at, row] of rows.entries()) {
      const body = bodies[at];
      const person = people.get(row.holderId);
      if (!body || !person) continue;
      const { issuerId: issuer, fields, ...view } = viewOf(row, body, cityTz);
      whole.push({
        ...view,
        issuer,
        holder: { scheme: person.scheme, value: person.value, name: body.holderName },
        changedAt: row.changedAt,
        statusListIndex: row.statusListIndex,
        ...(row.supersedes === null ? {} : { supersedes: row.supersedes }),
        ...(row.supersededBy === null ? {} : { supersededBy: row.supersededBy }),
        fields: await identity.resolveReferences(tx, fields),
        etag: etagOf(row),
      });
    }
    return whole;
  }

  async function openCredential(tx: Tx, { number, holderId }: LicenceRow): Promise<string> {
    const sealed = await getCredentialSealed(tx, number);
    const context = sealContexts.credential(number);
    const credential = await openText(tx, identity, holderId, sealed, context);
    if (credential === null) throw licenceErased();
    return credential;
  }

  async function openCodes(tx: Tx, rows: readonly LicenceRow[]): Promise<Map<string, string>> {
    const codes = await identity.openMany(
      tx,
      rows.map(({ number, holderId, codeSealed }) => ({
        personId: holderId,
        sealed: codeSealed,
        context: sealContexts.code(number),
      })),
    );
    return new Map(rows.map(({ number }, at) => [number, codes[at]?.toString('utf8') ?? '']));
  }

  async function openReasons(
    tx: Tx,
    personId: string,
    events: readonly { id: string; reasonSealed: Buffer | null }[],
  ): Promise<Map<string, string | undefined>> {
    const given = events.flatMap(({ id, reasonSealed: sealed }) =>
      sealed ? [{ id, sealed }] : [],
    );
    const opened = await identity.openMany(
      tx,
      given.map(({ id, sealed }) => ({ personId, sealed, context: sealContexts.reason(id) })),
    );
    return new Map(given.map(({ id }, at) => [id, opened[at]?.toString('utf8')]));
  }

  async function openViews(tx: Tx, rows: readonly LicenceRow[]): Promise<LicenceView[]> {
    const bodies = await openBodies(tx, identity, rows);
    return rows.flatMap((row, at) => {
      const body = bodies[at];
      return body ? [viewOf(row, body, cityTz)] : [];
    });
  }

  return { openWholes, openCredential, openCodes, openReasons, openViews };
}

export type Opening = ReturnType<typeof createOpening>;
