// The face of web/: server-rendered pages for citizens, officers, auditors and anyone.
export { pageOfError } from './error-page.tsx';
export { openIdPages } from './openid-pages.tsx';
export { pageHeaders } from './page.tsx';
export { pages } from './pages.tsx';
