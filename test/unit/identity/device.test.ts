// Of a browser's name only the family is read, whatever it claims.
import { describe, expect, test } from 'vitest';
import { deviceFamily } from '../../../identity/device.ts';

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const agents: [string, browser: string, system: string][] = [
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/140 Safari/537.36`,
    'chrome',
    'windows',
  ],
  [`Mozilla/5.0 (Windows NT 10.0) ${webkit} Chrome/140 Safari/537.36 Edg/140`, 'edge', 'windows'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'firefox', 'linux'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1', 'safari', 'macos'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/140 Safari/604', 'chrome', 'ios'],
  [`Mozilla/5.0 (Linux; Android 14; V2309A) ${webkit} MicroMessenger/8.0`, 'wechat', 'android'],
  [`Mozilla/5.0 (Phone; OpenHarmony 5.0) ${webkit} Chrome/114 ArkWeb/4.1`, 'chrome', 'harmony'],
  ['curl/8.5.0', 'other', 'other'],
  ['', 'other', 'other'],
];

describe('the family of a browser', () => {
  test.each(agents)('of %j is %s on %s', (agent, browser, system) => {
    expect(deviceFamily(agent)).toEqual({ browser, system });
  });

  test('of none is other, and of an endless one is read no further than 512 characters', () => {
    expect(deviceFamily(undefined)).toEqual({ browser: 'other', system: 'other' });
    expect(deviceFamily(`${'x'.repeat(600)} Firefox/1 Windows`)).toEqual({
      browser: 'other',
      system: 'other',
    });
  });
});
