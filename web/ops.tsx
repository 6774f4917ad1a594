// The operators' home: what the platform is run from.
import { OPS_SECTIONS } from './ops-sections.ts';
import { Frame, type PageContext } from './page.tsx';

export function OpsPage({ c }: { c: PageContext }) {
  const words = c.get('text').ops;
  return (
    <Frame c={c} title={words.title} at="ops">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <ul class="cards">
        {OPS_SECTIONS.map(({ name, href }) => (
          <li class="card">
            <h2>
              <a href={href}>{words.sections[name].title}</a>
            </h2>
            <p>{words.sections[name].lead}</p>
          </li>
        ))}
      </ul>
    </Frame>
  );
}
