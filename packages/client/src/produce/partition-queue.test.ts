import { NO_HEADERS } from '@millrace/core';
import { RecordBatchBuilder } from '@millrace/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutgoingBatch } from './outgoing-batch.ts';
import { PartitionQueue } from './partition-queue.ts';
import { sequenceAfter } from './producer-identity.ts';

const IDENTITY = { producerId: 1, producerEpoch: 0 };
const VALUE = Buffer.from('v');

function batchOf(records: number, ordinal: number): OutgoingBatch {
  const builder = new RecordBatchBuilder();
  for (let i = 0; i < records; i++) builder.append(0, VALUE, -1, -1, VALUE, 0, 1, NO_HEADERS);
  return new OutgoingBatch(builder, 0, ordinal);
}

function queueOf(...sizes: number[]): PartitionQueue {
  const queue = new PartitionQueue('orders', 0);
  sizes.forEach((size, ordinal) => {
    queue.open = batchOf(size, ordinal);
    queue.close();
  });
  return queue;
}

describe('sequenceAfter', () => {
  it('wraps from 2^31 − 1 to 0', () => {
    expect(sequenceAfter(0, 5)).toBe(5);
    expect(sequenceAfter(2 ** 31 - 1, 1)).toBe(0);
    expect(sequenceAfter(2 ** 31 - 3, 5)).toBe(2);
  });
});

describe('a partition queue', () => {
  it('counts records, not batches', () => {
    const queue = queueOf(3, 2, 4);
    expect([queue.send(IDENTITY), queue.send(IDENTITY), queue.send(IDENTITY)].map(({ baseSequence }) => baseSequence)).toEqual([
      0, 3, 5,
    ]);
    expect(queue.nextSequence).toBe(9);
  });

  it('is established by the first acknowledgement under a producer id, and not by that of another', () => {
    const queue = queueOf(1, 1, 1);
    const first = queue.send(IDENTITY);
    expect(queue.isEstablished).toBe(false);
    queue.acknowledge(first, 1);
    expect(queue.isEstablished).toBe(true);
    queue.startOver();
    queue.send({ producerId: 2, producerEpoch: 0 });
    expect(queue.isEstablished).toBe(false);
  });

  it('sends nothing behind a batch that has to go again before all answers are there', () => {
    const queue = queueOf(1, 1, 1);
    const [first, second] = [queue.send(IDENTITY), queue.send(IDENTITY)];
    queue.putBack(first as OutgoingBatch);
    expect(queue.isDraining).toBe(true);
    queue.putBack(second as OutgoingBatch);
    expect(queue.isDraining).toBe(false);
    expect(queue.send(IDENTITY)).toBe(first);
    expect(queue.send(IDENTITY)).toBe(second);
  });

  it('keeps order and sequence whatever is answered in which way', () => {
    const outcomes = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }), outcomes, (sizes, succeeds) => {
        const queue = queueOf(...sizes);
        const acknowledged: OutgoingBatch[] = [];
        for (let i = 0; acknowledged.length < sizes.length; i++) {
          const round: OutgoingBatch[] = [];
          while (queue.waitingCount > 0 && !queue.isDraining && round.length < 5) round.push(queue.send(IDENTITY));
          // A leader accepts a batch only behind its predecessor.
          let broken = false;
          for (const batch of round) {
            broken ||= !(succeeds[i % succeeds.length] ?? true) && i < 50;
            if (broken) queue.putBack(batch);
            else {
              queue.acknowledge(batch, -1);
              acknowledged.push(batch);
            }
          }
        }
        let next = 0;
        for (const batch of acknowledged) {
          expect(batch.baseSequence).toBe(next);
          next += batch.builder.count;
        }
      }),
    );
  });

  it('takes a new identity from sequence 0 after it has started over', () => {
    const queue = queueOf(2, 2);
    const first = queue.send(IDENTITY);
    queue.startOver();
    queue.putBack(first);
    expect(queue.abandonedIdentity).toBe(IDENTITY);
    const next = { producerId: 2, producerEpoch: 0 };
    expect(queue.send(next)).toMatchObject({ identity: next, baseSequence: 0 });
    expect(queue.send(next).baseSequence).toBe(2);
  });

  it('starts over behind a batch that was given up, because of the gap', () => {
    const queue = queueOf(1, 1);
    const first = queue.send(IDENTITY);
    queue.giveUp(first);
    expect(queue.abandonedIdentity).toBe(IDENTITY);
  });

  it('needs no new identity when a batch is given up that was never sent', () => {
    const queue = queueOf(1, 1);
    queue.giveUp(queue.head as OutgoingBatch);
    expect(queue.abandonedIdentity).toBeUndefined();
    expect(queue.send(IDENTITY).baseSequence).toBe(0);
  });
});
