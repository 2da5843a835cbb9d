import { initProducerId, metadata, produce } from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import type { ProducerOptions } from '../port/kafka-client.ts';
import { appendText } from '../scripted-transport/append-text.ts';
import { produceAnswer, scriptedKafka } from '../scripted-transport/scripted-kafka.ts';
import { ScriptedLog } from '../scripted-transport/scripted-log.ts';
import { answerLost, notSent } from '../scripted-transport/scripted-transport.ts';
import { BatchingProducer } from './batching-producer.ts';

async function producing(options: ProducerOptions = {}, topics?: Record<string, number[]>) {
  const kafka = scriptedKafka(topics);
  const log = new ScriptedLog().attach(kafka.transport);
  const producer = new BatchingProducer(kafka.cluster, options);
  const topic = await producer.topic('orders');
  const flush = () => kafka.clock.until(producer.flush());
  return { ...kafka, log, producer, topic, flush };
}

describe('the batching producer', () => {
  it('puts the batches of many partitions into one request per leader', async () => {
    const { transport, log, producer, topic, flush } = await producing({}, { orders: [1, 1, 2] });
    for (const partition of [0, 1, 2, 0]) appendText(producer, topic, partition, `p${partition}`);
    await flush();
    expect(transport.bodies(produce)).toHaveLength(2);
    expect(log.values('orders', 0)).toEqual(['p0', 'p0']);
    expect(log.values('orders', 2)).toEqual(['p2']);
    expect(producer.endOffset('orders', 0)).toBe(2);
    expect(producer.endOffset('orders', 1)).toBe(1);
    expect(producer.bufferedBytes).toBe(0);
  });

  it('sends by itself when the linger time is over', async () => {
    const { clock, log, producer, topic } = await producing({ lingerMs: 5 });
    appendText(producer, topic, 0, 'a');
    await clock.advance(4);
    expect(log.values('orders', 0)).toEqual([]);
    await clock.advance(1);
    expect(log.values('orders', 0)).toEqual(['a']);
  });

  it('sends a full batch without waiting', async () => {
    const { clock, log, producer, topic } = await producing({ batchBytes: 200, lingerMs: 1000 });
    for (let i = 0; i < 10; i++) appendText(producer, topic, 0, `record ${i} of some length`);
    await clock.settle();
    expect(log.values('orders', 0).length).toBeGreaterThan(4);
  });

  it('gives batches of a partition consecutive sequence numbers', async () => {
    const { log, producer, topic, flush } = await producing({ batchBytes: 100 });
    for (let i = 0; i < 6; i++) appendText(producer, topic, 0, 'x'.repeat(40));
    await flush();
    const sequences = log.batches('orders', 0).map(({ baseSequence }) => baseSequence);
    expect(sequences[0]).toBe(0);
    expect([...sequences].sort((a, b) => a - b)).toEqual(sequences);
    expect(new Set(log.batches('orders', 0).map(({ producerId }) => producerId)).size).toBe(1);
  });

  it('sends the very same bytes again when an answer is lost, and the log keeps one copy', async () => {
    const { transport, log, producer, topic, flush } = await producing();
    transport.once(produce, (request) => {
      log.append(request);
      return answerLost();
    });
    appendText(producer, topic, 0, 'once');
    await flush();
    const [first, second] = transport.sent.filter(({ name }) => name === 'Produce');
    expect(second?.bytes).toEqual(first?.bytes);
    expect(log.values('orders', 0)).toEqual(['once']);
    expect(producer.endOffset('orders', 0)).toBe(1);
  });

  it('keeps the order when the first of several batches in flight fails', async () => {
    const { transport, log, producer, topic, flush } = await producing({ batchBytes: 80 });
    transport.once(produce, (request) => produceAnswer(request, 6));
    const values = Array.from({ length: 12 }, (_, i) => `value-${i}`.padEnd(40, '.'));
    for (const value of values) appendText(producer, topic, 0, value);
    await flush();
    expect(log.values('orders', 0)).toEqual(values);
  });

  it('follows a leader that moves', async () => {
    const { transport, log, leaders, producer, topic, flush } = await producing({}, { orders: [1] });
    transport.once(produce, (request) => {
      leaders.set('orders', [2]);
      return produceAnswer(request, 6);
    });
    appendText(producer, topic, 0, 'a');
    await flush();
    expect(log.values('orders', 0)).toEqual(['a']);
    expect(transport.sent.filter(({ name }) => name === 'Produce').map(({ target }) => target)).toEqual([1, 2]);
  });

  it('waits for a leader while there is none', async () => {
    const { clock, log, leaders, producer, topic } = await producing({ lingerMs: 0 }, { orders: [1] });
    leaders.set('orders', [-1]);
    appendText(producer, topic, 0, 'first');
    await clock.advance(10);
    const flushed = producer.flush();
    leaders.set('orders', [2]);
    await clock.until(flushed);
    expect(log.values('orders', 0)).toEqual(['first']);
  });

  it('retries what could not be sent', async () => {
    const { transport, log, producer, topic, flush } = await producing();
    transport.once(produce, notSent).once(produce, notSent);
    appendText(producer, topic, 0, 'a');
    await flush();
    expect(log.values('orders', 0)).toEqual(['a']);
  });

  it.each([59, 45, 47])('goes on under a new producer id when the broker has lost the sequence (error %i)', async (errorCode) => {
    const { transport, log, producer, topic, flush } = await producing();
    appendText(producer, topic, 0, 'a');
    appendText(producer, topic, 1, 'other');
    await flush();
    transport.once(produce, (request) => produceAnswer(request, errorCode));
    appendText(producer, topic, 0, 'b');
    await flush();
    appendText(producer, topic, 1, 'other again');
    await flush();
    expect(log.values('orders', 0)).toEqual(['a', 'b']);
    const [before, after] = log.batches('orders', 0);
    expect(after?.producerId).not.toBe(before?.producerId);
    expect(after?.baseSequence).toBe(0);
    expect(transport.bodies(initProducerId)).toHaveLength(2);
  });

  it('splits a batch that is too large, in order and without a gap in the sequence', async () => {
    const { transport, log, producer, topic, flush } = await producing();
    transport.once(produce, (request) => produceAnswer(request, 10)).once(produce, (request) => produceAnswer(request, 10));
    const values = ['a', 'b', 'c', 'd', 'e'];
    for (const value of values) appendText(producer, topic, 0, value, [{ key: 'h', value: Buffer.from(value) }]);
    await flush();
    expect(log.values('orders', 0)).toEqual(values);
    expect(log.batches('orders', 0).map(({ baseSequence }) => baseSequence)).toEqual([0, 2, 3]);
  });

  it('reports a record that is refused, and goes on with the others', async () => {
    const { transport, log, clock, producer, topic, flush } = await producing();
    transport.once(produce, (request) => produceAnswer(request, 87));
    appendText(producer, topic, 0, 'bad');
    await expect(clock.until(producer.flush())).rejects.toThrow(/INVALID_RECORD/);
    expect(producer.takeFailure()).toMatchObject({ topic: 'orders', partition: 0, error: { code: 'INVALID_RECORD' } });
    expect(producer.takeFailure()).toBeUndefined();
    appendText(producer, topic, 0, 'good');
    await flush();
    expect(log.values('orders', 0)).toEqual(['good']);
  });

  it('reports a single record that is too large', async () => {
    const { transport, clock, producer, topic } = await producing();
    transport.once(produce, (request) => produceAnswer(request, 10));
    appendText(producer, topic, 0, 'huge');
    await expect(clock.until(producer.flush())).rejects.toThrow(/max.message.bytes/);
  });

  it('gives up after the delivery timeout, naming the partition', async () => {
    const { transport, clock, producer, topic } = await producing({ deliveryTimeoutMs: 10_000 });
    transport.on(produce, () => answerLost());
    appendText(producer, topic, 1, 'a');
    await expect(clock.until(producer.flush())).rejects.toMatchObject({
      code: 'DELIVERY_TIMEOUT',
      topic: 'orders',
      partition: 1,
    });
    expect(producer.bufferedBytes).toBe(0);
  });

  it('fails waiting records when it gets no producer id', async () => {
    const { transport, clock, producer, topic } = await producing();
    transport.once(initProducerId, () => ({ errorCode: 31, producerEpoch: -1 }));
    appendText(producer, topic, 0, 'a');
    await expect(clock.until(producer.flush())).rejects.toMatchObject({ code: 'CLUSTER_AUTHORIZATION_FAILED' });
  });

  it('writes without identity, one batch at a time per partition, when it is not idempotent', async () => {
    const { transport, log, producer, topic, flush } = await producing({ idempotent: false, batchBytes: 80, acks: 1 });
    transport.once(produce, (request) => produceAnswer(request, 7));
    const values = Array.from({ length: 5 }, (_, i) => `v${i}`.padEnd(40));
    for (const value of values) appendText(producer, topic, 0, value);
    await flush();
    expect(log.values('orders', 0)).toEqual(values);
    expect(transport.bodies(initProducerId)).toEqual([]);
  });

  it('waits for no answer with acks 0', async () => {
    const { log, producer, topic, flush } = await producing({ idempotent: false, acks: 0 });
    appendText(producer, topic, 0, 'a');
    await flush();
    expect(log.values('orders', 0)).toEqual(['a']);
    expect(producer.endOffset('orders', 0)).toBe(-1);
  });

  it('says so while more is buffered than it should be', async () => {
    const { clock, producer, topic } = await producing({ bufferBytes: 500, batchBytes: 100 });
    while (!producer.backPressure) appendText(producer, topic, 0, 'x'.repeat(50));
    await clock.until(producer.drained());
    expect(producer.backPressure).toBe(false);
  });

  it('refuses an unknown topic once the cluster has had time to hear of it', async () => {
    const { clock, producer, transport } = await producing();
    await expect(clock.until(producer.topic('nowhere'))).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC', topic: 'nowhere' });
    expect(transport.bodies(metadata).every(({ allowAutoTopicCreation }) => !allowAutoTopicCreation)).toBe(true);
  });

  it('refuses a partition that the topic does not have', async () => {
    const { producer, topic } = await producing();
    expect(() => appendText(producer, topic, 7, 'a')).toThrow(/has 2 partitions/);
  });

  it('drops what is unsent when it is abandoned', async () => {
    const { log, producer, topic } = await producing();
    appendText(producer, topic, 0, 'a');
    await producer.close(true);
    expect(log.values('orders', 0)).toEqual([]);
    expect(() => appendText(producer, topic, 0, 'b')).toThrow(/closed/);
  });

  it('names all settings that are out of range at once', () => {
    const { cluster } = scriptedKafka();
    expect(() => new BatchingProducer(cluster, { maxInFlight: 6, acks: 1 })).toThrow(/maxInFlight.*acks/);
  });
});
