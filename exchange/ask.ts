// Asking: accept, then answer at once or wake a worker, then wait as long as the caller does.
import { setTimeout as pause } from 'node:timers/promises';
import { type Actor, rowScopeOf } from '../identity/index.ts';
import type { AcceptOptions, createAccept } from './accept.ts';
import type { ExchangeDeps } from './deps.ts';
import { type AskInput, readAskInput } from './request.ts';
import { findState } from './request-store.ts';
import type { Showing, Verification } from './show.ts';
import { isFinal } from './verification.ts';
import type { WakeUps } from './wake-ups.ts';

export interface AskOptions {
  /** How long the caller waits for the end, at most 30. */
  waitSeconds?: number;
  /** How the request was proven; default: by the kind of actor. */
  evidence?: 'rfc9421' | 'dpop' | 'session';
  /** The caller's Idempotency-Key: a retry after a crash finds the question it stored. */
  idempotencyKey?: string | undefined;
}

const MAX_WAIT_SECONDS = 30;
const FIRST_LOOK_MS = 20;
const SLOWEST_LOOK_MS = 500;

/** Binds asking to the parts that do it. */
export function createAsk(
  { database }: Pick<ExchangeDeps, 'database'>,
  parts: {
    accept: ReturnType<typeof createAccept>;
    showing: Showing;
    wakeUps: WakeUps;
  },
) {
  const { accept, showing, wakeUps } = parts;

  /** Looks at the state, ever less often, until the end or for as long as the caller waits. */
  async function waitForEnd(actor: Actor, id: string, seconds: number): Promise<void> {
    const scoped = database.as(rowScopeOf(actor));
    let lookMs = FIRST_LOOK_MS;
    for (let leftMs = seconds * 1000; leftMs > 0; leftMs -= lookMs) {
      const state = await scoped.transaction((tx) => findState(tx, id));
      if (state === undefined || isFinal(state)) return;
      lookMs = Math.min(SLOWEST_LOOK_MS, lookMs * 1.5, leftMs);
      await pause(lookMs);
    }
  }

  async function put(
    actor: Actor,
    input: AskInput,
    options: Omit<AcceptOptions, 'isAwaited'> & { waitSeconds: number },
  ): Promise<Verification> {
    const waitSeconds = Math.min(options.waitSeconds, MAX_WAIT_SECONDS);
    const asked = await accept(actor, input, { ...options, isAwaited: waitSeconds > 0 });
    if (asked.needsWaking) await wakeUps.dispatch(asked.id, 1);
    if (!asked.ended) await waitForEnd(actor, asked.id, waitSeconds);
    return showing.deliver(actor, asked);
  }

  return {
    /** Asks what has been read already; for acts that ask in an emergency. */
    put,

    /**
     * Asks a question. Resolves with its final state when it ended within the wait, else with how it
     * stands. Every refusal is logged; once accepted it ends exactly once, whatever happens here.
     */
    async ask(actor: Actor, written: unknown, options: AskOptions = {}): Promise<Verification> {
      return put(actor, readAskInput(written), {
        evidence: options.evidence ?? (actor.kind === 'client' ? 'dpop' : 'session'),
        idempotencyKey: options.idempotencyKey,
        waitSeconds: options.waitSeconds ?? 0,
      });
    },
  };
}
