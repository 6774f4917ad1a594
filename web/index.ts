// The face of web/: server-rendered pages for citizens, officers, auditors and anyone.
export { pageOfError } from './error-page.tsx';
export { pages } from './pages.tsx';
