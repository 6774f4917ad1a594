// Pieces of request and reply shapes that several routes share (contract section 3).
import { z } from '@hono/zod-openapi';
import type { Json } from '../platform/index.ts';

export const Identifier = z
  .strictObject({
    scheme: z.enum(['cn-id', 'uscc']),
    value: z.string().min(1).max(32),
  })
  .openapi('Identifier', {
    description: 'A citizen ID or a unified social credit code; only ever in a body.',
  });

export const Day = z.iso.date().openapi({ example: '2026-03-04' });

export const LicenceNumber = z.object({ number: z.string().max(160) });

/** Any JSON value; zod's own z.json() is recursive, which the OpenAPI generator can't follow. */
const AnyJson = z
  .custom<Json>((value) => value !== undefined)
  .openapi({
    type: ['null', 'boolean', 'number', 'string', 'array', 'object'],
    items: {},
  });

export const JsonObject = z.record(z.string().max(200), AnyJson);

/** A free text that names no person: the rooms refuse citizen IDs in it. */
export const Purpose = z.string().min(1).max(500);

/** Case and officer references: contract section 3. */
export const Reference = z
  .string()
  .regex(/^[A-Za-z0-9._:/-]{1,64}$/, 'Use 1 to 64 letters, digits and . _ : / -');

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string().optional(),
    instance: z.string(),
    code: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .openapi('Problem', {
    description: 'RFC 9457; `code` is stable and described in docs/problems.md.',
  });

const problemContent = { 'application/problem+json': { schema: Problem } };

/** Refusals of a route besides the common ones, by their status. */
export function refusals<const D extends Record<number, string>>(descriptions: D) {
  const entries = Object.entries(descriptions).map(([status, description]) => [
    status,
    { description, content: problemContent },
  ]);
  // Object.fromEntries forgets the keys; they are those of D by construction.
  return Object.fromEntries(entries) as {
    [S in keyof D]: { description: string; content: typeof problemContent };
  };
}

/** The refusals any authenticated route may give. */
export const commonRefusals = refusals({
  400: 'Not readable',
  401: 'No or wrong token',
  403: 'Not allowed',
  404: 'Not found, or out of scope',
  422: 'Members missing or wrong',
  429: 'Too many requests',
  503: 'The log or a store can not be written now',
});

/** A reply whose shape a room's type gives; the document names and describes it. */
export function shapeOf<T>(name: string, description: string) {
  return z.custom<T>().openapi(name, { type: 'object', description });
}

/** `{ 200: … }` for a JSON reply, with the common refusals beside it. */
export function jsonReply<S extends z.ZodType>(schema: S, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

export function jsonBody<S extends z.ZodType>(schema: S) {
  return { body: { content: { 'application/json': { schema } }, required: true } };
}

export const Paging = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});

/** `{ items, nextCursor }`: nextCursor is null on the last page. */
export function pageOf<S extends z.ZodType>(item: S) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}
