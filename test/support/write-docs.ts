// `npm run docs`: writes the pages that are made from code.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { settingsDocument } from '../../platform/index.ts';

await writeFile(join(import.meta.dirname, '..', '..', 'docs', 'config.md'), settingsDocument());
