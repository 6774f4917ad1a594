// A sender in a thread of its own, so that what sending costs is not measured as what receiving costs.
import { Worker } from 'node:worker_threads';
import { z } from 'zod';

export interface Sent {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

const Reply = z.object({ status: z.number(), text: z.string() });

const program = `
const { parentPort } = require('node:worker_threads');
const { request } = require('node:http');
parentPort.on('message', ({ baseUrl, method, path, headers, body }) => {
  const answer = (status, text) => parentPort.postMessage({ status, text });
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const length = bytes === undefined ? {} : { 'Content-Length': String(bytes.length) };
  const sent = request(baseUrl + path, { method, headers: { ...headers, ...length } }, (reply) => {
    let text = '';
    reply.setEncoding('utf8').on('data', (part) => { text += part; });
    reply.on('end', () => answer(reply.statusCode, text));
  });
  sent.on('error', (error) => answer(0, error.message));
  sent.end(bytes);
});
`;

/** Gives a function that sends one request at a time and reads its reply; `close` ends the thread. */
export function startSender(baseUrl: string) {
  const thread = new Worker(program, { eval: true });
  return {
    send: ({ method = 'POST', path, headers = {}, body }: Sent) =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        thread.removeAllListeners();
        thread.once('message', (reply) => resolve(Reply.parse(reply)));
        thread.once('error', reject);
        thread.postMessage({ baseUrl, method, path, headers, body });
      }),
    close: () => thread.terminate(),
  };
}
