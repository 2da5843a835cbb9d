import fc from 'fast-check';
import { produce } from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import type { ProducerOptions } from '../port/kafka-client.ts';
import { appendText } from '../scripted-transport/append-text.ts';
import type { ManualClock } from '../scripted-transport/manual-clock.ts';
import { produceAnswer, scriptedKafka } from '../scripted-transport/scripted-kafka.ts';
import { ScriptedLog } from '../scripted-transport/scripted-log.ts';
import { ScriptedSpill } from '../scripted-transport/scripted-spill.ts';
import { answerLost } from '../scripted-transport/scripted-transport.ts';
import { BatchingProducer } from './batching-producer.ts';

const SMALL: ProducerOptions = { batchBytes: 200, bufferBytes: 1000, memoryBytes: 2000 };

async function producing(options: ProducerOptions = SMALL) {
  const kafka = scriptedKafka({ orders: [1, 1, 2] });
  const log = new ScriptedLog().attach(kafka.transport);
  const spill = new ScriptedSpill();
  const producer = new BatchingProducer(kafka.cluster, { spill, ...options });
  const topic = await producer.topic('orders');
  const append = (value: string, partition = 0) => appendText(producer, topic, partition, value);
  const flush = () => settled(kafka.clock, producer.flush());
  return { ...kafka, log, spill, producer, append, flush };
}

/** Waits for what takes many requests: with so many on their way, the next timer is not what is waited for. */
async function settled(clock: ManualClock, promise: Promise<void>): Promise<void> {
  let done = false;
  const end = () => (done = true);
  promise.then(end, end);
  for (let step = 0; !done && step < 1000; step++) {
    for (let turn = 0; turn < 10; turn++) await clock.settle();
    if (!done) await clock.advance(50);
  }
  return promise;
}

function values(count: number, prefix = 'value'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix} ${i}`.padEnd(50, '.'));
}

describe('more output than memory has room for', () => {
  it('is put aside, and sent in order without a gap in the sequence', async () => {
    const { log, spill, append, flush } = await producing();
    const many = values(500);
    for (const value of many) append(value);
    expect(spill.size).toBeGreaterThan(25_000);
    await flush();
    expect(log.values('orders', 0)).toEqual(many);
    const batches = log.batches('orders', 0);
    let sequence = 0;
    for (const batch of batches) {
      expect(batch.baseSequence).toBe(sequence);
      sequence += batch.values.length;
    }
  });

  it('gives its place back as soon as all of it is in memory again', async () => {
    const { spill, producer, append, flush } = await producing();
    for (const round of [1, 2]) {
      for (const value of values(200, `round ${round}`)) append(value);
      expect(spill.size).toBeGreaterThan(0);
      await flush();
      expect(spill.size).toBe(0);
    }
    await producer.close();
    expect(spill.isClosed).toBe(true);
  });

  it('is no exception to what is said about back-pressure: it lasts until nothing is aside any more', async () => {
    const { clock, spill, producer, append } = await producing({ ...SMALL, bufferBytes: 1_000_000, memoryBytes: 2000 });
    for (const value of values(200)) append(value);
    expect(producer.backPressure).toBe(true);
    await settled(clock, producer.drained());
    expect(spill.size).toBe(0);
  });

  it('stays in memory as long as it fits', async () => {
    const { spill, append, flush } = await producing({ ...SMALL, memoryBytes: 100_000 });
    for (const value of values(500)) append(value);
    await flush();
    expect(spill.writtenBytes).toBe(0);
  });

  it('counts what is in batches that are still being filled', async () => {
    const { log, spill, append, flush } = await producing({ ...SMALL, batchBytes: 100_000 });
    for (let i = 0; i < 300; i++) append(values(1, `${i}`)[0] as string, i % 3);
    expect(spill.writtenBytes).toBeGreaterThan(10_000);
    await flush();
    for (const partition of [0, 1, 2]) expect(log.values('orders', partition)).toHaveLength(100);
  });

  it('keeps its order when what comes back has to be sent again, or is split', async () => {
    const { transport, log, append, flush } = await producing();
    const many = values(300);
    for (const value of many) append(value);
    let requests = 0;
    transport.on(produce, (request) => {
      requests++;
      if (requests % 7 === 3) return answerLost();
      if (requests % 7 === 5) return produceAnswer(request, 6);
      return requests === 60 ? produceAnswer(request, 10) : log.append(request);
    });
    await flush();
    expect(log.values('orders', 0)).toEqual(many);
  });

  it('has its delivery timeout counted from the time when it is its turn', async () => {
    const { clock, transport, log, append, producer } = await producing({ ...SMALL, deliveryTimeoutMs: 1000 });
    const many = values(400);
    for (const value of many) append(value);
    transport.on(produce, async (request) => {
      await clock.sleep(100);
      return log.append(request);
    });
    await settled(clock, producer.flush());
    expect(log.values('orders', 0)).toEqual(many);
  });

  it('arrives whatever the sizes and the partitions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.nat(2)), { maxLength: 120 }),
        fc.integer({ min: 1, max: 5000 }),
        async (records, memoryBytes) => {
          const { log, spill, append, flush, producer } = await producing({ batchBytes: 300, bufferBytes: 1000, memoryBytes });
          const sent: string[][] = [[], [], []];
          for (const [size, partition] of records) {
            const value = `${sent[partition]?.length}`.padEnd(size, '.');
            append(value, partition);
            sent[partition]?.push(value);
          }
          await flush();
          expect([0, 1, 2].map((partition) => log.values('orders', partition))).toEqual(sent);
          expect([spill.size, producer.bufferedBytes, producer.backPressure]).toEqual([0, 0, false]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('output that cannot be put aside', () => {
  it('fails the record that made it and the flush, naming the partition and the way out', async () => {
    const { clock, spill, producer, append } = await producing();
    spill.failing.write = new Error('ENOSPC: no space left on device, write');
    const failure = { code: 'OUTPUT_SPILL_FAILED', topic: 'orders', partition: 0 };
    const appendMany = () => {
      for (const value of values(200)) append(value);
    };
    expect(appendMany).toThrow(/ENOSPC.*outputBufferMaxBytes.*orders-0/);
    expect(appendMany).toThrow(expect.objectContaining(failure));
    await expect(settled(clock, producer.flush())).rejects.toMatchObject(failure);
    await expect(settled(clock, producer.close())).rejects.toMatchObject(failure);
    expect(spill.isClosed).toBe(true);
  });

  it('does not throw into a timer that completes batches', async () => {
    const { clock, spill, producer, append } = await producing({ ...SMALL, lingerMs: 5, memoryBytes: 1 });
    spill.failing.write = new Error('ENOSPC');
    append('a');
    await clock.advance(10);
    await expect(settled(clock, producer.flush())).rejects.toMatchObject({ code: 'OUTPUT_SPILL_FAILED' });
  });

  it.each([
    ['cannot be read', (spill: ScriptedSpill) => (spill.failing.read = new Error('EIO: i/o error, read'))],
    ['has been damaged', (spill: ScriptedSpill) => spill.damage()],
  ])('nor come back because it %s fails the flush', async (_, harm) => {
    const { clock, spill, producer, append } = await producing();
    for (const value of values(200)) append(value);
    harm(spill);
    await expect(settled(clock, producer.flush())).rejects.toMatchObject({ code: 'OUTPUT_SPILL_FAILED', topic: 'orders' });
    expect(producer.bufferedBytes).toBe(0);
  });
});
