import { ErrorCode } from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import { brokerError } from './broker-error.ts';
import { consequenceOf, isRefusal, passesByItself } from './consequence.ts';

describe('what follows from an error code', () => {
  it.each([
    ['RetriableError', [2, 3, 5, 6, 7, 9, 14, 15, 16, 19, 20, 51, 56, 74, 75, 78, 88]],
    ['TaskMigratedError', [22, 25, 27, 47, 82, 90]],
    ['TransactionAbortedError', [45, 48, 49, 59, 120]],
    ['FatalStreamsError', [10, 29, 30, 31, 35, 50, 53, 58, 87, 32000]],
  ] as const)('%s', (name, codes) => {
    for (const code of codes) expect(brokerError(code, { api: 'Produce' })).toMatchObject({ name });
  });

  it('says whether waiting helps', () => {
    expect(passesByItself(ErrorCode.NOT_LEADER_OR_FOLLOWER)).toBe(true);
    expect(passesByItself(ErrorCode.PRODUCER_FENCED)).toBe(false);
    expect(consequenceOf(ErrorCode.UNKNOWN_SERVER_ERROR)).toBe('fatal');
  });

  it('tells records that are refused from producers that are', () => {
    expect(isRefusal('MESSAGE_TOO_LARGE')).toBe(true);
    expect(isRefusal('TOPIC_AUTHORIZATION_FAILED')).toBe(false);
  });

  it('names what failed, where, what the broker said, and the way out', () => {
    const error = brokerError(10, { api: 'Produce', topic: 'orders', partition: 3, brokerMessage: 'too big' });
    expect(error.code).toBe('MESSAGE_TOO_LARGE');
    expect(error.message).toBe(
      'Produce was answered with MESSAGE_TOO_LARGE (10) "too big": raise max.message.bytes of the topic, or make the record smaller [orders-3]',
    );
  });
});
