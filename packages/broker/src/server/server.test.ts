import { apiVersions, describeCluster, fetch, metadata, produce } from '@millrace/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../raw-client/raw-client.ts';
import { append, batchOf, createTopic, read, textsIn } from '../raw-client/requests.ts';
import type { DevBroker } from '../dev-broker.ts';
import { startBroker } from '../start-broker.ts';

describe('the connection to a broker', () => {
  let broker: DevBroker;
  let client: RawClient;

  beforeEach(async () => {
    broker = await startBroker();
    client = await RawClient.connect(broker);
  });
  afterEach(async () => {
    client[Symbol.dispose]();
    await broker.stop();
  });

  function frame(apiKey: number, version: number, body = Buffer.alloc(0)): Buffer {
    const bytes = Buffer.alloc(14);
    bytes.writeInt32BE(10 + body.length, 0);
    bytes.writeInt16BE(apiKey, 4);
    bytes.writeInt16BE(version, 6);
    bytes.writeInt32BE(77, 8);
    bytes.writeInt16BE(-1, 12);
    return Buffer.concat([bytes, body]);
  }

  it.each([0, 1, 2, 3, 4])('tells in ApiVersions %i what it speaks', async (version) => {
    const body = version >= 3 ? { clientSoftwareName: 'test', clientSoftwareVersion: '1' } : {};
    const { errorCode, apiKeys, finalizedFeatures } = await client.send(apiVersions, version, body);
    expect(errorCode).toBe(0);
    expect(apiKeys).toContainEqual({ apiKey: produce.key, minVersion: 0, maxVersion: 11 });
    expect(apiKeys).toContainEqual({ apiKey: fetch.key, minVersion: 4, maxVersion: 13 });
    expect(finalizedFeatures).toEqual([]);
  });

  it('answers an ApiVersions that is too new in version 0, with the versions it knows', async () => {
    const answer = await client.sendBytes(frame(apiVersions.key, 99));
    expect([answer.readInt32BE(0), answer.readInt16BE(4), answer.readInt32BE(6)]).toEqual([77, 35, 1]);
    expect([answer.readInt16BE(10), answer.readInt16BE(12), answer.readInt16BE(14)]).toEqual([18, 0, 4]);
  });

  it('refuses a client whose software has no proper name', async () => {
    const body = { clientSoftwareName: '-bad-', clientSoftwareVersion: '1' };
    expect((await client.send(apiVersions, 3, body)).errorCode).toBe(42);
  });

  it.each([
    ['an API that it does not have', frame(9999, 0)],
    ['a version that it does not have', frame(fetch.key, 13)],
    ['a version that is announced for old libraries only', frame(produce.key, 2)],
    ['a body that is cut off', frame(metadata.key, 1, Buffer.from([0, 0]))],
    ['a count that no bytes back up', frame(metadata.key, 1, Buffer.from([0x7f, 0xff, 0xff, 0xff]))],
    ['a negative size', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['a size beyond the limit', Buffer.from([0x7f, 0xff, 0xff, 0xff])],
  ])('is closed after %s, and nobody else notices', async (_what, bytes) => {
    using other = await RawClient.connect(broker);
    await expect(client.sendBytes(bytes)).rejects.toThrow('closed');
    expect((await other.send(describeCluster, 0, {})).brokers).toEqual([
      { brokerId: 1, host: '127.0.0.1', port: broker.port, rack: undefined },
    ]);
  });

  it('answers one request after the other: what waits holds up what follows', async () => {
    await createTopic(client, 't');
    const started = performance.now();
    const waiting = read(client, 't', { maxWaitMs: 100 });
    await client.send(metadata, 12, { topics: [] });
    expect(performance.now() - started).toBeGreaterThan(90);
    await waiting;
  });

  it('puts requests together that arrive byte by byte', async () => {
    const bytes = frame(metadata.key, 1, Buffer.from([0, 0, 0, 0]));
    const answer = client.sendBytes(bytes.subarray(0, 1));
    for (const byte of bytes.subarray(1)) void client.sendBytes(Buffer.from([byte])).catch(() => undefined);
    expect((await answer).readInt32BE(0)).toBe(77);
  });

  it('has no answer for acks=0, and is closed when that fails', async () => {
    await createTopic(client, 't');
    const topicData = (name: string) => [{ name, partitionData: [{ index: 0, records: batchOf(['a']) }] }];
    client.post(produce, 9, { acks: 0, timeoutMs: 1000, topicData: topicData('t') });
    expect(textsIn((await read(client, 't')).records)).toEqual(['0:a']);
    client.post(produce, 9, { acks: 0, timeoutMs: 1000, topicData: topicData('missing') });
    await expect(read(client, 't')).rejects.toThrow('closed');
  });

  it('refuses a port that is taken', async () => {
    await expect(startBroker({ port: broker.port })).rejects.toMatchObject({
      code: 'ADDRESS_UNAVAILABLE',
      message: expect.stringContaining('it is in use'),
    });
  });

  it('is no more after a stop, which may be repeated', async () => {
    await append(client, 't', batchOf(['a']));
    await broker.stop();
    await broker.stop();
    await expect(read(client, 't')).rejects.toThrow('closed');
    await expect(RawClient.connect(broker)).rejects.toThrow('ECONNREFUSED');
  });
});
