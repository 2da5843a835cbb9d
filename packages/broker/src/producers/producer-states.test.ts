import { readBatchHeader, RecordBatchHeader } from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import { batchOf } from '../raw-client/requests.ts';
import { ProducerStates } from './producer-states.ts';

function header(baseSequence: number, baseOffset: number, options: { records?: number; transactional?: boolean } = {}) {
  const { records = 1, transactional = false } = options;
  const into = new RecordBatchHeader();
  const texts = Array.from({ length: records }, () => 'x');
  readBatchHeader(batchOf(texts, { producerId: 1, producerEpoch: 0, baseSequence, transactional }, 1000), 0, into);
  into.baseOffset = baseOffset;
  return into;
}

describe('what a partition knows of producers', () => {
  it('goes on at 0 behind the largest sequence, also in the middle of a batch', () => {
    const states = new ProducerStates();
    states.appended(header(0x7fffffff, 0));
    expect(states.check(header(0, 1))).toBeUndefined();
    states.appended(header(0, 1));
    const other = new ProducerStates();
    other.appended(header(0x7ffffffe, 0, { records: 4 }));
    expect(other.check(header(2, 4))).toBeUndefined();
    expect(() => other.check(header(3, 4))).toThrow('sequence 3 where 2 was expected');
  });

  it('knows the last five batches when they come again', () => {
    const states = new ProducerStates();
    for (let i = 0; i < 7; i++) states.appended(header(i, 10 + i));
    expect(states.check(header(2, 0))).toEqual({ baseOffset: 12, timestamp: 1000 });
    expect(() => states.check(header(1, 0))).toThrow('sequence 1 where 7 was expected');
  });

  it('refuses a batch outside of the transaction while that is open', () => {
    const states = new ProducerStates();
    states.appended(header(0, 5, { transactional: true }));
    expect([states.firstUnstableOffset, states.isOpen(1, 0), states.isOpen(1, 1)]).toEqual([5, true, false]);
    expect(() => states.check(header(1, 6))).toThrow('while its transaction is open');
    expect(states.ended(1, 0, 1000)).toBe(5);
    expect(states.firstUnstableOffset).toBeUndefined();
  });

  it('lets a transaction begin where the lowest sequence is that was announced, as strictly as the first announcement said', () => {
    const announcement = { producerId: 1, baseSequence: 2 };
    const strict = new ProducerStates();
    strict.announced({ ...announcement, producerEpoch: 0 }, true);
    expect(() => strict.check(header(2, 0, { transactional: true }))).toThrow('2 where 0 was expected');
    const lenient = new ProducerStates();
    lenient.announced({ ...announcement, producerEpoch: -1, baseSequence: 0 }, false);
    lenient.announced({ ...announcement, producerEpoch: 0 }, true);
    expect(lenient.check(header(2, 0, { transactional: true }))).toBeUndefined();
    expect(() => lenient.check(header(3, 0, { transactional: true }))).toThrow('3 where 2 was expected');
  });

  it('remembers over a marker what was announced before it, if each transaction has an epoch of its own', () => {
    const afterMarker = (bumpsEpoch: boolean): ProducerStates => {
      const states = new ProducerStates();
      states.appended(header(0, 0));
      states.announced({ producerId: 1, producerEpoch: 0, baseSequence: 0 }, bumpsEpoch);
      states.ended(1, 0, 1000);
      return states;
    };
    const next = header(1, 1, { transactional: true });
    expect(() => afterMarker(true).check(next)).toThrow('1 where 0 was expected');
    expect(afterMarker(false).check(next)).toBeUndefined();
  });

  it('refuses a transaction in an older epoch than it has seen when it is announced', () => {
    const states = new ProducerStates();
    states.ended(1, 4, 1000);
    expect(() => states.announced({ producerId: 1, producerEpoch: 3, baseSequence: 0 }, false)).toThrow('older than 4');
    expect(() => states.announced({ producerId: 1, producerEpoch: 4, baseSequence: 0 }, false)).not.toThrow();
  });

  it('forgets producers that are silent for long, but none with an open transaction', () => {
    const states = new ProducerStates();
    states.appended(header(0, 0, { transactional: true }));
    states.expire(10_000, 100);
    expect(states.get(1)).toBeDefined();
    states.ended(1, 0, 1000);
    states.expire(10_000, 100);
    expect(states.get(1)).toBeUndefined();
  });
});
