// How far a dataset is open, read from sixty-odd spellings of real portals (spec: catalogue 2.6).

export const openLevels = ['unconditional', 'conditional', 'not_open'] as const;
export type OpenLevel = (typeof openLevels)[number];

export interface Openness {
  /** null where the source's words decide nothing: it is never guessed to be open. */
  level: OpenLevel | null;
  isLoginRequired: boolean;
  isApplicationRequired: boolean;
}

const unknown: Openness = { level: null, isLoginRequired: false, isApplicationRequired: false };

/** Type codes of the national code list; only where the label asks for a type, not a condition. */
const typeCodes: Record<string, OpenLevel> = {
  '1': 'unconditional',
  '2': 'conditional',
  '3': 'not_open',
};

const notOpen =
  /不予开放|不予公开|禁止开放|不开放|不宜开放|非开放|^non-public$|^not[ _]open$|^closed$/;
const onlySharing = /共享/;
const application = /申请|审批同意|授权同意/;
const conditional = /有条件|受限|限制开放|^restricted public$|^restricted$|^conditional$/;
const login = /登录|登陆|登入|注册用户/;
const unconditional = /无条件|完全开放|主动开放|^open$|^public$|^unconditional$/;

/** 'type' for 开放属性, 开放类型, 开放等级; 'condition' for 开放条件, where a bare number says nothing. */
export type OpenLabel = 'type' | 'condition';

/**
 * The level a source's words say. Sharing between departments (共享) is not opening, so it decides
 * nothing unless an application is asked for; 登录开放 is unconditional behind a login.
 */
export function readOpenLevel(words: string, label: OpenLabel = 'type'): Openness {
  const text = simplify(words.normalize('NFKC').trim().toLowerCase());
  const code = label === 'type' ? typeCodes[text] : undefined;
  if (code !== undefined) return { ...unknown, level: code };
  if (notOpen.test(text)) return { ...unknown, level: 'not_open' };
  if (application.test(text)) {
    return { ...unknown, level: 'conditional', isApplicationRequired: true };
  }
  if (onlySharing.test(text)) return unknown;
  if (unconditional.test(text)) return { ...unknown, level: 'unconditional' };
  if (conditional.test(text)) return { ...unknown, level: 'conditional' };
  if (login.test(text)) return { ...unknown, level: 'unconditional', isLoginRequired: true };
  return unknown;
}

const traditional: Record<string, string> = {
  開: '开',
  無: '无',
  條: '条',
  請: '请',
  審: '审',
  權: '权',
  錄: '录',
  註: '注',
  冊: '册',
  戶: '户',
  動: '动',
};

function simplify(text: string): string {
  return text.replace(
    /[開無條請審權錄註冊戶動]/g,
    (character) => traditional[character] ?? character,
  );
}
