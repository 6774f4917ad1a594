// The tree below the city's departments: offices of districts, streets and communities, and who works
// there. In code and not in the city's file, whose departments are the ones that issue and provide.
import type { OrganisationInput, Reach, Role } from '../../identity/index.ts';
import { usccOf } from './invented.ts';

type Level = 'district' | 'street' | 'community';
type OfficeRow = [id: string, above: string, level: Level, zh: string, en: string];

// Each after the one above it.
const offices: OfficeRow[] = [
  ['civil-yuehua', 'civil', 'district', '越华区民政局', 'Yuehua District Civil Affairs Bureau'],
  ['civil-haiwan', 'civil', 'district', '海湾区民政局', 'Haiwan District Civil Affairs Bureau'],
  [
    'civil-wenming',
    'civil-yuehua',
    'street',
    '文明路街道民政办',
    'Wenming Street Civil Affairs Office',
  ],
  [
    'civil-rongyin',
    'civil-yuehua',
    'street',
    '榕荫街道民政办',
    'Rongyin Street Civil Affairs Office',
  ],
  [
    'civil-zhenhai',
    'civil-haiwan',
    'street',
    '镇海街道民政办',
    'Zhenhai Street Civil Affairs Office',
  ],
  [
    'civil-tongfu',
    'civil-wenming',
    'community',
    '同福社区服务站',
    'Tongfu Community Service Point',
  ],
  [
    'civil-shuangta',
    'civil-wenming',
    'community',
    '双塔社区服务站',
    'Shuangta Community Service Point',
  ],
  ['civil-lili', 'civil-rongyin', 'community', '荔里社区服务站', 'Lili Community Service Point'],
  [
    'civil-wangjiang',
    'civil-zhenhai',
    'community',
    '望江社区服务站',
    'Wangjiang Community Service Point',
  ],
  ['housing-yuehua', 'housing', 'district', '越华区住房保障局', 'Yuehua District Housing Bureau'],
  [
    'housing-dengyun',
    'housing-yuehua',
    'street',
    '登云街道住房保障办',
    'Dengyun Street Housing Office',
  ],
];

/** What the offices ask, as their departments do: no larger a window than they need. */
export const OFFICE_SERVICES = ['VS-HUKOU', 'VS-DISABILITY'];

/** The offices as organisations, each after the one above it. */
export const sampleOffices: readonly (OrganisationInput & { parentId: string })[] = offices.map(
  ([id, parentId, level, nameZh, nameEn], at) => ({
    id,
    parentId,
    level,
    nameZh,
    nameEn,
    shortZh: nameZh,
    // 11: organs of state, 12: institutions. Area codes 9901xx are assigned to nobody.
    uscc: usccOf(
      `${level === 'community' ? 12 : 11}990100`,
      `0099${String(2001 + at).padStart(4, '0')}`,
    ),
    kind: level === 'community' ? 'institution' : 'bureau',
    roles: ['requester'],
  }),
);

/** A window clerk, an approver and a steward in each office. */
export const OFFICE_ROLES = ['desk', 'approver', 'steward'] as const satisfies Role[];

const above = new Set(offices.map(([, parentId]) => parentId));

/**
 * How far a role reaches at an organisation of the sample: a steward's to the offices below hers, of a
 * department as of an office; everyone else's to where she sits.
 */
export function reachOf(organisation: string, role: Role): Reach {
  return role === 'steward' && above.has(organisation) ? 'below' : 'own';
}
