import { NO_HEADERS, RecordContext, seededRandom, silentLogger, string, type Serde, MetricsRegistry } from '@millrace/core';
import type { SinkTarget, SinkWriter } from '@millrace/topology';
import { partitionForKey } from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import {
  defaultProductionErrorHandler,
  logAndContinueProduction,
  type ProductionErrorHandler,
} from '../errors/production-error-handler.ts';
import { ManualClock } from '../task-harness/manual-clock.ts';
import { AppendedRecords } from '../task-harness/appended-records.ts';
import { RecordCollector } from './record-collector.ts';

const text = string() as Serde<unknown>;

async function collect(
  target: Partial<SinkTarget>,
  handler: ProductionErrorHandler = defaultProductionErrorHandler(silentLogger),
  deadLetterTopic?: string,
) {
  const appended = new AppendedRecords({ out: 4, 'out-a': 1, 'out-b': 1, dead: 1 });
  const dropped: string[] = [];
  const pending: Promise<void>[] = [];
  const owner = {
    recordContext: new RecordContext(),
    dropped: (_node: string, reason: string) => void dropped.push(reason),
    waitFor: (work: Promise<void>) => void pending.push(work),
  };
  const errorContext = (node: string) => ({
    taskId: '0_1',
    node,
    topic: 'in',
    partition: 1,
    offset: 7,
    timestamp: 3,
    headers: NO_HEADERS,
    sourceRawKey: Buffer.from('k'),
    sourceRawValue: Buffer.from('raw'),
    deadLetterTopic,
  });
  const collector = new RecordCollector({
    appender: appended,
    random: seededRandom(1),
    clock: new ManualClock(),
    sent: new MetricsRegistry().counter('sent', ''),
    handler,
    owner,
    errorContext,
  });
  await collector.connect(['out', 'dead']);
  const full = {
    node: 'sink',
    topic: 'out',
    keySerde: text,
    valueSerde: text,
    changeSerde: undefined,
    partitioner: undefined,
    ...target,
  };
  return { collector, writer: collector.writer(full), appended, dropped, pending };
}

const send = (writer: SinkWriter, key: unknown, value: unknown): void => writer.send(key, value, 5, NO_HEADERS, undefined);

