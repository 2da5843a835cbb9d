import { describe, expect, it } from 'vitest';
import { FatalStreamsError, ProcessingError } from '@millrace/core';
import { fromPortableError, toPortableError } from './portable-error.ts';

const crossed = (error: unknown): Error => fromPortableError(structuredClone(toPortableError(error)));

describe('an error that crosses threads', () => {
  it('keeps its class, code, place, stack and cause', () => {
    const original = new ProcessingError('PROCESSING_FAILED', 'user code failed', {
      taskId: '0_1',
      topic: 'orders',
      partition: 1,
      offset: 7,
      cause: new TypeError('x is not a function'),
    });
    const error = crossed(original);
    expect(error).toBeInstanceOf(ProcessingError);
    expect(error).toMatchObject({
      name: 'ProcessingError',
      code: 'PROCESSING_FAILED',
      taskId: '0_1',
      topic: 'orders',
      offset: 7,
    });
    expect(error.message).toBe(original.message);
    expect(error.stack).toBe(original.stack);
    expect(error.cause).toMatchObject({ name: 'TypeError', message: 'x is not a function' });
  });

  it('is an error even when something else was thrown, and ends although its causes do not', () => {
    expect(crossed('text').message).toBe('text');
    const looped = new FatalStreamsError('LOOPED', 'loops');
    Object.assign(looped, { cause: looped, handle: () => undefined });
    expect(crossed(looped)).toMatchObject({ code: 'LOOPED' });
  });
});
