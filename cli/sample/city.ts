// The whole invented city from one seed: the personas first, then 2,000 people and 200 companies.
import { addDays } from '../../platform/index.ts';
import * as holdings from './holdings.ts';
import { type InventedPerson, inventCompanyName, inventPerson, inventUscc } from './invented.ts';
import { type Seeded, seeded } from './seeded.ts';

/** Someone who can sign in, with what is issued to them. */
export interface Resident {
  key: string;
  scheme: 'cn-id' | 'uscc';
  value: string;
  name: string;
  holdings: holdings.Holding[];
}

export interface City {
  personas: Resident[];
  others: Resident[];
}

const people = 2000;
const companies = 200;

/** Invents the city as of `today`; only periods that must be running now depend on the day. */
export function inventCity(today: string, labels: ReadonlyMap<string, string>): City {
  const draw = seeded('yunzhu');
  const taken = new Set<string>();
  const personas = inventPersonas(draw, taken, today, labels);
  const others = inventOthers(draw, taken, today, personas.length);
  return { personas, others };
}

function resident(key: string, person: InventedPerson, held: holdings.Holding[]): Resident {
  return { key, scheme: 'cn-id', value: person.citizenId, name: person.name, holdings: held };
}

function inventPersonas(
  draw: Seeded,
  taken: Set<string>,
  today: string,
  labels: ReadonlyMap<string, string>,
): Resident[] {
  let serial = 0;
  const one = (key: string, birthYear: number, gender: '1' | '2'): InventedPerson =>
    inventPerson(draw, serial++, taken, { name: labels.get(key) ?? key, birthYear, gender });
  const newlywed = one('p-newlywed', 1993, '1');
  const spouse = one('p-spouse', 1995, '2');
  const divorced = one('p-divorced', 1985, '2');
  const former = inventPerson(draw, serial++, taken, { birthYear: 1983, gender: '1' });
  const migrant = one('p-migrant', 1990, '1');
  const disabled = one('p-disabled', 1978, '1');
  const elderly = one('p-elder', 1959, '2');
  const founder = one('p-founder', 1988, '2');
  const teacher = one('p-teacher', 1997, '2');
  const abroad = one('p-abroad', 1994, '1');
  const builder = {
    uscc: inventUscc(0),
    name: labels.get('o-builder') ?? 'o-builder',
    representative: founder,
  };
  const h = holdings;
  return [
    resident('p-newlywed', newlywed, [
      h.idCard(newlywed),
      h.hukou(newlywed, newlywed, 'self', 1),
      h.marriage(newlywed, spouse, 1, '2026-05-20'),
      h.socialCard(newlywed, 1),
      h.insured(newlywed, 60, today, builder.uscc),
      h.providentFund(newlywed, 1, 60),
    ]),
    resident('p-spouse', spouse, [
      h.idCard(spouse),
      h.marriage(spouse, newlywed, 2, '2026-05-20'),
      h.socialCard(spouse, 2),
    ]),
    resident('p-divorced', divorced, [
      h.idCard(divorced),
      h.divorce(divorced, former, 1, '2021-03-08'),
      h.property(divorced, 1, 88.5),
    ]),
    resident('p-migrant', migrant, [
      h.idCard(migrant),
      h.residence(migrant, 1, addDays(today, -180)),
      h.insured(migrant, 18, today),
    ]),
    resident('p-disabled', disabled, [
      h.idCard(disabled),
      h.hukou(disabled, disabled, 'self', 2),
      h.disability(disabled, 1),
      h.allowance(disabled, 1, addDays(today, -40)),
    ]),
    resident('p-elder', elderly, [
      h.idCard(elderly),
      h.hukou(elderly, elderly, 'self', 3),
      h.elder(elderly, 1),
      h.socialCard(elderly, 3),
    ]),
    resident('p-founder', founder, [
      h.idCard(founder),
      h.driver(founder, 1),
      h.healthCertificate(founder, 1, addDays(today, -20)),
    ]),
    resident('p-teacher', teacher, [
      h.idCard(teacher),
      h.graduation(teacher, 1, 'bachelor'),
      h.residence(teacher, 2, addDays(today, -90)),
    ]),
    resident('p-abroad', abroad, [h.idCard(abroad), h.hukou(abroad, abroad, 'self', 4)]),
    {
      key: 'o-builder',
      scheme: 'uscc',
      value: builder.uscc,
      name: builder.name,
      holdings: [h.businessLicence(builder), h.landUse(builder), h.planning(builder)],
    },
  ];
}

function inventOthers(
  draw: Seeded,
  taken: Set<string>,
  today: string,
  personaCount: number,
): Resident[] {
  const residents: Resident[] = [];
  const adults: InventedPerson[] = [];
  for (let serial = 100; serial < 100 + people - personaCount; serial += 1) {
    const person = inventPerson(draw, serial, taken);
    const birthYear = Number(person.birthDate.slice(0, 4));
    const held = [holdings.idCard(person)];
    if (draw.chance(0.7)) held.push(holdings.hukou(person, person, 'self', serial));
    else held.push(holdings.residence(person, serial, addDays(today, -draw.between(10, 300))));
    if (birthYear < 2004) held.push(...adultHoldings(draw, person, serial, today));
    if (birthYear <= 1961) held.push(holdings.elder(person, serial));
    if (birthYear < 2000) adults.push(person);
    residents.push(resident(`p-${String(serial).padStart(4, '0')}`, person, held));
  }
  marry(draw, adults, residents);
  residents.push(...inventCompanies(draw, adults));
  return residents;
}

function adultHoldings(draw: Seeded, person: InventedPerson, serial: number, today: string) {
  const held: holdings.Holding[] = [];
  if (draw.chance(0.6)) held.push(holdings.insured(person, draw.between(1, 240), today));
  if (draw.chance(0.25)) held.push(holdings.property(person, serial, draw.between(40, 160)));
  if (draw.chance(0.3)) held.push(holdings.driver(person, serial));
  if (draw.chance(0.2)) held.push(holdings.vehicle(person, serial));
  if (draw.chance(0.2)) held.push(holdings.medicalInsurance(person));
  return held;
}

/** Marries pairs of adults; some of them are divorced again, so that both records exist. */
function marry(draw: Seeded, adults: InventedPerson[], residents: Resident[]): void {
  const byId = new Map(residents.map((one) => [one.value, one]));
  for (let at = 0; at + 1 < adults.length; at += 2) {
    const [a, b] = [adults[at], adults[at + 1]];
    if (!a || !b || !draw.chance(0.55)) continue;
    const isDivorced = draw.chance(0.15);
    const on = `${draw.between(2005, 2025)}-${String(draw.between(1, 12)).padStart(2, '0')}-18`;
    const make = isDivorced ? holdings.divorce : holdings.marriage;
    byId.get(a.citizenId)?.holdings.push(make(a, b, 100 + at, on));
    byId.get(b.citizenId)?.holdings.push(make(b, a, 101 + at, on));
  }
}

function inventCompanies(draw: Seeded, adults: InventedPerson[]): Resident[] {
  return Array.from({ length: companies - 1 }, (_, at): Resident => {
    const serial = at + 1;
    const company = {
      uscc: inventUscc(serial),
      name: inventCompanyName(draw, serial),
      representative: draw.pick(adults),
    };
    const held = [holdings.businessLicence(company)];
    if (draw.chance(0.4)) held.push(holdings.foodPermit(company, serial));
    return {
      key: `o-${String(serial).padStart(4, '0')}`,
      scheme: 'uscc',
      value: company.uscc,
      name: company.name,
      holdings: held,
    };
  });
}
