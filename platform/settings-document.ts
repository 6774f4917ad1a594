// docs/config.md from the settings themselves, so that the page cannot say something else.
import { z } from 'zod';
import { Settings } from './config.ts';

interface JsonSchemaProperty {
  description?: string;
  default?: unknown;
  enum?: unknown[];
}

/** The text of docs/config.md. */
export function settingsDocument(): string {
  const schema = z.toJSONSchema(Settings, { unrepresentable: 'any', io: 'input' });
  const properties = Object.entries(schema.properties ?? {});
  const rows = properties.map(([name, property]) => {
    const { description = '', default: fallback, enum: words } = property as JsonSchemaProperty; // JSON Schema of an object's member
    const values = words ? ` One of ${words.map((word) => `\`${String(word)}\``).join(', ')}.` : '';
    const shown = fallback === undefined || fallback === '' ? '' : `\`${String(fallback)}\``;
    return `| \`${name}\` | ${shown} | ${description}${values} |`;
  });
  return [
    '# Settings',
    '',
    'Read once from the environment at the start; all faults are listed together. Written by `npm run docs`.',
    '',
    '| name | default | meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
