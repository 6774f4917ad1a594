// A department's system at the door: an access token, and that it is used by the one it was given to:
// by a proof (RFC 9449 section 7) or by the certificate of the connection (RFC 8705 section 3).
import { createHash, type KeyObject } from 'node:crypto';
import type { AppError, Clock, Database, Ids } from '../platform/index.ts';
import { createTokenCheck, TokenFault } from './access-token.ts';
import { type Actor, isScope } from './actor.ts';
import { createProofCheck, ProofFault, proofDigest } from './dpop-proof.ts';
import { identityErrors } from './errors.ts';
import { type ClientRights, findClientRights } from './store-clients.ts';
import { useProof } from './store-proofs.ts';

/** The parts of a request that say who is asking. */
export interface PresentedRequest {
  authorization: string | undefined;
  dpop: string | undefined;
  /** DER of the certificate the client authenticated its TLS connection with, if it did. */
  certificate?: Buffer | undefined;
  method: string;
  /** The URL asked for, under PUBLIC_URL; query and fragment don't count. */
  url: string;
  requestId?: string | undefined;
  traceparent?: string | undefined;
  /** The officer a client names as the one it acts for. */
  onBehalfOf?: string | undefined;
}

type Scheme = 'dpop' | 'bearer';

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

  /** Uses the proof up; one round trip with the look at the client. */
  async function byProof(
    request: PresentedRequest & { dpop: string },
    accessToken: string,
    { clientId, jkt }: { clientId: string; jkt: string },
    now: Date,
  ): Promise<ClientRights> {
    const proof = checkProof(request.dpop, {
      method: request.method,
      urls: urlForms(request.url),
      accessToken,
      now,
    });
    if (proof.thumbprint !== jkt) throw tokenRefusal('the token is bound to another key');
    const client = await useProof(database.db, {
      clientId,
      digest: proofDigest(proof),
      issuedAt: proof.issuedAt,
    });
    if (client?.state !== 'active') throw tokenRefusal('the client is unknown or suspended');
    if (!client.isFirstUse) throw proofRefusal('the proof has been used before');
    if (!client.isAfterEpoch) throw proofRefusal('the proof is older than the memory of proofs');
    return client;
  }

  async function byCertificate(
    certificate: Buffer | undefined,
    { clientId, thumbprint }: { clientId: string; thumbprint: string },
  ): Promise<ClientRights> {
    if (certificate === undefined) {
      throw tokenRefusal('the token is bound to a certificate and none was presented', 'bearer');
    }
    if (createHash('sha256').update(certificate).digest('base64url') !== thumbprint) {
      throw tokenRefusal('the token is bound to another certificate', 'bearer');
    }
    const client = await findClientRights(database.db, clientId);
    if (client?.state !== 'active') {
      throw tokenRefusal('the client is unknown or suspended', 'bearer');
    }
    return client;
  }

  /**
   * The client behind a request; refuses with 401 and the WWW-Authenticate of RFC 9449 or RFC 6750.
   * The scopes are those of the token that the client still has. A proof is used up by the call.
   */
  return async function authenticateRequest(request: PresentedRequest): Promise<Actor> {
    const { scheme, token } = presentedToken(request.authorization);
    const { dpop, certificate } = request;
    if (scheme === 'dpop' && dpop === undefined) throw proofRefusal('a DPoP header is missing');
    const now = clock.now();
    try {
      const claims = checkToken(token, now);
      const clientId = claims.client_id;
      let client: ClientRights;
      if ('jkt' in claims.cnf) {
        // RFC 9449 section 7.2: a bound token is no bearer token.
        if (dpop === undefined || scheme === 'bearer') {
          throw tokenRefusal('the token is bound to a key: use the DPoP scheme');
        }
        client = await byProof({ ...request, dpop }, token, { clientId, jkt: claims.cnf.jkt }, now);
      } else {
        if (scheme === 'dpop') {
          throw tokenRefusal(
            'the token is bound to a certificate: use the Bearer scheme',
            'bearer',
          );
        }
        const thumbprint = claims.cnf['x5t#S256'];
        client = await byCertificate(certificate, { clientId, thumbprint });
      }
      if (claims.stops !== client.stops) {
        throw tokenRefusal(
          'the client was stopped since this token was made; get a new one',
          scheme,
        );
      }
      const granted = (claims.scope ?? '').split(' ').filter(isScope);
      return {
        kind: 'client',
        requestId: request.requestId ?? ids.uuid(),
        traceparent: request.traceparent,
        organisationId: client.organisationId,
        clientId,
        roles: [],
        scopes: granted.filter((scope) => client.scopes.includes(scope)),
        onBehalfOf: request.onBehalfOf,
      };
    } catch (error) {
      if (error instanceof TokenFault) throw tokenRefusal(error.message, scheme);
      if (error instanceof ProofFault) throw proofRefusal(error.message);
      throw error;
    }
  };
}

function presentedToken(authorization: string | undefined): { scheme: Scheme; token: string } {
  if (authorization === undefined || authorization === '') {
    // RFC 6750 section 3.1: who presents nothing is told no error.
    throw identityErrors.unauthenticated('Send an access token bound to your key (DPoP).', {
      headers: { 'WWW-Authenticate': `DPoP ${ALGORITHMS}` },
    });
  }
  const [, word, token] = /^([A-Za-z]+) +([A-Za-z0-9._~+/-]+=*)$/.exec(authorization) ?? [];
  const scheme = word?.toLowerCase();
  if ((scheme !== 'dpop' && scheme !== 'bearer') || token === undefined) {
    throw tokenRefusal('use the DPoP scheme: tokens here are bound to a key');
  }
  return { scheme, token };
}

function tokenRefusal(reason: string, scheme: Scheme = 'dpop'): AppError {
  const challenge =
    scheme === 'dpop'
      ? dpopChallenge('invalid_token', reason)
      : `Bearer error="invalid_token", error_description="${reason}"`;
  return identityErrors.token_invalid(`The access token was refused: ${reason}.`, {
    headers: { 'WWW-Authenticate': challenge },
  });
}

function proofRefusal(reason: string): AppError {
  return identityErrors.proof_invalid(`The DPoP proof was refused: ${reason}.`, {
    headers: { 'WWW-Authenticate': dpopChallenge('invalid_dpop_proof', reason) },
  });
}

// The reasons are our own words, free of quotes and of what the caller sent.
function dpopChallenge(error: string, reason: string): string {
  return `DPoP error="${error}", error_description="${reason}", ${ALGORITHMS}`;
}
