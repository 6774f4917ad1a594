// SQL over identity.provider_flows: sign-ins under way at another identity provider.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

export interface ProviderFlow {
  stateDigest: Buffer;
  browserDigest: Buffer;
  provider: string;
  sealed: Buffer;
}

export async function insertFlow(tx: Tx, flow: ProviderFlow, seconds: number): Promise<void> {
  await tx.execute(
    sql`insert into identity.provider_flows
        (state_digest, browser_digest, provider, sealed, expires_at)
      values (${flow.stateDigest}, ${flow.browserDigest}, ${flow.provider}, ${flow.sealed},
        platform.now() + make_interval(secs => ${seconds}))`,
  );
}

/** Takes a flow out, once, for the browser that began it and the provider it began with. */
export async function takeFlow(tx: Tx, flow: Omit<ProviderFlow, 'sealed'>): Promise<Buffer | null> {
  const [row] = await selectRows<{ sealed: Buffer }>(
    tx,
    sql`delete from identity.provider_flows
      where state_digest = ${flow.stateDigest} and browser_digest = ${flow.browserDigest}
        and provider = ${flow.provider} and expires_at > platform.now()
      returning sealed`,
  );
  return row?.sealed ?? null;
}

export async function deleteExpiredFlows(tx: Tx): Promise<void> {
  await tx.execute(sql`delete from identity.provider_flows where expires_at < platform.now()`);
}
