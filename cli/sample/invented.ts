// Names, numbers and addresses of people who do not exist. Area codes 9901xx are assigned to nobody.
import type { Seeded } from './seeded.ts';

const surnames = [
  ...'王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢姜钟谭汪范石贾',
];
const givenFirst = [
  ...'子思雨欣梓一浩明建国志文小晓春秋海天云月永新家嘉俊怡静婷雪安宁宇泽晨博若书语清远',
];
const givenSecond = [
  ...'轩涵怡琪然杰华强军平芳兰英玉伟磊洋勇超霞慧敏丽娜涛鹏辉龙凤鑫悦航睿诗蕾琳萱瑶洁',
];
const districts = ['越华区', '海湾区', '云东区', '南岭区', '江北区'];
const streets = [
  '文明路',
  '榕荫街',
  '珠湖大道',
  '登云路',
  '镇海街',
  '望江路',
  '同福巷',
  '桂花岗路',
  '荔湾里',
  '双塔路',
];
const trades = [
  '食品',
  '科技',
  '商贸',
  '餐饮管理',
  '建材',
  '文化传播',
  '物流',
  '服饰',
  '信息服务',
  '环境工程',
];
const citizenWeights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const usccAlphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';

const two = (value: number): string => String(value).padStart(2, '0');

/** An invented person: who she is, where she lives, and her number by GB 11643. */
export interface InventedPerson {
  citizenId: string;
  name: string;
  gender: '1' | '2';
  birthDate: string;
  district: number;
  address: string;
}

function citizenIdOf(area: string, birthDate: string, sequence: number): string {
  const body = `${area}${birthDate.replaceAll('-', '')}${String(sequence).padStart(3, '0')}`;
  const sum = citizenWeights.reduce((total, weight, at) => total + weight * Number(body[at]), 0);
  return body + '10X98765432'[sum % 11];
}

/**
 * The person number `serial` of the city. Sequence numbers wrap per birthday and area; `taken` keeps
 * numbers unique.
 */
export function inventPerson(
  draw: Seeded,
  serial: number,
  taken: Set<string>,
  given: Partial<{ name: string; birthYear: number; gender: '1' | '2' }> = {},
): InventedPerson {
  const gender = given.gender ?? (draw.chance(0.5) ? '1' : '2');
  const year = given.birthYear ?? draw.between(1942, 2018);
  const birthDate = `${year}-${two(draw.between(1, 12))}-${two(draw.between(1, 28))}`;
  const district = draw.int(districts.length);
  let sequence = ((serial * 2) % 998) + (gender === '1' ? 1 : 2);
  let citizenId = citizenIdOf(`99010${district + 1}`, birthDate, sequence);
  while (taken.has(citizenId)) {
    sequence = (sequence + 2) % 998;
    citizenId = citizenIdOf(`99010${district + 1}`, birthDate, sequence);
  }
  taken.add(citizenId);
  const name =
    given.name ??
    `${draw.pick(surnames)}${draw.pick(givenFirst)}${draw.chance(0.75) ? draw.pick(givenSecond) : ''}`;
  return { citizenId, name, gender, birthDate, district, address: inventAddress(draw, district) };
}

export function districtName(district: number): string {
  return districts[district] ?? '越华区';
}

function inventAddress(draw: Seeded, district: number): string {
  return `云珠市${districtName(district)}${draw.pick(streets)}${draw.between(1, 388)}号${draw.between(1, 30)}栋${draw.between(1, 32)}0${draw.between(1, 8)}房`;
}

/** A unified social credit code by GB 32100 for company number `serial`. */
export function inventUscc(serial: number): string {
  return usccOf(`9199010${1 + (serial % 5)}`, `9${String(serial).padStart(7, '0')}`);
}

/** The code that begins with these eight characters, of the organisation with these eight digits. */
export function usccOf(beginning: string, digits: string): string {
  const body = beginning + organisationCode(digits);
  let weight = 1;
  let sum = 0;
  for (const character of body) {
    sum += usccAlphabet.indexOf(character) * weight;
    weight = (weight * 3) % 31;
  }
  return body + usccAlphabet[(31 - (sum % 31)) % 31];
}

/** GB 11714: eight characters and a MOD 11 check. */
function organisationCode(body: string): string {
  const weights = [3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((total, weight, at) => total + weight * Number(body[at]), 0);
  const check = 11 - (sum % 11);
  return body + (check === 10 ? 'X' : check === 11 ? '0' : String(check));
}

export function inventCompanyName(draw: Seeded, serial: number): string {
  return `云珠${draw.pick(givenFirst)}${draw.pick(givenSecond)}${draw.pick(trades)}${serial}号有限公司`;
}
