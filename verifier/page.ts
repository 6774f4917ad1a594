// The verifier as a page that is saved and opened from a disk: reads what is typed or chosen, shows the
// verdict. Bundled with index.ts into /verifier.html; the page's own policy forbids it any network.
import { type Facts, type Verdict, verify } from './index.ts';

function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`The page has no ${id}.`);
  return found;
}

const form = byId('form', HTMLFormElement);
const result = byId('result', HTMLElement);

for (const input of document.querySelectorAll<HTMLInputElement>('input[type=file]')) {
  input.addEventListener('change', async () => {
    const [file] = input.files ?? [];
    if (file) byId(input.dataset.into ?? '', HTMLTextAreaElement).value = await file.text();
  });
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = (id: string) => byId(id, HTMLTextAreaElement).value;
  const policy = text('policy').trim();
  try {
    const typed = `${text('receipt').trimStart()}`;
    const given = (words: string) => (words === '' ? undefined : words);
    const keys = text('keys').trim();
    show(await verify(typed, text('vkey').trim(), given(policy), undefined, given(keys)));
  } catch (error) {
    say('bad', [
      '无法核验 · Could not check',
      error instanceof Error ? error.message : String(error),
    ]);
  }
});

function show({ valid, reasons, facts }: Verdict): void {
  const receipt = valid
    ? '收录证明有效 · The receipt holds'
    : '收录证明无效 · The receipt does not hold';
  const verdict = facts.completeness && valid ? '清单完整 · The list is whole' : receipt;
  say(valid ? 'good' : 'bad', [verdict, ...reasons, ...factLines(facts)]);
}

function factLines(facts: Facts): string[] {
  const { origin, index, size, root, witnesses, isWitnessed, opened, leaf, bundle, completeness } =
    facts;
  const { statement } = facts;
  const witnessed = witnesses?.map(({ name, at }) => `${name}（${at}）`).join('；');
  return [
    origin === undefined ? '' : `日志 Log: ${origin}`,
    index === undefined
      ? ''
      : `第 ${index} 条，共 ${size ?? '?'} 条 · entry ${index} of ${size ?? '?'}`,
    root === undefined ? '' : `根 Root: ${root}`,
    bundle === undefined
      ? ''
      : `记录包 ${bundle.id}：${bundle.entries} 条，由第 ${bundle.sealedBy ?? '?'} 条封存 · bundle of ${bundle.entries} entries, sealed by entry ${bundle.sealedBy ?? '?'}`,
    facts.isStatedLost
      ? '日志已声明：恢复备份时这条记录从数据库中丢失 · The log has stated that its database lost this entry in a restore'
      : '',
    statement === undefined
      ? ''
      : `日志声明 Statement of the log: ${JSON.stringify(statement, undefined, 2)}`,
    isWitnessed === undefined
      ? '未提供见证方策略，未核验是否有外部见证 · No policy was given: whether it is witnessed was not checked'
      : `外部见证 Witnesses: ${witnessed || '无 none'}`,
    ...Object.entries(opened ?? {}).map(([field, value]) => `${field}: ${value}`),
    ...(completeness === undefined ? [] : wholeLines(completeness)),
    leaf === undefined ? '' : `记录原文 Entry: ${JSON.stringify(leaf, undefined, 2)}`,
  ].filter((line) => line !== '');
}

function wholeLines({ due, covered, indexes }: NonNullable<Facts['completeness']>): string[] {
  return [
    `清单完整：截至 ${due} 应告知的记录共 ${indexes.length} 条（日志前 ${covered} 条之内） · The list is whole: ${indexes.length} looks that were to be disclosed by ${due}, among the first ${covered} entries`,
    `日志序号 Entries: ${indexes.join(', ')}`,
  ];
}

function say(kind: 'good' | 'bad', [title = '', ...lines]: string[]): void {
  const heading = document.createElement('h2');
  heading.textContent = title;
  const list = lines.map((line) => {
    const item = document.createElement('p');
    item.textContent = line;
    return item;
  });
  result.className = kind;
  result.replaceChildren(heading, ...list);
  result.focus();
}
