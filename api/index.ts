// The face of api/: the composition root and the listening server, for the commands above.
export { compose, type Services } from './compose.ts';
export { composeLog, type LogServices } from './compose-log.ts';
export { checkAddress, listen } from './listen.ts';
