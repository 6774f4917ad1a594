// The face of web/: server-rendered pages for citizens, officers, auditors and anyone.
export { pages } from './pages.tsx';
