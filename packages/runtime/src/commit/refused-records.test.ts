import { describe, expect, it } from 'vitest';
import { silentLogger } from '@millrace/core';
import type { BatchAppender, ProduceFailure } from '@millrace/client';
import type { ProductionDecision } from '../errors/production-error-handler.ts';
import { RefusedRecords } from './refused-records.ts';

function refused(decisions: readonly ProductionDecision['decide'][], isAtomic: boolean): RefusedRecords {
  const error = new Error('too large');
  const failures: ProduceFailure[] = decisions.map((_, partition) => ({ topic: 'out', partition, error }));
  return new RefusedRecords({
    appender: { takeFailure: () => failures.shift() } as unknown as BatchAppender,
    handler: {
      handle: ({ partition }) => ({ decide: decisions[partition] ?? 'fail' }),
      handleSerialization: () => ({ decide: 'fail' }),
    },
    logger: silentLogger,
    isAtomic,
  });
}

describe('RefusedRecords', () => {
  it('has nothing to say when nothing was refused', () => {
    expect(refused([], true).judge()).toBe('none');
  });

  it('goes on without records that the handler gives up, at least once', () => {
    expect(refused(['continue', 'continue'], false).judge()).toBe('go-on');
  });

  it('repeats the work when the handler wants one of them again', () => {
    expect(refused(['retry', 'continue'], false).judge()).toBe('retry');
  });

  it('stops with topic and partition when the handler says so', () => {
    expect(() => refused(['continue', 'fail'], false).judge()).toThrow(/too large.*\[out-1\]/);
  });

  it('stops when a record is to be given up out of a transaction', () => {
    expect(() => refused(['continue'], true).judge()).toThrow('a transaction cannot leave out one of its records');
  });
});
