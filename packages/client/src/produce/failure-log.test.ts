import { FatalStreamsError, ProcessingError, TaskMigratedError, TransactionAbortedError } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { FailureLog } from './failure-log.ts';

const refusal = { topic: 'orders', partition: 1, error: new ProcessingError('MESSAGE_TOO_LARGE', 'too large') };
const fence = { topic: 'orders', partition: 0, error: new TaskMigratedError('INVALID_PRODUCER_EPOCH', 'another one took over') };

describe('the failures of a producer', () => {
  it('are told once to the flush and once to whoever asks for refused records, the first one each time', () => {
    const log = new FailureLog();
    log.record(refusal);
    log.record({ ...refusal, partition: 2 });
    expect([log.takeForFlush(), log.takeForFlush()]).toEqual([refusal.error, undefined]);
    expect([log.take(), log.take()]).toEqual([refusal, undefined]);
  });

  it('are no refused record when the producer has been fenced: only the flush fails', () => {
    const log = new FailureLog();
    log.record(fence);
    expect([log.takeForFlush(), log.take()]).toEqual([fence.error, undefined]);
  });

  it('are no refused record when the sequence of batches is broken: the transaction is aborted and done again', () => {
    const log = new FailureLog();
    const error = new TransactionAbortedError('OUT_OF_ORDER_SEQUENCE_NUMBER', 'a batch is missing');
    log.record({ topic: 'orders', partition: 0, error });
    expect([log.takeForFlush(), log.take()]).toEqual([error, undefined]);
  });

  it.each(['AUTHENTICATION_FAILED', 'TOPIC_AUTHORIZATION_FAILED', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'])(
    'F43: are no refused record when it is the client that is refused: %s',
    (code) => {
      const log = new FailureLog();
      const error = new FatalStreamsError(code, 'not you');
      log.record({ topic: 'orders', partition: 0, error });
      expect([log.takeForFlush(), log.take()]).toEqual([error, undefined]);
    },
  );

  it('do not hide a refused record behind a fence', () => {
    const log = new FailureLog();
    log.record(fence);
    log.record(refusal);
    expect(log.take()).toEqual(refusal);
  });
});
