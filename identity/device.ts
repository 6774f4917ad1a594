// The browser somebody signs in with: a cookie that makes it known again, and its coarse family for
// the list of sessions. Nothing here is kept that tells one person's browser from another's.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Ids } from '../platform/index.ts';

const ID_BYTES = 16;

/** A browser as its owner would name it; families only, of these lists. */
export interface DeviceFamily {
  browser: string;
  system: string;
}

// The first that fits: Edge and WeChat call themselves Chrome, Chrome calls itself Safari.
const BROWSERS: [RegExp, string][] = [
  [/MicroMessenger\//, 'wechat'],
  [/AlipayClient\//, 'alipay'],
  [/Edg(e|A|iOS)?\//, 'edge'],
  [/(Firefox|FxiOS)\//, 'firefox'],
  [/(Chrome|CriOS|Chromium)\//, 'chrome'],
  [/Version\/[\d.]+.*Safari\//, 'safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/OpenHarmony|HarmonyOS/, 'harmony'],
  [/Android/, 'android'],
  [/iPhone|iPad/, 'ios'],
  [/Windows/, 'windows'],
  [/Mac OS X/, 'macos'],
  [/Linux/, 'linux'],
];

/** The families of a User-Agent header (RFC 9110 section 10.1.5); 'other' for what isn't listed. */
export function deviceFamily(userAgent: string | undefined): DeviceFamily {
  const read = (userAgent ?? '').slice(0, 512);
  const first = (list: [RegExp, string][]) =>
    list.find(([pattern]) => pattern.test(read))?.[1] ?? 'other';
  return { browser: first(BROWSERS), system: first(SYSTEMS) };
}

/** Device cookies of one house: random, and signed, so that an invented one is not taken for ours. */
export function createDevices({ key, ids }: { key: () => Buffer; ids: Ids }) {
  const sign = (id: string) => createHmac('sha256', key()).update(id, 'utf8').digest();

  function isOurs(cookie: string): boolean {
    const [id = '', signature = ''] = cookie.split('.');
    const given = Buffer.from(signature, 'base64url');
    const made = sign(id);
    return given.length === made.length && timingSafeEqual(given, made);
  }

  return {
    /** The device's cookie value: the one given when this house made it, else a new one. */
    deviceCookie(given: string | undefined): string {
      if (given !== undefined && isOurs(given)) return given;
      const id = ids.token(ID_BYTES);
      return `${id}.${sign(id).toString('base64url')}`;
    },
  };
}
