// The services the pages call, as narrow as the pages need them.
import type { Catalogue } from '../catalogue/index.ts';
import type { Exchange } from '../exchange/index.ts';
import type { HouseCookie, Identity } from '../identity/index.ts';
import type { Erasures, Oversight, Vigilance } from '../oversight/index.ts';
import type { Ids } from '../platform/index.ts';
import type { Registry } from '../registry/index.ts';
import type { OpenApiDocument } from './docs.tsx';
import type { ReadUpload } from './upload-form.ts';

export interface PageDeps {
  identity: Identity;
  ids: Pick<Ids, 'token'>;
  registry: Registry;
  exchange: Exchange;
  oversight: Oversight;
  erasures: Erasures;
  vigilance: Vigilance;
  catalogue: Catalogue;
  /** The citation of a legal basis in a language. */
  citationOf: (id: string, lang: 'zh' | 'en') => string;
  /** How the cookies of a session, a browser and a sign-in elsewhere are written (contract section 5). */
  sessionCookie: HouseCookie;
  deviceCookie: HouseCookie;
  flowCookie: HouseCookie;
  config: { cityTz: string; publicUrl: string; publicUrlAliases: readonly string[] };
  openApi: () => OpenApiDocument;
  /** Takes a form with a file apart. */
  readUpload: ReadUpload;
}
