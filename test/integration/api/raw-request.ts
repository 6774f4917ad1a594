// A request as bytes on a socket: what no well-behaved client would send.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** All that comes back until the server closes the connection. */
export async function readToEnd(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  await once(socket, 'close');
  return Buffer.concat(parts).toString('latin1');
}

export function openSocket(baseUrl: string): Socket {
  const { hostname, port } = new URL(baseUrl);
  return connect({ host: hostname, port: Number(port) });
}

/** Sends lines with CRLF, then a blank one and the body; gives all that comes back. */
export function rawRequest(baseUrl: string, lines: string[], body = ''): Promise<string> {
  const socket = openSocket(baseUrl);
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
  return readToEnd(socket);
}

/** The status lines of all replies in a connection's bytes. */
export function statusesIn(reply: string): number[] {
  return [...reply.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
}
