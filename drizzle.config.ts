// Where drizzle-kit finds the rooms' tables; migrations are written by hand and compared by a test.
import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: './{platform,audit,signing,identity,registry,exchange,catalogue,oversight}/schema.ts',
  schemaFilter: [
    'platform',
    'audit',
    'signing',
    'identity',
    'registry',
    'exchange',
    'catalogue',
    'oversight',
  ],
});
