// Tells "no such path" (404) from "not with this method" (405 with Allow).

interface RouteLike {
  method: string;
  path: string;
}

/** Hono's path pattern as a regular expression: literal text, `:name` and `:name{regex}`. */
function patternOf(path: string): RegExp {
  const source = path.replace(
    /:[A-Za-z]+(?:\{([^}]+)\})?|[.*+?^${}()|[\]\\]/g,
    (part, inner: string | undefined) => {
      if (!part.startsWith(':')) return `\\${part}`;
      return inner === undefined ? '[^/]+' : `(?:${inner})`;
    },
  );
  return new RegExp(`^${source}$`);
}

/** Gives a function path → methods that some route answers there; empty when the path is unknown. */
export function allowedMethods(routes: readonly RouteLike[]): (path: string) => string[] {
  const patterns = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  for (const { method, path } of routes) {
    if (method === 'ALL' || path.includes('*')) continue;
    const known = patterns.get(path) ?? { pattern: patternOf(path), methods: new Set<string>() };
    known.methods.add(method);
    if (method === 'GET') known.methods.add('HEAD');
    patterns.set(path, known);
  }
  return (path) => {
    const methods = new Set<string>();
    for (const { pattern, methods: found } of patterns.values()) {
      if (pattern.test(path)) for (const method of found) methods.add(method);
    }
    return [...methods].sort();
  };
}
