import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  deleteTopics,
  endTxn,
  initProducerId,
  offsetCommit,
  offsetFetch,
  txnOffsetCommit,
} from '@millrace/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../raw-client/raw-client.ts';
import { append, awaitCoordinators, batchOf, createTopic, initialise, read, textsIn } from '../raw-client/requests.ts';
import type { BrokerSettings } from '../settings/broker-settings.ts';
import type { DevBroker } from '../dev-broker.ts';
import { startBroker } from '../start-broker.ts';
import { Journal } from './journal.ts';

describe('a broker with a directory', () => {
  let directory: string;
  let broker: DevBroker;
  let client: RawClient;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-broker-'));
  });
  afterEach(async () => {
    await close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(settings: BrokerSettings = {}): Promise<void> {
    broker = await startBroker({ dataDirectory: directory, strictConfigs: false, markerDelayMaxMs: 0, ...settings });
    client = await RawClient.connect(broker);
    await awaitCoordinators(client);
  }

  async function close(): Promise<void> {
    client[Symbol.dispose]();
    await broker.stop();
  }

  async function reopen(settings: BrokerSettings = {}): Promise<void> {
    await close();
    await open(settings);
  }

  /** The file with the records of a topic of one partition; the internal topics hold none yet. */
  function logFile(): string {
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.log'));
    const [largest] = files.map((name) => join(directory, name)).sort((a, b) => statSync(b).size - statSync(a).size);
    return largest as string;
  }

  it('has after a restart what it had before, and gives no producer id twice', async () => {
    await open();
    await createTopic(client, 't', 2, { 'retention.ms': '-1' });
    await append(client, 't', batchOf(['a', 'b']));
    await append(client, 't', batchOf(['c'], { producerId: 5, producerEpoch: 0, baseSequence: 0 }));
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 2, committedMetadata: 'm' }] }];
    await client.send(offsetCommit, 8, { groupId: 'g', topics });
    const before = await client.send(initProducerId, 4, { transactionalId: undefined, transactionTimeoutMs: 1000 });
    await reopen();
    expect(textsIn((await read(client, 't')).records)).toEqual(['0:a', '1:b', '2:c']);
    expect((await append(client, 't', batchOf(['c'], { producerId: 5, producerEpoch: 0, baseSequence: 0 }))).baseOffset).toBe(2);
    const groups = [{ groupId: 'g', topics: undefined }];
    expect((await client.send(offsetFetch, 8, { groups })).groups[0]?.topics[0]?.partitions[0]).toMatchObject({
      committedOffset: 2,
      metadata: 'm',
    });
    const after = await client.send(initProducerId, 4, { transactionalId: undefined, transactionTimeoutMs: 1000 });
    expect(after.producerId).toBeGreaterThan(before.producerId);
  });

  it('ends the transactions whose end was decided, and keeps open those that were open', async () => {
    await open({ markerDelayMaxMs: 60_000 });
    await createTopic(client, 't');
    const producers = new Map<string, { producerId: number; producerEpoch: number }>();
    for (const id of ['decided', 'open']) {
      const { producerId, producerEpoch } = await initialise(client, id);
      const identity = { producerId, producerEpoch };
      producers.set(id, identity);
      const partitions = { transactionalId: id, ...identity, topics: [{ name: 't', partitions: [0] }] };
      await client.send(addPartitionsToTxn, 3, partitions);
      await client.send(addOffsetsToTxn, 3, { transactionalId: id, ...identity, groupId: id });
      await append(client, 't', batchOf([id], { ...identity, baseSequence: 0, transactional: true }), { transactionalId: id });
      const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 9 }] }];
      const member = { generationId: -1, memberId: '' };
      await client.send(txnOffsetCommit, 3, { transactionalId: id, groupId: id, ...identity, ...member, topics });
    }
    await client.send(endTxn, 3, { transactionalId: 'decided', ...producers.get('decided')!, committed: true });
    await reopen();
    const { records, lastStableOffset } = await read(client, 't', { isolation: 'read_committed' });
    expect([textsIn(records), lastStableOffset]).toEqual([['0:decided'], 1]);
    const asked = ['decided', 'open'].map((groupId) => ({ groupId, topics: [{ name: 't', partitionIndexes: [0] }] }));
    const { groups } = await client.send(offsetFetch, 8, { groups: asked, requireStable: true });
    expect(groups.map(({ topics }) => topics[0]?.partitions[0]?.committedOffset)).toEqual([9, -1]);
    expect(groups.map(({ topics }) => topics[0]?.partitions[0]?.errorCode)).toEqual([0, 88]);
    await client.send(endTxn, 3, { transactionalId: 'open', ...producers.get('open')!, committed: false });
    expect((await read(client, 't', { isolation: 'read_committed' })).abortedTransactions).toEqual([
      { producerId: producers.get('open')?.producerId, firstOffset: 1 },
    ]);
  });

  // It starts a broker for each length, and each flushes to the disk.
  it('cuts off what an interrupted write has left, at whatever byte', { timeout: 120_000 }, async () => {
    await open();
    await createTopic(client, 't');
    const sizes = [0];
    for (const text of ['first', 'second', 'third']) {
      await append(client, 't', batchOf([text.repeat(20)]));
      sizes.push(statSync(logFile()).size);
    }
    await close();
    const path = logFile();
    const whole = readFileSync(path);
    for (let length = sizes[1] as number; length < whole.length; length += 7) {
      writeFileSync(path, whole.subarray(0, length));
      await open();
      const expected = sizes.filter((size) => size > 0 && size <= length).length;
      expect((await read(client, 't')).highWatermark).toBe(expected);
      expect((await append(client, 't', batchOf(['next']))).baseOffset).toBe(expected);
      await close();
    }
  });

  it('does not start with a log that is damaged in its middle', async () => {
    await open();
    await createTopic(client, 't', 1, { 'segment.bytes': '100' });
    for (const text of ['first', 'second']) await append(client, 't', batchOf([text.repeat(10)]));
    const [first] = readdirSync(join(logFile(), '..')).sort();
    const path = join(logFile(), '..', first as string);
    await close();
    truncateSync(path, statSync(path).size - 1);
    await expect(open()).rejects.toMatchObject({ code: 'CORRUPT_SEGMENT', message: expect.stringContaining(path) });
  });

  it('remembers where the log starts and how far it is compacted', async () => {
    await open();
    await createTopic(client, 't', 1, { 'segment.bytes': '100', 'cleanup.policy': 'compact' });
    for (const text of ['a=1', 'a=2', 'b=1', 'a=3']) await append(client, 't', batchOf([text.padEnd(60, '.')]));
    expect(broker.compactNow('t')).toBe(1);
    await reopen();
    expect((await read(client, 't')).logStartOffset).toBe(0);
    const found: string[] = [];
    for (let offset = 0; offset < 4; offset = Number(found.at(-1)?.split(':')[0]) + 1) {
      found.push(...textsIn((await read(client, 't', { offset })).records).map((text) => text.replaceAll('.', '')));
    }
    expect(found).toEqual(['2:b=1', '3:a=3']);
  });

  it('belongs to one broker at a time, and to nobody who is gone', async () => {
    await open();
    await expect(startBroker({ dataDirectory: directory })).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' });
    const copy = `${directory}-copy`;
    cpSync(directory, copy, { recursive: true });
    writeFileSync(join(copy, 'lock-999999999-5'), '');
    await using other = await startBroker({ dataDirectory: copy });
    expect(other.port).toBeGreaterThan(0);
    await other.stop();
    rmSync(copy, { recursive: true });
  });

  it('deletes the files of a topic that was deleted', async () => {
    await open();
    await createTopic(client, 't');
    await append(client, 't', batchOf(['x'.repeat(5000)]));
    const path = logFile();
    await client.send(deleteTopics, 5, { topicNames: ['t'], timeoutMs: 1000 });
    expect(() => statSync(path)).toThrow('ENOENT');
    await reopen();
    expect((await read(client, 't')).errorCode).toBe(3);
  });
});

describe('the journal', () => {
  it('keeps its whole entries, and writes on behind them', () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-journal-'));
    const path = join(directory, 'journal');
    const entries = (): unknown[] => {
      const found: unknown[] = [];
      Journal.open(path, (entry) => found.push(entry)).close();
      return found;
    };
    const journal = Journal.open(path, () => undefined);
    for (const entry of ['a', { b: 1 }, 'c']) journal.append(entry);
    journal.close();
    truncateSync(path, statSync(path).size - 1);
    expect(entries()).toEqual(['a', { b: 1 }]);
    const again = Journal.open(path, () => undefined);
    again.append('d');
    again.rewrite(['e']);
    again.append('f');
    again.close();
    expect(entries()).toEqual(['e', 'f']);
    rmSync(directory, { recursive: true });
  });
});
