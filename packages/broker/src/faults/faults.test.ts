import { apis, describeCluster, initProducerId, metadata, produce, type RequestInput, encodeResponse } from '@millrace/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../raw-client/raw-client.ts';
import { append, batchOf, createTopic, read, textsIn } from '../raw-client/requests.ts';
import type { DevBroker } from '../dev-broker.ts';
import { startBroker } from '../start-broker.ts';
import { errorResponse } from '../server/error-response.ts';

describe('faults', () => {
  let broker: DevBroker;
  let client: RawClient;

  beforeEach(async () => {
    broker = await startBroker();
    client = await RawClient.connect(broker);
    await createTopic(client, 't');
    await createTopic(client, 'other');
  });
  afterEach(async () => {
    client[Symbol.dispose]();
    await broker.stop();
  });

  const texts = async () => textsIn((await read(await RawClient.connect(broker), 't')).records);

  it('refuse a request for each of its partitions, without applying it', async () => {
    broker.faults.add({ api: 'Produce', fault: { kind: 'error', errorCode: 19 } });
    expect(await append(client, 't', batchOf(['a']))).toMatchObject({ index: 0, errorCode: 19 });
    expect(await append(client, 't', batchOf(['b']))).toMatchObject({ errorCode: 0, baseOffset: 0 });
  });

  it('hit only what they are for, as often as they say', async () => {
    broker.faults.add({ api: 'Produce', topic: 't', skip: 1, times: 2, fault: { kind: 'error', errorCode: 6 } });
    const codes: number[] = [];
    for (const topic of ['t', 'other', 't', 't', 't']) codes.push((await append(client, topic, batchOf(['a']))).errorCode);
    expect(codes).toEqual([0, 0, 6, 6, 0]);
  });

  it('cut the connection before or after the work is done', async () => {
    broker.faults.add({ api: 'Produce', fault: { kind: 'cut-before' } });
    await expect(append(client, 't', batchOf(['before']))).rejects.toThrow('closed');
    expect(await texts()).toEqual([]);
    broker.faults.add({ api: 'Produce', fault: { kind: 'cut-after' } });
    await expect(append(await RawClient.connect(broker), 't', batchOf(['after']))).rejects.toThrow('closed');
    expect(await texts()).toEqual(['0:after']);
  });

  it('cut a response off, after the work is done', async () => {
    broker.faults.add({ api: 'Produce', fault: { kind: 'truncate', bytes: 20 } });
    const other = await RawClient.connect(broker);
    await expect(append(other, 't', batchOf(['applied']))).rejects.toThrow('closed');
    expect(await texts()).toEqual(['0:applied']);
    expect(other.isOpen).toBe(false);
  });

  it('delay a request, and with it what follows', async () => {
    broker.faults.add({ api: 'DescribeCluster', fault: { kind: 'delay', delayMs: 60 } });
    const started = performance.now();
    const slow = client.send(describeCluster, 0, {});
    await client.send(metadata, 12, { topics: [] });
    expect(performance.now() - started).toBeGreaterThan(50);
    expect((await slow).errorCode).toBe(0);
  });

  it('are taken back, one or all', async () => {
    const remove = broker.faults.add({ api: 'InitProducerId', times: Infinity, fault: { kind: 'error', errorCode: 15 } });
    const code = async () =>
      (await client.send(initProducerId, 4, { transactionalId: undefined, transactionTimeoutMs: 1 })).errorCode;
    expect([await code(), await code()]).toEqual([15, 15]);
    remove();
    expect(await code()).toBe(0);
    broker.faults.add({ api: 'InitProducerId', fault: { kind: 'error', errorCode: 15 } });
    broker.faults.clear();
    expect(await code()).toBe(0);
    expect(() => broker.faults.add({ api: 'Prodcue', fault: { kind: 'cut-before' } })).toThrow('"Prodcue"');
  });

  it('can refuse every API in every version', () => {
    for (const api of apis) {
      for (let version = api.versionMin; version <= api.versionMax; version++) {
        expect(() => encodeResponse(api, version, errorResponse(api, {}, 42)), `${api.name} ${version}`).not.toThrow();
      }
    }
    const request: RequestInput<typeof produce> = { acks: 1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [] }] };
    expect(errorResponse(produce as never, request, 7)).toMatchObject({ responses: [{ name: 't', partitionResponses: [] }] });
  });
});