describe('RecordCollector', () => {
  it('puts a key where every Kafka client puts it, and null and undefined on the wire as null', async () => {
    const { writer, appended } = await collect({});
    send(writer, 'key', 'value');
    send(writer, 'key', null);
    const partition = partitionForKey(Buffer.from('key'), 0, 3, 4);
    expect(appended.records).toEqual([
      { topic: 'out', partition, timestamp: 5, key: 'key', value: 'value', headers: [] },
      { topic: 'out', partition, timestamp: 5, key: 'key', value: undefined, headers: [] },
    ]);
  });

  it('keeps records without key together for about a batch, and reaches every partition', async () => {
    const { writer, appended } = await collect({});
    for (let i = 0; i < 2000; i++) send(writer, undefined, 'x'.repeat(1024));
    const partitions = appended.records.map(({ partition }) => partition);
    expect(new Set(partitions)).toEqual(new Set([0, 1, 2, 3]));
    expect(new Set(partitions.slice(0, 16)).size).toBe(1);
  });

  it('obeys the partitioner: one, several, none, or the default', async () => {
    const answers: (number | number[] | undefined)[] = [3, [0, 2], [], undefined];
    const { writer, appended, dropped } = await collect({ partitioner: () => answers.shift() });
    for (let i = 0; i < 4; i++) send(writer, 'key', `${i}`);
    expect(appended.records.map(({ partition, value }) => [partition, value])).toEqual([
      [3, '0'],
      [0, '1'],
      [2, '1'],
      [partitionForKey(Buffer.from('key'), 0, 3, 4), '3'],
    ]);
    expect(dropped).toEqual(['the partitioner chose no partition']);
  });

  it('refuses a partition that the topic does not have', async () => {
    const { writer, appended } = await collect({ partitioner: () => [0, 4] });
    expect(() => send(writer, 'key', 'value')).toThrow(/partition 4, but out has partitions 0 to 3/);
    expect(appended.records).toEqual([]);
  });

  it('holds records for topics chosen per record until these are known, in order', async () => {
    const { writer, appended, pending } = await collect({ topic: (key) => `out-${String(key)}` });
    send(writer, 'a', '1');
    send(writer, 'b', '2');
    send(writer, 'a', '3');
    expect(appended.records).toEqual([]);
    expect(pending).toHaveLength(2);
    await Promise.all(pending);
    send(writer, 'a', '4');
    expect(appended.records.map(({ topic, value }) => `${topic} ${value ?? ''}`)).toEqual([
      'out-a 1',
      'out-a 3',
      'out-b 2',
      'out-a 4',
    ]);
    expect(pending).toHaveLength(2);
  });

  it('reports the look-up of a topic that does not exist to whoever waits', async () => {
    const { writer, pending } = await collect({ topic: () => 'missing' });
    send(writer, 'a', '1');
    await expect(pending[0]).rejects.toThrow(/no topic missing/);
  });

  it('stops at a value that its serde cannot write, names the serde and where the record came from', async () => {
    const { writer, appended } = await collect({});
    expect(() => send(writer, 'key', 42)).toThrow(
      /value of a record for out.*serde of the value is string.*task 0_1, in-1, offset 7, node sink/,
    );
    expect(appended.records).toEqual([]);
  });

  it('drops it when the handler says so', async () => {
    const { writer, appended, dropped } = await collect({}, logAndContinueProduction(silentLogger));
    send(writer, 42, 'value');
    send(writer, 'key', 'value');
    expect(appended.records).toHaveLength(1);
    expect(dropped).toEqual(['the key could not be serialised']);
  });

  it('writes table changes with their own serde, even when both values are absent', async () => {
    const changeSerde = {
      serialize: (newValue: unknown, oldValue: unknown) => Buffer.from(`${String(newValue)}|${String(oldValue)}`),
      deserialize: () => undefined,
    };
    const { writer, appended } = await collect({ changeSerde });
    writer.send('key', 'new', 5, NO_HEADERS, 'old');
    writer.send('key', undefined, 5, NO_HEADERS, undefined);
    expect(appended.records.map(({ value }) => value)).toEqual(['new|old', 'undefined|undefined']);
  });

  it('writes the input of what it cannot serialise as a dead letter when the handler answers with one, also when it stops', async () => {
    const { writer, appended } = await collect({}, logAndContinueProduction(silentLogger), 'dead');
    send(writer, 42, 'value');
    const stopped = await collect({}, defaultProductionErrorHandler(silentLogger), 'dead');
    expect(() => send(stopped.writer, 42, 'value')).toThrow(/key of a record for out/);
    for (const { records } of [appended, stopped.appended]) {
      expect(records).toMatchObject([{ topic: 'dead', partition: 0, timestamp: 3, key: 'k', value: 'raw' }]);
    }
  });

  it('writes dead letters as they are: in order, nulls as nulls, without a timestamp with that of the wall clock', async () => {
    const { collector, appended, pending } = await collect({});
    const headers = [{ key: 'h', value: Buffer.from('1') }];
    collector.sendDeadLetters([
      { topic: 'out-a', key: undefined, value: Buffer.from('1'), timestamp: 7, headers },
      { topic: 'dead', key: Buffer.from('k'), value: undefined, timestamp: -1, headers: [] },
    ]);
    await Promise.all(pending);
    expect(appended.records).toEqual([
      { topic: 'dead', partition: 0, timestamp: 0, key: 'k', value: undefined, headers: [] },
      { topic: 'out-a', partition: 0, timestamp: 7, key: undefined, value: '1', headers },
    ]);
  });

  it('refuses a dead letter that is not bytes', async () => {
    const { collector } = await collect({});
    const letter = { topic: 'dead', key: undefined, value: 'text' as unknown as Buffer, timestamp: 0, headers: [] };
    expect(() => collector.sendDeadLetters([letter])).toThrow(/dead letter whose value is not bytes.*topic dead/);
  });
});
