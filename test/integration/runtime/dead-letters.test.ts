import { lastHeader } from '@millrace/core';
import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import type { InputRecord, OutputRecord } from './cluster.ts';
import { MORTAL, STEADY, TestApplication } from './test-application.ts';

const PARTITIONS = 2;
const skipping = { skipUnreadable: true };

/** Every third record is no JSON. Padded, so that a transaction is sent before it is committed. */
function mixed(count: number, padding = ''): InputRecord[] {
  return Array.from({ length: count }, (_, n) => ({
    key: `key-${n}`,
    value: n % 3 === 0 ? `{"n":${n} ${padding}` : `{"n":${n}}`,
    timestamp: 1000 + n,
  }));
}

const poisonIn = (records: readonly InputRecord[]): InputRecord[] => records.filter(({ value }) => value?.endsWith('}') !== true);

/** Keys and values in the order of the keys: what is there twice is seen. */
function contents(records: readonly (OutputRecord | InputRecord)[]): string[] {
  return records.map(({ key = '', value = '' }) => `${key}=${String(value)}`).toSorted();
}

/** Where the source of a dead letter lies, as its headers say. */
function placeIn({ headers }: OutputRecord): string {
  const [topic, partition, offset] = ['topic', 'partition', 'offset'].map((name) =>
    Buffer.from(lastHeader(headers, `__streams.errors.${name}`) ?? []).toString(),
  );
  return `${topic}-${partition}@${offset}`;
}

describeWithKafka('dead letters', (brokers) => {
  async function create(): Promise<{ application: TestApplication; dead: string }> {
    const application = await TestApplication.create({ brokers, partitions: PARTITIONS, topology: 'parsing' });
    const dead = `${application.prefix}dead`;
    await application.cluster.create(dead, PARTITIONS);
    return { application, dead };
  }

  it('are the records that cannot be read, with their bytes and the places that they came from; the others go on', async () => {
    const { application, dead } = await create();
    await using _ = application;
    const { cluster, input, output } = application;
    const records = mixed(60);
    await cluster.write(input, records);
    const worker = application.worker({ deadLetterTopic: dead }, skipping);
    await application.drained();
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    const letters = await cluster.read(dead);
    expect(contents(letters)).toEqual(contents(poisonIn(records)));
    expect(await cluster.read(output)).toHaveLength(records.length - letters.length);
    const sources = new Map((await cluster.read(input)).map((one) => [`${input}-${one.partition}@${one.offset}`, one]));
    for (const letter of letters) {
      expect(sources.get(placeIn(letter))).toMatchObject({ key: letter.key, value: letter.value, timestamp: letter.timestamp });
    }
  });

  it('are seen once by a read_committed reader, also when the worker is killed with some of them in an open transaction', async () => {
    const { application, dead } = await create();
    await using _ = application;
    const { cluster, id, input, output } = application;
    const records = mixed(3000, 'x'.repeat(10_000));
    await cluster.write(input, records);
    const dying = application.worker(
      { ...MORTAL, deadLetterTopic: dead, commitIntervalMs: 600_000, transactionTimeoutMs: 900_000 },
      skipping,
    );
    await expect.poll(async () => (await cluster.read(dead, 'read_uncommitted')).length, { timeout: 90_000 }).toBeGreaterThan(0);
    expect((await cluster.client.admin.listOpenTransactions()).some((open) => open.startsWith(id))).toBe(true);
    const stable = await cluster.client.offsets.list(await cluster.partitions(dead), 'latest-stable');
    expect([...stable.values()]).toEqual([0, 0]);
    await dying.kill();

    const heir = application.worker({ deadLetterTopic: dead }, skipping);
    await cluster.readUntil(output, ({ length }) => length > 0);
    await heir.kill();
    const last = application.worker({ deadLetterTopic: dead }, skipping);
    await application.drained();
    expect(await last.stop(), last.output).toEqual({ code: 0, signal: null });
    await cluster.settled(application.prefix);
    const letters = await cluster.read(dead);
    expect(contents(letters)).toEqual(contents(poisonIn(records)));
    expect(await cluster.read(output)).toHaveLength(records.length - letters.length);
    expect((await cluster.read(dead, 'read_uncommitted')).length).toBeGreaterThan(letters.length);
  });

  it('go down with the transaction of a worker that stops at the record, and stay when it works at least once', async () => {
    for (const guarantee of ['exactly_once_v2', 'at_least_once'] as const) {
      const { application, dead } = await create();
      await using _ = application;
      await application.cluster.write(application.input, [{ key: 'k', value: '{' }]);
      const worker = application.worker({ ...STEADY, deadLetterTopic: dead, guarantee });
      expect(await worker.ended, worker.output).toMatchObject({ code: 1 });
      expect(worker.events.at(-1)?.failure).toMatchObject({ code: 'DESERIALIZATION_FAILED', offset: 0 });
      await application.cluster.settled(application.prefix);
      expect(contents(await application.cluster.read(dead))).toEqual(guarantee === 'at_least_once' ? ['k={'] : []);
    }
  });

  it('need a topic that exists: the application ends before it processes anything, and says what to do', async () => {
    const { application } = await create();
    await using _ = application;
    const missing = `${application.prefix}nowhere`;
    const worker = application.worker({ deadLetterTopic: missing });
    expect(await worker.ended, worker.output).toMatchObject({ code: 1 });
    expect(worker.events.at(-1)?.failure).toMatchObject({ code: 'DEAD_LETTER_TOPIC_MISSING', topic: missing });
    expect((await application.cluster.client.admin.listTopics()).map(({ name }) => name)).not.toContain(missing);
  });
});
