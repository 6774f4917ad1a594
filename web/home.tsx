// The front door: four ways in, and the one promise with its present limit.
import { Frame, type PageContext } from './page.tsx';

export function HomePage({ c, isWitnessed }: { c: PageContext; isWitnessed: boolean }) {
  const text = c.get('text');
  const doors = [
    { href: '/me', title: text.home.me, words: text.home.meText },
    { href: '/verify', title: text.home.verify, words: text.home.verifyText },
    { href: '/catalogue', title: text.home.catalogue, words: text.home.catalogueText },
    { href: '/desk', title: text.home.desk, words: text.home.deskText },
    { href: '/audit', title: text.home.audit, words: text.home.auditText },
  ];
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
      <div class={isWitnessed ? 'notice good' : 'notice'}>
        <p>{text.promise}</p>
        <p>{isWitnessed ? text.witnessed : text.unwitnessed}</p>
      </div>
    </Frame>
  );
}
