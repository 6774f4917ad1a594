// The front door: four ways in, and the one promise with its present limit.
import type { LogState } from '../oversight/index.ts';
import { Frame, type PageContext } from './page.tsx';
import { WitnessLine } from './witness-line.tsx';

export function HomePage({ c, log }: { c: PageContext; log: LogState }) {
  const text = c.get('text');
  const { kind } = c.get('actor');
  const doors = [
    { href: '/me', title: text.home.me, words: text.home.meText, isShut: kind === 'officer' },
    { href: '/verify', title: text.home.verify, words: text.home.verifyText },
    { href: '/catalogue', title: text.home.catalogue, words: text.home.catalogueText },
    { href: '/desk', title: text.home.desk, words: text.home.deskText, isShut: kind === 'citizen' },
    {
      href: '/audit',
      title: text.home.audit,
      words: text.home.auditText,
      isShut: kind === 'citizen',
    },
  ].filter(({ isShut }) => !isShut);
  return (
    <Frame c={c} title={text.motto}>
      <div class="hero">
        <h1>{text.home.title}</h1>
        <p class="lead">{text.home.lead}</p>
      </div>
      <ul class="cards">
        {doors.map((door) => (
          <li class="card">
            <h2>
              <a href={door.href}>{door.title}</a>
            </h2>
            <p>{door.words}</p>
          </li>
        ))}
      </ul>
      <div class={log.isWitnessed ? 'notice good' : 'notice'}>
        <p>{text.promise}</p>
        <WitnessLine c={c} log={log} />
      </div>
    </Frame>
  );
}
