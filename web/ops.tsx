// The operators' home: what the platform is run from.
import type { OperatorsInForce } from '../identity/index.ts';
import { OPS_SECTIONS } from './ops-sections.ts';
import { Frame, type PageContext } from './page.tsx';

export function OpsPage({ c, operators }: { c: PageContext; operators: OperatorsInForce }) {
  const words = c.get('text').ops;
  return (
    <Frame c={c} title={words.title} at="ops">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {operators.inThirtyDays >= 2 ? null : (
        <p class="notice bad" role="status">
          {operators.lastDayOfTwo === null
            ? words.tooFewOperators
            : words.operatorsEnd(operators.lastDayOfTwo)}{' '}
          <a href="/ops/rights">{words.sections.rights.title}</a>
        </p>
      )}
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
