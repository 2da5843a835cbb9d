import { int64, string, topic } from '@millrace/core';
import { expect, it } from 'vitest';
import { StreamsBuilder } from '../streams-builder.ts';
import { SlidingWindows } from '../windows/sliding-windows.ts';
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
