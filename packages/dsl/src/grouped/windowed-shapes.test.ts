import { int64, string, topic } from '@millrace/core';
import { versionedKeyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { StreamsBuilder } from '../streams-builder.ts';
import { SessionWindows } from '../windows/session-windows.ts';
import { SlidingWindows } from '../windows/sliding-windows.ts';
import { TimeWindows } from '../windows/time-windows.ts';
import { UnlimitedWindows } from '../windows/unlimited-windows.ts';

const orders = topic('orders', { key: string(), value: int64() });

it('results on window close are refused for windows that never close', () => {
  const grouped = new StreamsBuilder().stream(orders).groupByKey();
  expect(() => grouped.windowedBy(UnlimitedWindows.of(), { emit: 'on-window-close' })).toThrow(
    expect.objectContaining({ name: 'TopologyError', code: 'WINDOW_NEVER_CLOSES' }),
  );
});

it('sliding windows need a retention as long as their operator looks back', () => {
  const grouped = new StreamsBuilder().stream(orders).groupByKey();
  const windows = SlidingWindows.ofTimeDifferenceAndGrace(10, 5);
  expect(() => grouped.windowedBy(windows).count({ retention: 24 })).toThrow(
    expect.objectContaining({ code: 'RETENTION_TOO_SHORT' }),
  );
});

describe('a versioned store cannot keep', () => {
  const grouped = () => new StreamsBuilder().stream(orders).groupByKey();
  const versioned = { store: 'kept', versioned: '1 hour' } as const;
  const refusal = expect.objectContaining({ name: 'TopologyError', code: 'WINDOWED_VERSIONED' });

  it('windows', () => {
    const windowed = grouped().windowedBy(TimeWindows.ofSizeWithNoGrace('1 minute'));
    expect(() => windowed.count(versioned)).toThrow(refusal);
  });

  it('sliding windows', () => {
    const windowed = grouped().windowedBy(SlidingWindows.ofTimeDifferenceWithNoGrace('1 minute'));
    expect(() => windowed.count(versioned)).toThrow(refusal);
  });

  it('sessions', () => {
    const windowed = grouped().windowedBy(SessionWindows.ofInactivityGapWithNoGrace('1 minute'));
    expect(() => windowed.count(versioned)).toThrow(refusal);
  });

  it('windows of several streams together', () => {
    const windowed = grouped()
      .cogroup((total: number, value) => total + value)
      .windowedBy(TimeWindows.ofSizeWithNoGrace('1 minute'));
    expect(() => windowed.aggregate(() => 0, { ...versioned, value: int64() })).toThrow(refusal);
  });

  it('windows when it is a store of the program', () => {
    const store = versionedKeyValueStore('own', string(), int64(), { historyRetentionMs: 1000 });
    const windowed = grouped().windowedBy(TimeWindows.ofSizeWithNoGrace('1 minute'));
    expect(() => windowed.count({ store })).toThrow(refusal);
  });
});
