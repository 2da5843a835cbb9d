import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lastHeader, systemClock } from '@millrace/core';
import { describe, expect, inject, it } from 'vitest';
import { BrokerProcess } from '../integration/embedded/broker-process.ts';
import { topicOf } from '../oracle/ledger/ledger.ts';
import { FaultRun, type Seat } from './rig/fault-run.ts';

const brokers = inject('faultBrokers');
const ASLEEP_MS = 7000;

/** True if a transaction of the run is open, and is not any more before that time; returns no earlier. */
async function vanishes({ cluster, ledger }: FaultRun, untilMs: number): Promise<boolean> {
  let [wasOpen, hasVanished] = [false, false];
  while (systemClock.nowMs() < untilMs) {
    const isOpen = (await cluster.client.admin.listOpenTransactions()).some((id) => id.startsWith(ledger.prefix));
    if (systemClock.nowMs() < untilMs) hasVanished ||= wasOpen && !isOpen;
    wasOpen ||= isOpen;
    await systemClock.sleep(100);
  }
  return hasVanished;
}

describe('records that cannot be processed', () => {
  it('F24 bytes that are no record are left out, and each omission is announced', async () => {
    await using run = await FaultRun.start({ brokers });
    const { worker } = await run.worker('a', { skips: true });
    await worker.running();
    await run.source.write(200);
    const poison = ['{"id":', '', 'null', '\u{fffd}', `${'['.repeat(100_000)}`];
    for (const text of poison) await run.source.writeRaw('key-1', Buffer.from(text));
    await run.source.writeRaw('key-2', Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]));
    await run.source.write(200);
    run.healed();
    const { findings, evidence } = await run.conclude();
    expect(findings).toBe('');
    expect(evidence.skips.length).toBeGreaterThanOrEqual(4);
  });

  it('F24 bytes that are no record become dead letters, each once and with its place, although the worker dies', async () => {
    await using run = await FaultRun.start({ brokers });
    const dead = `${run.ledger.prefix}dead`;
    await run.cluster.create(dead, 2);
    const orders = { skips: true, settings: { deadLetterTopic: dead } };
    const { worker } = await run.worker('a', orders);
    await worker.running();
    for (let round = 0; round < 10; round++) {
      await run.source.write(50);
      for (const text of ['{"id":', 'no JSON']) await run.source.writeRaw(`key-${round}`, Buffer.from(`${text} ${round}`));
      if (round === 5) await worker.kill();
    }
    const { worker: heir } = await run.worker('b', orders);
    await heir.running();
    run.healed();
    const { findings, evidence } = await run.conclude();
    expect(findings).toBe('');
    const letters = await run.cluster.read(dead);
    const places = letters.map(({ headers }) => {
      const [topic, partition, offset] = ['topic', 'partition', 'offset'].map((name) =>
        Buffer.from(lastHeader(headers, `__streams.errors.${name}`) ?? []).toString(),
      );
      return `${topic} ${partition}:${offset}`;
    });
    const input = topicOf(run.ledger, 'in');
    expect(places.toSorted()).toEqual(
      evidence.skips.map(({ partition, offset }) => `${input} ${partition}:${offset}`).toSorted(),
    );
    expect(letters).toHaveLength(20);
  });

  it('F25 a schema registry that is away is waited for, and nothing is left out; a schema that it does not know is', async () => {
    await using run = await FaultRun.start({ brokers });
    const registry = join(run.stateDirOf('registry'), 'schemas.json');
    const { worker } = await run.worker('a', { skips: true, registry });
    await worker.running();
    await run.source.write(200);
    await run.source.write(50, { schema: 1 });
    const said = (text: string) => worker.events.filter(({ message }) => message?.includes(text) === true);
    await worker.until('trying again', () => said('going back to the last commit').length >= 3);
    expect(said('skipped'), run.log).toEqual([]);
    mkdirSync(dirname(registry), { recursive: true });
    // In one step: a worker must not read half of it.
    writeFileSync(`${registry}.new`, '[1]');
    renameSync(`${registry}.new`, registry);
    await run.source.writeRaw('key-1', Buffer.from('{"schema":99}'));
    await run.source.write(200, { schema: 1 });
    run.healed();
    const { findings, evidence } = await run.conclude();
    expect(findings).toBe('');
    expect(evidence.skips, run.log).toHaveLength(1);
    // Not without a pause, as often as it had to: going by the time that the worker was left waiting.
    const tries = said('going back');
    const triedForMs = (tries.at(-1)?.atMs ?? 0) - (tries[0]?.atMs ?? 0);
    expect(tries.length, run.log).toBeLessThan(20 + triedForMs / 100);
  });

  it('F29 user code that throws or rejects: the transaction is aborted and done again', async () => {
    await using run = await FaultRun.start({ brokers });
    const { worker } = await run.worker('a', { onUncaughtError: 'replace-worker' });
    await worker.running();
    await run.source.write(200);
    await run.source.write(200, { order: 'throw' });
    await run.source.write(200, { order: 'reject' });
    run.healed();
    expect(await run.verdict()).toBe('');
    expect(worker.orders).toHaveLength(2);
  });

  it('F29 user code that always throws on one record: it is left out, and that is announced', async () => {
    await using run = await FaultRun.start({ brokers });
    const { worker } = await run.worker('a', { skips: true });
    await worker.running();
    await run.source.write(200);
    await run.source.write(200, { order: 'throw always' });
    run.healed();
    const { findings, evidence } = await run.conclude();
    expect(findings).toBe('');
    expect(evidence.skips).toHaveLength(1);
  });

  it('F30 user code whose promise never resolves does not keep the process from ending', async () => {
    await using run = await FaultRun.start({ brokers, settings: { shutdownTimeoutMs: 3000 } });
    const { worker } = await run.worker('a');
    await worker.running();
    await run.source.write(100, { order: 'hang' });
    await worker.until('hanging', ({ orders }) => orders.length > 0);
    const asked = systemClock.monotonicMs();
    await worker.stop();
    // Without that setting it would be 20 s.
    expect(systemClock.monotonicMs() - asked, worker.output).toBeLessThan(15_000);
    worker.expectedEnd = 'failed';
    run.healed();
    const { worker: heir } = await run.worker('b', { obeys: false });
    await heir.running();
    expect(await run.verdict()).toBe('');
  });

  it('F30 user code whose promise never resolves fails at its deadline, which names the record, and is done again', async () => {
    await using run = await FaultRun.start({ brokers, settings: { processingTimeoutMs: 1500 } });
    const { worker } = await run.worker('a', { onUncaughtError: 'replace-worker' });
    await worker.running();
    await run.source.write(100);
    await run.source.write(100, { order: 'hang' });
    await worker.until('aware of it', () => worker.logged('the worker failed') !== undefined);
    expect(worker.logged('the worker failed')?.error).toMatchObject({
      code: 'PROCESSING_TIMEOUT',
      topic: topicOf(run.ledger, 'in'),
      offset: expect.any(Number),
    });
    run.healed();
    expect(await run.verdict()).toBe('');
  });

  it('F47 a transaction that the broker has given up is done again', async () => {
    await using broker = await BrokerProcess.start({ transactionAbortIntervalMs: 300 });
    const settings = { transactionTimeoutMs: 3000, commitIntervalMs: 3000, topicConfig: { 'max.message.bytes': '10000000' } };
    await using run = await FaultRun.start({
      brokers: broker.brokers,
      settings,
      drainLimitMs: 25_000,
      recordBytesMax: 10_000_000,
    });
    const [a] = (await run.workers('a')) as [Seat];
    await run.source.write(100);
    await run.drained();
    let isGivenUp = false;
    for (let attempt = 0; attempt < 10 && !isGivenUp; attempt++) {
      // More than is held back until the commit, so that a transaction is open on the broker while user code sleeps.
      for (let n = 0; n < 6; n++) await run.source.write(1, { padding: 'x'.repeat(900_000) });
      await run.source.write(10, { order: `sleep:${ASLEEP_MS} ${attempt}` });
      await a.worker.until('asleep', ({ orders }) => orders.length > attempt);
      isGivenUp = await vanishes(run, (a.worker.orders[attempt]?.atMs ?? 0) + ASLEEP_MS);
    }
    run.healed();
    const { findings, abortedRecords } = await run.conclude();
    expect(findings).toBe('');
    expect(abortedRecords).toBeGreaterThan(0);
  });
});

