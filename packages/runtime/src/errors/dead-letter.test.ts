import { lastHeader, silentLogger } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { deadLetter, type DeadLetter } from './dead-letter.ts';
import { logAndContinueDeserialization, logAndFailDeserialization } from './deserialization-error-handler.ts';
import type { ErrorHandlerContext } from './error-handler-context.ts';
import { logAndContinueProcessing, logAndFailProcessing } from './processing-error-handler.ts';
import { defaultProductionErrorHandler, logAndContinueProduction } from './production-error-handler.ts';

const context: ErrorHandlerContext = {
  taskId: '0_1',
  node: 'parse',
  topic: 'orders',
  partition: 1,
  offset: 42,
  timestamp: 1000,
  headers: [{ key: 'trace', value: Buffer.from('t-1') }],
  sourceRawKey: Buffer.from('k'),
  sourceRawValue: Buffer.from([0xff, 0x00]),
  deadLetterTopic: 'dead',
};

function header(letter: DeadLetter, name: string): string | undefined {
  const value = lastHeader(letter.headers, `__streams.errors.${name}`);
  return value === undefined ? undefined : Buffer.from(value).toString();
}

describe('deadLetter', () => {
  it('carries the source record as it came, and says what failed and where in the headers of Kafka Streams', () => {
    const letter = deadLetter('dead', context, new TypeError('no such field'));
    expect(letter).toMatchObject({ topic: 'dead', key: context.sourceRawKey, value: context.sourceRawValue, timestamp: 1000 });
    expect(letter.headers.map(({ key }) => key)).toEqual([
      'trace',
      '__streams.errors.exception',
      '__streams.errors.message',
      '__streams.errors.stacktrace',
      '__streams.errors.topic',
      '__streams.errors.partition',
      '__streams.errors.offset',
    ]);
    expect(header(letter, 'exception')).toBe('TypeError');
    expect(header(letter, 'message')).toBe('no such field');
    expect(header(letter, 'stacktrace')).toMatch(/^TypeError: no such field\n +at /);
    expect([header(letter, 'topic'), header(letter, 'partition'), header(letter, 'offset')]).toEqual(['orders', '1', '42']);
  });

  it('has null for the topic in a punctuator, where there is none', () => {
    const letter = deadLetter('dead', { ...context, topic: undefined, partition: -1, offset: -1 }, new Error('x'));
    expect([header(letter, 'topic'), header(letter, 'partition'), header(letter, 'offset')]).toEqual([undefined, '-1', '-1']);
  });

  it('shows causes, also when they form a circle, and what is thrown without being an error', () => {
    const inner = new Error('inner');
    const outer = new Error('outer', { cause: inner });
    inner.cause = outer;
    expect(header(deadLetter('dead', context, outer), 'stacktrace')).toMatch(/outer[\s\S]*Caused by: Error: inner/);
    const thrown = deadLetter('dead', context, 'just text');
    expect([header(thrown, 'exception'), header(thrown, 'message'), header(thrown, 'stacktrace')]).toEqual([
      'string',
      'just text',
      'just text',
    ]);
  });

  it('is not made large by a large message', () => {
    const { headers } = deadLetter('dead', context, new Error('x'.repeat(1_000_000)));
    expect(headers.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)).toBeLessThan(21_000);
  });
});

describe('built-in error handlers', () => {
  const record = { key: undefined, value: undefined };
  const output = { ...record, topic: 'out' };
  const asked = (given: ErrorHandlerContext) => ({
    deserialization: [logAndContinueDeserialization, logAndFailDeserialization].map((make) =>
      make(silentLogger).handle(given, record, new Error('x')),
    ),
    processing: [logAndContinueProcessing, logAndFailProcessing].map((make) =>
      make(silentLogger).handle(given, record, new Error('x')),
    ),
    production: [logAndContinueProduction, defaultProductionErrorHandler].map((make) =>
      make(silentLogger).handleSerialization(given, output, new Error('x'), 'key'),
    ),
  });

  it.each(['deserialization', 'processing', 'production'] as const)(
    '%s: answer with a dead letter, if there is a topic',
    (kind) => {
      expect(asked(context)[kind]).toMatchObject([
        { decide: 'continue', deadLetters: [{ topic: 'dead', key: context.sourceRawKey }] },
        { decide: 'fail', deadLetters: [{ topic: 'dead', key: context.sourceRawKey }] },
      ]);
      expect(asked({ ...context, deadLetterTopic: undefined })[kind]).toEqual([{ decide: 'continue' }, { decide: 'fail' }]);
    },
  );
});
