// The API for readers: every route of the OpenAPI document, grouped by its tag.
import { Frame, type PageContext } from './page.tsx';

/** The part of an OpenAPI document this page shows; path items hold more than operations. */
export interface OpenApiDocument {
  paths?: object | undefined;
}

interface Operation {
  summary?: string;
  tags?: string[];
}

const methods = ['get', 'post', 'put', 'patch', 'delete'];

export function DocsPage({ c, document }: { c: PageContext; document: OpenApiDocument }) {
  const words = c.get('text').docs;
  const groups = new Map<string, { method: string; path: string; summary: string }[]>();
  for (const [path, operations] of Object.entries(document.paths ?? {})) {
    for (const method of methods) {
      const operation = (operations as Record<string, Operation | undefined>)[method]; // OpenAPI 3.1, 4.8.9
      if (!operation) continue;
      const tag = operation.tags?.[0] ?? 'other';
      const group = groups.get(tag) ?? [];
      group.push({ method: method.toUpperCase(), path, summary: operation.summary ?? '' });
      groups.set(tag, group);
    }
  }
  return (
    <Frame c={c} title={words.title} at="docs">
      <h1>{words.title}</h1>
      <p class="lead">
        {words.lead} <a href="/openapi.json">{words.file}</a>
      </p>
      {[...groups].map(([tag, routes]) => (
        <section>
          <h2>{words.tags[tag] ?? tag}</h2>
          <div class="scroll">
            <table>
              <tbody>
                {routes.map((route) => (
                  <tr>
                    <td>
                      <code>{route.method}</code>
                    </td>
                    <td>
                      <code>{route.path}</code>
                    </td>
                    <td>{route.summary}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      ))}
    </Frame>
  );
}
