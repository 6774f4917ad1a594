// Conditional requests (RFC 9110 section 13): acts on a resource the caller has seen as it is now.

/**
 * The ETag an act is held to; undefined when any state will do. Of several tags none is chosen: such
 * a request fails, as if none had matched.
 */
export function ifMatch(header: string | undefined): string | undefined {
  const tag = header?.trim();
  return tag === '*' ? undefined : tag;
}
