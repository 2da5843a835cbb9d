import { describe, expect, it } from 'vitest';
import { assert, ProcessingError, StreamsError } from './errors.ts';

describe('StreamsError', () => {
  it('says where, with what is known, and keeps the cause', () => {
    const cause = new Error('root');
    const error = new ProcessingError('X', 'it failed', {
      taskId: '0_1',
      topic: 'in',
      partition: 2,
      offset: 7,
      node: 'n',
      store: 's',
      cause,
    });
    expect(error.message).toBe('it failed [task 0_1, in-2, offset 7, node n, store s]');
    expect(error).toMatchObject({
      name: 'ProcessingError',
      code: 'X',
      taskId: '0_1',
      topic: 'in',
      partition: 2,
      offset: 7,
      cause,
    });
    expect(error).toBeInstanceOf(StreamsError);
  });

  it('says nothing about places it does not know', () => {
    expect(new StreamsError('X', 'it failed').message).toBe('it failed');
    expect(new StreamsError('X', 'it failed', { topic: 't' }).message).toBe('it failed [topic t]');
  });

  it('is what a broken invariant throws', () => {
    expect(() => assert(false, 'offsets rise')).toThrow('internal invariant broken: offsets rise');
  });
});
