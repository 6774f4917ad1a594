// A process of its own that makes editions of the map without pause, to be killed at any moment:
// `map-process.ts APP_URL LOG_URL`. It sequences nothing.
import { generateKeyPairSync, sign } from 'node:crypto';
import { createAudit } from '../../audit/index.ts';
import { connectDatabase, createLogger, systemClock, systemIds } from '../../platform/index.ts';
import { openVrf } from '../../signing/index.ts';

const [appUrl = '', logUrl = ''] = process.argv.slice(2);
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const audit = createAudit({
  database: connectDatabase({ url: appUrl, max: 2, applicationName: 'map-process-app' }),
  logDatabase: connectDatabase({ url: logUrl, max: 2, applicationName: 'map-process-log' }),
  clock: systemClock,
  ids: systemIds,
  logger: createLogger({ level: 'error' }),
  signer: {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
    sign: (bytes) => sign(null, bytes, privateKey),
  },
  origin: 'map.example/log',
  map: { key: openVrf(Buffer.alloc(32, 8)), everyMs: null },
});

process.stdout.write('begun\n');
for (;;) {
  // A fault is a rival's lock, or the server that ended a paused session: the next try is as good.
  await audit.publishMap().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
}