describe('records that are too large', () => {
  it('F26 for the output topic end the worker, which names the topic and has committed nothing of it', async () => {
    await using run = await FaultRun.start({ brokers });
    const { worker } = await run.worker('a');
    await worker.running();
    await run.source.write(100);
    await run.drained();
    const topic = topicOf(run.ledger, 'echo');
    await run.limit(topic, 20_000);
    await run.source.write(100, { padding: 'x'.repeat(50_000) });
    worker.expectedEnd = 'failed';
    expect(await worker.ended, worker.output).toEqual({ code: 1, signal: null });
    expect(worker.failure).toMatchObject({ code: 'RECORD_REFUSED', topic });
    await run.limit(topic, 1_000_000);
    await run.workers('a');
    run.healed();
    expect(await run.verdict()).toBe('');
  });

  it('F26 for one fetch come through all the same', async () => {
    const settings = { topicConfig: { 'max.message.bytes': '30000000' } };
    await using run = await FaultRun.start({ brokers, settings, recordBytesMax: 30_000_000, drainLimitMs: 25_000 });
    await run.workers('a');
    await run.source.write(100, { padding: 'x'.repeat(9_000_000) });
    await run.source.write(100);
    run.healed();
    expect(await run.verdict()).toBe('');
  });
});

describe('topics that change', () => {
  it('F22 partitions that are added to the input end a worker with state, which names both counts', async () => {
    await using run = await FaultRun.start({ brokers });
    const { worker } = await run.worker('a');
    await worker.running();
    await run.source.write(100);
    await run.drained();
    worker.expectedEnd = 'failed';
    const input = topicOf(run.ledger, 'in');
    for (const name of ['in', 'rates'] as const) await run.cluster.client.admin.createPartitions(topicOf(run.ledger, name), 5);
    const another = await run.worker('b');
    another.worker.expectedEnd = 'failed';
    await another.worker.ended;
    const { failure } = another.worker;
    // Without the topics' names, which are random.
    const message = failure?.message.replaceAll(run.ledger.prefix, '');
    expect(message, run.log).toMatch(/5/);
    expect(message).toMatch(/3/);
    expect(input).toBeDefined();
  });
});
