import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initProducerId } from '@millrace/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BrokerComponents } from '../broker-components.ts';
import type { DevBroker } from '../dev-broker.ts';
import { RawClient } from '../raw-client/raw-client.ts';
import { append, awaitCoordinators, batchOf, createTopic, read, textsIn } from '../raw-client/requests.ts';
import type { BrokerSettings } from '../settings/broker-settings.ts';
import { startBroker } from '../start-broker.ts';
import { MemoryDisk } from './memory-disk.ts';

describe.each(['directory', 'memory'] as const)('a crash of a broker on a disk (%s)', (kind) => {
  let directory: string;
  let place: BrokerSettings & BrokerComponents;
  let broker: DevBroker;
  let client: RawClient;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-crash-'));
    place = kind === 'directory' ? { dataDirectory: directory } : { disk: new MemoryDisk() };
  });
  afterEach(async () => {
    await broker.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(settings: BrokerSettings = {}): Promise<void> {
    broker = await startBroker({ listen: false, ...place, ...settings });
    client = new RawClient(broker.connect().socket);
    await awaitCoordinators(client);
  }

  const newProducer = async () =>
    (await client.send(initProducerId, 4, { transactionalId: undefined, transactionTimeoutMs: 1 })).producerId;

  async function writeAndCrash(settings: BrokerSettings, losesUnflushed: boolean): Promise<string[]> {
    await open(settings);
    await createTopic(client, 't');
    await append(client, 't', batchOf(['a']));
    await broker.crash({ losesUnflushed });
    await expect(append(client, 't', batchOf(['late']))).rejects.toThrow('closed');
    await open(settings);
    return textsIn((await read(client, 't')).records);
  }

  it('leaves what was written, as SIGKILL does, and lets the next broker in', async () => {
    expect(await writeAndCrash({ fsync: 'never' }, false)).toEqual(['0:a']);
    expect((await append(client, 't', batchOf(['b']))).baseOffset).toBe(1);
    expect(broker.inspect().topics.find(({ name }) => name === 't')?.partitions[0]?.leaderEpoch).toBe(1);
  });

  it('takes with the power what was not put on the disk', async () => {
    expect(await writeAndCrash({ fsync: 'always' }, true)).toEqual(['0:a']);
  });

  it('never makes a producer id come twice', async () => {
    await open();
    const before = await newProducer();
    await broker.crash({ losesUnflushed: true });
    await open();
    expect(await newProducer()).toBeGreaterThan(before);
  });

  it('does nothing to a broker that has ended, and two at once are refused', async () => {
    await open();
    await expect(startBroker({ listen: false, ...place })).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' });
    await broker.stop();
    await broker.crash();
    await open();
  });
});

describe('a power failure', () => {
  it('costs the records since the last flush', async () => {
    const disk = new MemoryDisk();
    const first = await startBroker({ listen: false, disk, fsync: 'never' });
    const client = new RawClient(first.connect().socket);
    await createTopic(client, 't');
    await append(client, 't', batchOf(['a']));
    await first.crash({ losesUnflushed: true });
    await using second = await startBroker({ listen: false, disk, fsync: 'never' });
    expect(second.readLog('t', 0)).toEqual([]);
    await expect(startBroker({ dataDirectory: 'x', disk })).rejects.toThrow('not both');
  });
});
