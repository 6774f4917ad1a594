// A department's system at the door: a DPoP-bound access token and the proof that it is being used by
// the one it was given to (RFC 9449 section 7, FAPI 2.0).
import { createHash, type KeyObject } from 'node:crypto';
import type { AppError, Clock, Database, Ids } from '../platform/index.ts';
import { createTokenCheck, TokenFault } from './access-token.ts';
import { type Actor, isScope } from './actor.ts';
import { AHEAD_SECONDS, createProofCheck, PAST_SECONDS, ProofFault } from './dpop-proof.ts';
import { identityErrors } from './errors.ts';
import { useProof } from './store-clients.ts';

/** The parts of a request that say who is asking. */
export interface PresentedRequest {
  authorization: string | undefined;
  dpop: string | undefined;
  method: string;
  /** The URL asked for, under PUBLIC_URL; query and fragment don't count. */
  url: string;
  requestId?: string | undefined;
  traceparent?: string | undefined;
  /** The officer a client names as the one it acts for. */
  onBehalfOf?: string | undefined;
}

const ALGORITHMS = 'algs="ES256"';

/** Binds the check to one house. */
export function createAuthenticate(deps: {
  database: Database;
  clock: Clock;
  ids: Ids;
  publicUrl: string;
  publicUrlAliases: readonly string[];
  tokenKey: KeyObject;
}) {
  const { database, clock, ids, publicUrl, publicUrlAliases } = deps;
  const checkToken = createTokenCheck({ issuer: publicUrl, privateKey: deps.tokenKey });
  const checkProof = createProofCheck();

  function urlForms(url: string): string[] {
    if (!url.startsWith(publicUrl)) return [url];
    const rest = url.slice(publicUrl.length);
    return [url, ...publicUrlAliases.map((alias) => `${alias}${rest}`)];
  }

  /**
   * The client behind a request; refuses with 401 and the WWW-Authenticate of RFC 9449. The scopes are
   * those of the token that the client still has. The proof is used up by the call.
   */
  return async function authenticateRequest(request: PresentedRequest): Promise<Actor> {
    const token = bearerOf(request.authorization);
    if (request.dpop === undefined) {
      throw proofRefusal('a DPoP header is missing');
    }
    const now = clock.now();
    try {
      const claims = checkToken(token, now);
      const proof = checkProof(request.dpop, {
        method: request.method,
        urls: urlForms(request.url),
        accessToken: token,
        now,
      });
      if (proof.thumbprint !== claims.cnf.jkt) {
        throw tokenRefusal('the token is bound to another key');
      }
      const client = await useProof(database.db, {
        clientId: claims.client_id,
        digest: createHash('sha256').update(`${proof.thumbprint}|${proof.jti}`).digest(),
        issuedAt: proof.issuedAt,
        // Longer than it can be used, by as much as the database's clock may be ahead.
        expiresAt: new Date(proof.issuedAt.getTime() + (PAST_SECONDS + AHEAD_SECONDS) * 1000),
      });
      if (client?.state !== 'active') throw tokenRefusal('the client is unknown or suspended');
      if (!client.isFirstUse) throw proofRefusal('the proof has been used before');
      if (!client.isAfterEpoch) throw proofRefusal('the proof is older than the memory of proofs');
      const granted = (claims.scope ?? '').split(' ').filter(isScope);
      return {
        kind: 'client',
        requestId: request.requestId ?? ids.uuid(),
        traceparent: request.traceparent,
        organisationId: client.organisationId,
        clientId: claims.client_id,
        roles: [],
        scopes: granted.filter((scope) => client.scopes.includes(scope)),
        onBehalfOf: request.onBehalfOf,
      };
    } catch (error) {
      if (error instanceof TokenFault) throw tokenRefusal(error.message);
      if (error instanceof ProofFault) throw proofRefusal(error.message);
      throw error;
    }
  };
}

function bearerOf(authorization: string | undefined): string {
  if (authorization === undefined || authorization === '') {
    // RFC 6750 section 3.1: who presents nothing is told no error.
    throw identityErrors.unauthenticated('Send an access token bound to your key (DPoP).', {
      headers: { 'WWW-Authenticate': `DPoP ${ALGORITHMS}` },
    });
  }
  const [, scheme, token] = /^([A-Za-z]+) +([A-Za-z0-9._~+/-]+=*)$/.exec(authorization) ?? [];
  if (scheme?.toLowerCase() !== 'dpop' || token === undefined) {
    throw tokenRefusal('use the DPoP scheme: tokens here are bound to a key');
  }
  return token;
}

function tokenRefusal(reason: string): AppError {
  return identityErrors.token_invalid(`The access token was refused: ${reason}.`, {
    headers: { 'WWW-Authenticate': challenge('invalid_token', reason) },
  });
}

function proofRefusal(reason: string): AppError {
  return identityErrors.proof_invalid(`The DPoP proof was refused: ${reason}.`, {
    headers: { 'WWW-Authenticate': challenge('invalid_dpop_proof', reason) },
  });
}

// The reasons are our own words, free of quotes and of what the caller sent.
function challenge(error: string, reason: string): string {
  return `DPoP error="${error}", error_description="${reason}", ${ALGORITHMS}`;
}
