import { apis, describeCluster } from '@millrace/wire';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../raw-client/raw-client.ts';
import { awaitCoordinators, createTopic } from '../raw-client/requests.ts';
import type { DevBroker } from '../dev-broker.ts';
import { startBroker } from '../start-broker.ts';

/** More of them: `HOSTILE_FRAMES=100000`. */
const frames = Number(process.env.HOSTILE_FRAMES ?? 1000);

/** Requests whose body is anything: mostly small numbers, so that lengths and counts are now and then right. */
const frame = fc
  .record({
    api: fc.constantFrom(...apis),
    version: fc.integer({ min: 0, max: 13 }),
    body: fc.uint8Array({ maxLength: 120 }),
    small: fc.boolean(),
    sizeError: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer() }),
  })
  .map(({ api, version, body, small, sizeError }) => {
    const bytes = Buffer.alloc(14 + body.length);
    bytes.writeInt32BE((10 + body.length + sizeError) | 0, 0);
    bytes.writeInt16BE(api.key, 4);
    bytes.writeInt16BE(version, 6);
    bytes.writeInt16BE(-1, 12);
    bytes.set(small ? body.map((byte) => byte % 3) : body, 14);
    return bytes;
  });

describe('bytes from anybody', () => {
  let broker: DevBroker;
  beforeAll(async () => {
    broker = await startBroker({ connectionsMax: 5000 });
    using client = await RawClient.connect(broker);
    await awaitCoordinators(client);
    await createTopic(client, 't');
  });
  afterAll(() => broker.stop());

  it('neither end the broker nor keep it from serving others', { timeout: 120_000 }, async () => {
    using other = await RawClient.connect(broker);
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 20 }), async (sent) => {
        using client = await RawClient.connect(broker);
        for (const bytes of sent) void client.sendBytes(bytes).catch(() => undefined);
        expect((await other.send(describeCluster, 0, {})).errorCode).toBe(0);
      }),
      { numRuns: Math.ceil(frames / 10) },
    );
  });
});
