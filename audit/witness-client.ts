// A witness as the log sees it: asked over HTTP, never waited for long, never believed unverified.
import type { TreeHead } from './checkpoint.ts';
import { type Cosignature, readCosignatures } from './cosignature.ts';
import { type LogEpoch, openOfEpoch } from './life.ts';
import { originHash } from './witness.ts';
import type { PolicyWitness } from './witness-policy.ts';
import { formatWitnessRequest, parseSize, type WitnessRequest } from './witness-request.ts';

/** What came of asking. */
export type WitnessAnswer =
  | { kind: 'signed'; cosignature: Cosignature }
  /** It has recorded another size than we said: this one. */
  | { kind: 'recorded'; size: number }
  | { kind: 'refused'; status: number };

export interface WitnessClient {
  /** Its key's name. */
  readonly name: string;
  /** Asks for a cosignature of a checkpoint's text; throws when nobody answers in time. */
  addCheckpoint(text: string, request: WitnessRequest): Promise<WitnessAnswer>;
  /** The head it signed last, with its note; undefined when it never did. Throws when nobody answers in time. */
  latest(log: LogEpoch): Promise<(TreeHead & { note: string }) | undefined>;
}

const longestAnswer = 65_536;
// Nothing waits for a witness, so a busy one may take its time.
const patienceMs = 3000;

/** The client of a witness with an address. */
export function witnessClient(
  { verifier, url }: PolicyWitness & { url: string },
  timeoutMs = patienceMs,
): WitnessClient {
  const send = async (path: string, body?: string) => {
    const reply = await fetch(`${url}${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await reply.text();
    if (text.length > longestAnswer) throw new Error(`${verifier.name} answers too much.`);
    return { status: reply.status, text };
  };
  return {
    name: verifier.name,
    async addCheckpoint(text, request) {
      const reply = await send('/add-checkpoint', formatWitnessRequest(request));
      if (reply.status === 409) {
        const size = parseSize(reply.text.trimEnd());
        return size === undefined ? { kind: 'refused', status: 409 } : { kind: 'recorded', size };
      }
      if (reply.status !== 200) return { kind: 'refused', status: reply.status };
      const [cosignature] = readCosignatures(text, reply.text, [verifier]);
      return cosignature ? { kind: 'signed', cosignature } : { kind: 'refused', status: 200 };
    },
    async latest(log) {
      const { status, text } = await send(`/${originHash(log.origin)}/checkpoint`);
      if (status === 404) return undefined;
      if (status !== 200) throw new Error(`${verifier.name} answers ${status}.`);
      return { ...openOfEpoch(text, log), note: text };
    },
  };
}
