// A library that speaks up on some Node.js versions must not speak to whoever starts the house.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

describe('identity', () => {
  it('prints nothing when it is loaded', async () => {
    const script = "await import('./identity/index.ts'); console.log('loaded');";
    const root = new URL('../../../', import.meta.url);
    const output = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { cwd: root },
    );
    expect(output).toEqual({ stdout: 'loaded\n', stderr: '' });
  });
});
