// What the invented people hold: for each licence type, fields that its schema accepts.
import type { JsonObject } from '../../platform/index.ts';
import { districtName, type InventedPerson } from './invented.ts';

/** One licence to be issued, as `registry.issueMany` takes it. */
export interface Holding {
  type: string;
  holder: { scheme: 'cn-id' | 'uscc'; value: string; name: string };
  fields: JsonObject;
  validFrom?: string;
  validTo?: string;
  purpose?: string;
}

function forPerson(
  type: string,
  person: InventedPerson,
  fields: JsonObject,
  more: Partial<Holding> = {},
): Holding {
  return {
    type,
    holder: { scheme: 'cn-id', value: person.citizenId, name: person.name },
    fields,
    ...more,
  };
}

/** A document number that is unique per type and person, without telling who she is. */
const serialText = (prefix: string, serial: number): string =>
  `${prefix}${String(serial).padStart(8, '0')}`;

export const idCard = (p: InventedPerson): Holding =>
  forPerson('LT-IDCARD', p, {
    gender: p.gender,
    ethnicity: '01',
    birth_date: p.birthDate,
    address: p.address,
    signing_authority: `云珠市公安局${districtName(p.district)}分局`,
  });

export const hukou = (
  p: InventedPerson,
  householder: InventedPerson,
  relation: string,
  household: number,
): Holding =>
  forPerson('LT-HUKOU', p, {
    household_no: serialText('H', household),
    household_kind: 'family',
    householder_name: householder.name,
    relation_to_householder: relation,
    registered_address: householder.address,
    native_place: '云珠市',
  });

export const marriage = (
  p: InventedPerson,
  spouse: InventedPerson,
  serial: number,
  on: string,
): Holding =>
  forPerson('LT-MARRIAGE', p, {
    certificate_no: serialText('J990101-', serial),
    spouse_name: spouse.name,
    spouse_id: spouse.citizenId,
    registered_on: on,
    registry: `云珠市${districtName(p.district)}民政局婚姻登记处`,
  });

export const divorce = (
  p: InventedPerson,
  former: InventedPerson,
  serial: number,
  on: string,
): Holding =>
  forPerson('LT-DIVORCE', p, {
    certificate_no: serialText('L990101-', serial),
    former_spouse_name: former.name,
    former_spouse_id: former.citizenId,
    registered_on: on,
    registry: `云珠市${districtName(p.district)}民政局婚姻登记处`,
  });

export const property = (p: InventedPerson, serial: number, area: number): Holding =>
  forPerson('LT-PROPERTY', p, {
    certificate_no: serialText('粤(2020)云珠市不动产权第', serial),
    unit_no: serialText('990101001001GB', serial),
    location: p.address,
    share_form: 'sole',
    use: 'residential',
    area_m2: area,
    restricted: false,
  });

export const socialCard = (p: InventedPerson, serial: number): Holding =>
  forPerson('LT-SSCARD', p, {
    card_no: serialText('6217990', serial),
    bank_name: '云珠银行',
    card_status: 'active',
    apps: ['social_security', 'medical_insurance'],
  });

export const insured = (
  p: InventedPerson,
  months: number,
  today: string,
  employer?: string,
): Holding =>
  forPerson('LT-INSURED', p, {
    period_from: '2015-01-01',
    period_to: today,
    pension_months: months,
    unemployment_months: months,
    injury_insured: months > 0,
    ...(employer ? { employer_uscc: employer } : {}),
  });

export const medicalInsurance = (p: InventedPerson): Holding =>
  forPerson('LT-MEDINS', p, { insured_kind: 'employee', status: 'active', region_code: '990100' });

export const providentFund = (p: InventedPerson, serial: number, months: number): Holding =>
  forPerson('LT-HPF', p, { account_no: serialText('1990', serial), months_paid: months });

export const residence = (p: InventedPerson, serial: number, validFrom: string): Holding =>
  forPerson(
    'LT-RESIDENCE',
    p,
    {
      permit_no: serialText('R9901', serial),
      current_address: p.address,
      registered_address: '外市户籍地址',
      basis: 'employment',
    },
    { validFrom },
  );

export const disability = (p: InventedPerson, serial: number): Holding =>
  forPerson('LT-DISABILITY', p, {
    certificate_no: serialText('D', serial),
    category: '4',
    grade: '2',
  });

export const allowance = (p: InventedPerson, serial: number, approvedOn: string): Holding =>
  forPerson('LT-DIBAO', p, {
    certificate_no: serialText('DB', serial),
    household_size: 2,
    monthly_amount: 1120,
    approved_on: approvedOn,
  });

export const elder = (p: InventedPerson, serial: number): Holding =>
  forPerson('LT-ELDER', p, { card_no: serialText('E', serial), tier: '65plus', free_ride: true });

export const driver = (p: InventedPerson, serial: number): Holding =>
  forPerson('LT-DRIVER', p, {
    file_no: serialText('9901', serial),
    classes: ['C1'],
    first_issued_on: '2014-06-11',
    points: 0,
  });

export const healthCertificate = (p: InventedPerson, serial: number, examinedOn: string): Holding =>
  forPerson('LT-HEALTHCERT', p, {
    certificate_no: serialText('JK', serial),
    trade: 'food',
    examined_on: examinedOn,
    facility: '云珠市疾病预防控制中心',
  });

export const graduation = (p: InventedPerson, serial: number, level: string): Holding =>
  forPerson('LT-GRADUATION', p, {
    certificate_no: serialText('BY', serial),
    level,
    school: '云珠师范学院',
    graduated_on: '2019-06-30',
  });

export const vehicle = (p: InventedPerson, serial: number): Holding =>
  forPerson('LT-VEHICLE', p, {
    plate_no: serialText('云A', serial),
    vehicle_type: '小型轿车',
    vin: serialText('LYZ990100', serial),
    use_kind: 'private',
  });

/** A company with its number, name and legal representative. */
export interface InventedCompany {
  uscc: string;
  name: string;
  representative: InventedPerson;
}

function forCompany(type: string, company: InventedCompany, fields: JsonObject): Holding {
  return { type, holder: { scheme: 'uscc', value: company.uscc, name: company.name }, fields };
}

export const businessLicence = (c: InventedCompany): Holding =>
  forCompany('LT-BIZLIC', c, {
    entity_type: 'company',
    legal_rep_name: c.representative.name,
    legal_rep_id: c.representative.citizenId,
    registered_capital: 100,
    established_on: '2018-05-20',
    address: c.representative.address,
    scope: '法律法规许可范围内的经营活动',
    registration_status: 'active',
  });

export const foodPermit = (c: InventedCompany, serial: number): Holding =>
  forCompany('LT-FOODBIZ', c, {
    permit_no: serialText('JY19901', serial),
    premises: c.representative.address,
    main_business: 'caterer',
    items: ['热食类食品制售'],
    grade: 'A',
  });

const project = '2026-990101-47-01-000001';

export const landUse = (c: InventedCompany): Holding =>
  forCompany('LT-LANDUSE', c, {
    permit_no: '地字第990101202600001号',
    project_code: project,
    land_location: '云珠市越华区珠湖大道以东',
    land_area_m2: 12800,
    land_use: '商业用地',
  });

export const planning = (c: InventedCompany): Holding =>
  forCompany('LT-PLANNING', c, {
    permit_no: '建字第990101202600001号',
    project_code: project,
    project_name: '珠湖示例中心',
    site: '云珠市越华区珠湖大道以东',
    floor_area_m2: 38600,
  });
