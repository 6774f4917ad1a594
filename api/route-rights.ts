// Who may enter which route: one row per operation of the OpenAPI document. The table is what doors.ts
// asks before a body is read, and the house does not start while a route lacks its row.
import { exchangeErrors } from '../exchange/index.ts';
import type { Door, Scope } from '../identity/index.ts';

/** The exchange words a missing scope its own way (contract section 4.2). */
const exchangeScope = (...scopes: [Scope, ...Scope[]]): Door => ({
  scopes,
  refuse: exchangeErrors.scope,
});

const acting: Door = { scopes: ['licences:issue'] };
const asking = exchangeScope('verifications:ask');
const answering = exchangeScope('verifications:answer');
const using = exchangeScope('licences:read');
const agreeing = exchangeScope('agreements:manage');
const auditing: Door = { scopes: ['audit:read'] };
const operating: Door = { roles: ['operator'] };

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type Operation = `${Method} /v1/${string}`;

export const ROUTE_RIGHTS = {
  'GET /v1/licence-types': 'anyone',
  'GET /v1/licence-types/{code}': 'anyone',
  'POST /v1/licence-types': { scopes: ['types:manage'] },

  'POST /v1/licences': acting,
  'GET /v1/licences/applications': { roles: ['approver', 'issuer'] },
  'POST /v1/licences/applications/{id}/approve': { roles: ['approver'] },
  'POST /v1/licences/applications/{id}/refuse': { roles: ['approver'] },
  'POST /v1/licences/search': using,
  // Issuer and holder; everyone else is told to state a purpose, and it is logged (registry/read.ts).
  'GET /v1/licences/{number}': 'known',
  'GET /v1/licences/{number}/credential': 'known',
  'GET /v1/licences/{number}/document.pdf': 'known',
  'GET /v1/licences/{number}/history': 'known',
  'POST /v1/licences/{number}/read': using,
  'POST /v1/licences/{number}/renew': acting,
  'POST /v1/licences/{number}/amend': acting,
  'POST /v1/licences/{number}/transfer': acting,
  'POST /v1/licences/{number}/suspend': acting,
  'POST /v1/licences/{number}/resume': acting,
  'POST /v1/licences/{number}/cancel': acting,
  'POST /v1/licences/{number}/rescind': acting,
  'POST /v1/licences/{number}/revoke': acting,

  'GET /v1/verification-services': 'anyone',
  'GET /v1/verification-services/{code}': 'anyone',
  'POST /v1/verification-services': { scopes: ['services:manage'] },
  'POST /v1/verifications': asking,
  'GET /v1/verifications': asking,
  'GET /v1/verifications/{id}': asking,
  'POST /v1/verifications/{id}/cancel': asking,
  'GET /v1/questions': answering,
  'POST /v1/questions/{id}/claim': answering,
  'POST /v1/questions/{id}/answer': answering,
  'POST /v1/questions/{id}/refuse': answering,
  'POST /v1/agreements': agreeing,
  'GET /v1/agreements': exchangeScope('agreements:manage', 'verifications:ask'),
  'GET /v1/agreements/{id}': exchangeScope('agreements:manage', 'verifications:ask'),
  'POST /v1/agreements/{id}/{decision}': agreeing,

  'POST /v1/emergencies': { roles: ['desk'] },
  'GET /v1/emergencies': { roles: ['desk', 'approver'] },
  'POST /v1/emergencies/{id}/read': { roles: ['desk'] },
  'POST /v1/emergencies/{id}/ask': { roles: ['desk'] },
  'POST /v1/emergencies/{id}/review': { roles: ['approver'] },

  'GET /v1/audit/emergencies': auditing,
  'POST /v1/audit/search': auditing,
  'GET /v1/audit/entries/{index}': auditing,
  'GET /v1/audit/entries/{index}/receipt': auditing,
  'GET /v1/audit/integrity': auditing,
  'POST /v1/audit/unmaskings': auditing,
  'GET /v1/audit/unmaskings': auditing,
  'GET /v1/audit/unmaskings/{id}': auditing,
  'POST /v1/audit/unmaskings/{id}/approve': auditing,
  'POST /v1/audit/unmaskings/{id}/refuse': auditing,
  'GET /v1/unmaskings': { roles: ['steward'] },
  'POST /v1/audit/exports': auditing,
  'GET /v1/audit/exports': auditing,
  'GET /v1/audit/exports/{id}': auditing,
  'GET /v1/audit/exports/{id}/file': auditing,
  'POST /v1/audit/exports/{id}/approve': auditing,
  'POST /v1/audit/exports/{id}/refuse': auditing,
  'POST /v1/audit/searches': auditing,
  'GET /v1/audit/searches': auditing,
  'POST /v1/audit/searches/{id}/run': auditing,
  'DELETE /v1/audit/searches/{id}': auditing,
  'GET /v1/audit/alerts': auditing,
  'GET /v1/audit/alerts/{id}': auditing,
  'POST /v1/audit/alerts/{id}/note': auditing,
  'POST /v1/audit/alerts/{id}/close': auditing,
  'GET /v1/audit/watch-list': auditing,
  'POST /v1/audit/watch-list': auditing,
  'DELETE /v1/audit/watch-list/{id}': auditing,
  'GET /v1/audit/rules': auditing,
  'POST /v1/audit/rules': auditing,
  'POST /v1/audit/rules/{rule}/{version}/approve': auditing,
  'POST /v1/audit/rules/{rule}/{version}/refuse': auditing,
  'POST /v1/audit/replays': auditing,
  'GET /v1/audit/replays': auditing,
  'GET /v1/audit/replays/{id}': auditing,

  'GET /v1/clients': operating,
  'GET /v1/clients/changes': operating,
  'GET /v1/clients/changes/{id}': operating,
  'POST /v1/clients/changes': operating,
  'POST /v1/clients/changes/{id}/{decision}': operating,
  'GET /v1/clients/{client}': operating,
  'POST /v1/clients/{client}/hold': operating,
  'GET /v1/passkey-resets': operating,
  'POST /v1/passkey-resets': operating,
  'POST /v1/passkey-resets/{id}/{decision}': operating,
  'GET /v1/relying-parties': operating,
  'GET /v1/relying-parties/{party}': operating,
  'GET /v1/relying-parties/{party}/notices': operating,
  'POST /v1/relying-parties/{party}/hold': operating,
  'POST /v1/relying-parties/{party}/notices/resend': operating,
  'GET /v1/officers': operating,
  'POST /v1/officers': operating,
  'GET /v1/officers/{key}': operating,
  'POST /v1/officers/{key}/leave': operating,
  'GET /v1/role-requests': operating,
  'POST /v1/role-requests': operating,
  'POST /v1/role-requests/{id}/{decision}': operating,

  'GET /v1/erasures': operating,
  'GET /v1/erasures/{id}': operating,
  'POST /v1/erasures': operating,
  'POST /v1/erasures/{id}/approve': operating,
  'POST /v1/erasures/{id}/refuse': operating,
  'GET /v1/legal-holds': operating,
  'POST /v1/legal-holds': operating,
  'POST /v1/legal-holds/{id}/{act}': operating,

  'GET /v1/me': 'known',
  'GET /v1/me/licences': 'citizen',
  'GET /v1/me/access-log': 'citizen',
  'GET /v1/me/access-log/completeness': 'citizen',
  'GET /v1/me/access-log/{index}/receipt': 'citizen',
  'GET /v1/me/consents': 'citizen',
  'POST /v1/me/consents/{id}/{decision}': 'citizen',
  // Whoever has none, as a system, is told so (identity.session_needed).
  'GET /v1/me/sessions': 'known',
  'DELETE /v1/me/sessions': 'known',
  'DELETE /v1/me/sessions/{id}': 'known',
  'GET /v1/me/delegations': 'citizen',
  'POST /v1/me/delegations': 'citizen',
  'POST /v1/me/delegations/{id}/{decision}': 'citizen',
  'POST /v1/me/act-for': 'citizen',
  'GET /v1/me/companies': 'citizen',
  'POST /v1/me/companies/{licence}/delegations': 'citizen',
  'POST /v1/me/companies/{licence}/delegations/{id}/revoke': 'citizen',
  'DELETE /v1/me/act-for': 'citizen',
  'DELETE /v1/session': 'known',
  'GET /v1/session/organisations': 'officer',
  'PUT /v1/session/organisation': 'officer',

  'GET /v1/public/licences/{verificationCode}': 'anyone',
  'POST /v1/public/licences/{verificationCode}/compare': 'anyone',
  'POST /v1/public/verify': 'anyone',
} as const satisfies Readonly<Record<Operation, Door>>;
