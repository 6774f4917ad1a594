// The rules that come with the house (docs/adr/0020-vigilance.md). Each is version 1; a city changes one
// by publishing its next version. What is here never changes: its hash is in the log.
import type { VigilanceRule } from './vigilance-rule.ts';

type Shipped = Omit<VigilanceRule, 'version' | 'isOn'>;

const rules: Shipped[] = [
  {
    id: 'watch-list',
    expression: 'look.isListed',
    params: {},
    group: 'actor',
    severity: 'high',
    deadlineDays: 3,
    titleZh: '查看了关注名单上的人',
    titleEn: 'A look at someone on the watch list',
    textZh:
      '被查看的人在关注名单上（公众人物、同事、领导等）。名单只保存盲索引，不保存姓名和号码。',
    textEn:
      'The person looked at is on the watch list: a public figure, a colleague, a minister. The list holds blind indexes, no names.',
  },
  {
    id: 'self',
    expression: 'look.isSelf',
    params: {},
    group: 'actor',
    severity: 'high',
    deadlineDays: 3,
    titleZh: '查看了自己的信息',
    titleEn: 'An officer looked at herself',
    textZh: '经办人以部门身份查看了本人的信息。本人信息应在“我的”中查看。',
    textEn: 'An officer looked at her own data as a department. One’s own data is at /me.',
  },
  {
    id: 'same-household',
    expression: 'look.sameHousehold',
    params: {},
    group: 'actor',
    severity: 'high',
    deadlineDays: 3,
    titleZh: '查看了同户家人的信息',
    titleEn: 'A look at someone of the officer’s own household',
    textZh: '被查看的人与经办人在同一户口簿上。比对的是盲标记，不读取姓名和住址。',
    textEn:
      'The person looked at is in the officer’s own household register. Digests are compared, never names or addresses.',
  },
  {
    id: 'same-surname',
    expression: 'look.sameSurname && look.isCaseless',
    params: {},
    group: 'actor',
    severity: 'low',
    deadlineDays: 14,
    titleZh: '无案件查看了同姓的人',
    titleEn: 'A look without a case at someone with the officer’s family name',
    textZh: '被查看的人与经办人同姓，且没有对应的案件编号。可能是亲属，也可能只是同姓。',
    textEn:
      'Same family name as the officer, and no case to go with it. It may be a relative, or a namesake.',
  },
  {
    id: 'no-case',
    expression: 'look.isOfficer && look.isCaseless && actor.caseless24 > params.most',
    params: { most: 20 },
    group: 'actor',
    severity: 'high',
    deadlineDays: 5,
    titleZh: '一天内多次无案件查看',
    titleEn: 'Many looks without a case in a day',
    textZh: '二十四小时内，同一经办人多次查看个人信息而没有案件编号，或一个案件编号用于十人以上。',
    textEn:
      'Within 24 hours one officer looked at people many times without a case, or with a case that stands for more than ten people.',
  },
  {
    id: 'first-contact-off-hours',
    expression:
      'look.isOfficer && look.isFirstPair && look.isOffHours && actor.offHours24 > params.most && !(look.department in ["police", "health"])',
    params: { most: 2 },
    group: 'actor',
    severity: 'medium',
    deadlineDays: 7,
    titleZh: '非工作时间首次查看陌生人',
    titleEn: 'Off hours, at people the department never looked at before',
    textZh: '夜间、周末或节假日，经办人查看了本部门从未查看过的人。全天值守的部门除外。',
    textEn:
      'At night, at a weekend or on a holiday, an officer looked at people her department had never looked at. Departments on duty around the clock are left out.',
  },
  {
    id: 'off-hours-bulk',
    expression:
      'look.isOfficer && look.isOffHours && actor.offHours24 > params.most && !(look.department in ["police", "health"])',
    params: { most: 15 },
    group: 'actor',
    severity: 'high',
    deadlineDays: 5,
    titleZh: '非工作时间大量查看',
    titleEn: 'Many looks off hours',
    textZh: '夜间、周末或节假日，同一经办人大量查看个人信息。',
    textEn: 'At night, at a weekend or on a holiday, one officer looked at many people.',
  },
  {
    id: 'rate-own',
    expression:
      'look.isOfficer && actor.activeDays >= params.days && actor.today > params.floor && double(actor.today) > double(params.times) * actor.median30',
    params: { days: 5, floor: 20, times: 5 },
    group: 'actor',
    severity: 'medium',
    deadlineDays: 7,
    titleZh: '查看次数远超本人平日',
    titleEn: 'Far more looks than the officer’s own days',
    textZh: '当天查看次数超过本人近三十天中位数的五倍。',
    textEn: 'More than five times the median of the officer’s own last 30 days.',
  },
  {
    id: 'rate-peers',
    expression:
      'look.isOfficer && actor.peerP99 > 0.0 && actor.today > params.floor && double(actor.today) > 1.5 * actor.peerP99',
    params: { floor: 30 },
    group: 'actor',
    severity: 'medium',
    deadlineDays: 7,
    titleZh: '查看次数远超同事',
    titleEn: 'Far more looks than colleagues make',
    textZh: '当天查看次数超过本部门同事近三十天第九十九百分位的一倍半。',
    textEn:
      'More than one and a half times the 99th percentile of the days of the department’s officers in the last 30 days.',
  },
  {
    id: 'fan-in',
    expression: 'look.isOfficer && subject.officers24 >= params.officers',
    params: { officers: 6 },
    group: 'subject',
    severity: 'medium',
    deadlineDays: 7,
    titleZh: '多名经办人一天内查看同一人',
    titleEn: 'Many officers looked at one person in a day',
    textZh: '二十四小时内，六名以上经办人查看了同一个人。',
    textEn: 'Six or more officers looked at the same person within 24 hours.',
  },
  {
    id: 'id-probing',
    expression: 'look.isOfficer && actor.neighbours24 >= params.neighbours',
    params: { neighbours: 4 },
    group: 'actor',
    severity: 'high',
    deadlineDays: 5,
    titleZh: '连号试探',
    titleEn: 'Numbers tried one after the other',
    textZh: '二十四小时内，同一经办人查看了多名地区与出生日期相同的人，像是在逐个试号码。',
    textEn:
      'Within 24 hours one officer looked at several people whose numbers share area and birth day, as when numbers are tried in a row.',
  },
  {
    id: 'purpose-verbatim',
    expression:
      'look.isOfficer && !look.isPurposeShared && look.purposeLooks24 > params.most && actor.people24 > params.most',
    params: { most: 15 },
    group: 'actor',
    severity: 'low',
    deadlineDays: 14,
    titleZh: '反复使用只有本人使用的事由',
    titleEn: 'One’s own purpose text, used word for word again and again',
    textZh: '经办人对许多人使用一字不差的事由，而本部门其他人从未用过。比对的是盲标记。',
    textEn:
      'The same words as purpose for many people, which nobody else in the department has used. Digests are compared.',
  },
  {
    id: 'auditor-searches',
    expression: 'look.type == "audit.searched" && look.hasSubject && actor.people24 > params.most',
    params: { most: 10 },
    group: 'actor',
    severity: 'medium',
    deadlineDays: 7,
    titleZh: '审计人员检索了许多人',
    titleEn: 'An auditor searched for many people',
    textZh: '二十四小时内，一名审计人员按人检索超过十人。审计人员自己的查看同样受监督。',
    textEn:
      'Within 24 hours an auditor searched for more than ten people. Whoever watches is watched too.',
  },
];

export const SHIPPED_RULES: readonly VigilanceRule[] = rules.map((rule) => ({
  ...rule,
  version: 1,
  isOn: true,
}));
