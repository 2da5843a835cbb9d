import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const apiVersionsKey = 18;
const metadataKey = 3;
const pauseMs = 100;
const answerTimeoutMs = 5_000;

/**
 * Waits until a broker answers ApiVersions and its Metadata lists a broker: before that the port is open, but the node
 * has not registered itself and every request for a topic fails.
 *
 * @param isRunning tells whether waiting still makes sense
 * @throws when `deadlineMs` has passed or the broker ended
 */
export async function untilReady(port: number, deadlineMs: number, isRunning: () => boolean): Promise<void> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    if (!isRunning()) throw new Error('the broker ended during start');
    if (await isReady(port)) return;
    if (performance.now() > end) throw new Error(`the broker was not ready after ${deadlineMs} ms`);
    await sleep(pauseMs);
  }
}

/** Whether the broker at `port` of 127.0.0.1 serves clients. Never rejects. */
export async function isReady(port: number): Promise<boolean> {
  try {
    const versions = await request(port, apiVersionsKey, Buffer.alloc(0));
    const allTopics = Buffer.from([0, 0, 0, 0]);
    const metadata = await request(port, metadataKey, allTopics);
    return versions.readInt16BE(0) === 0 && metadata.readInt32BE(0) > 0;
  } catch {
    return false;
  }
}

/** Sends one request of version 0, with no topics named, and gives the body of the answer. */
async function request(port: number, apiKey: number, body: Buffer): Promise<Buffer> {
  const head = Buffer.alloc(14);
  head.writeInt32BE(10 + body.length, 0);
  head.writeInt16BE(apiKey, 4);
  head.writeInt16BE(-1, 12); // no client id; version and correlation id stay 0
  const socket = connect({ port, host: '127.0.0.1', timeout: answerTimeoutMs });
  socket.on('timeout', () => socket.destroy(new Error('no answer')));
  socket.write(Buffer.concat([head, body]));
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer]);
    if (received.length >= 8 && received.length >= 4 + received.readInt32BE(0)) return received.subarray(8);
  }
  throw new Error('the connection was closed before the answer was complete');
}
