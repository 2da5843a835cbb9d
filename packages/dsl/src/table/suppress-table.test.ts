import { json, string, topic } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { untilTimeLimit, untilWindowCloses } from '../options/suppressed.ts';
import { StreamsBuilder } from '../streams-builder.ts';
import { SessionWindows } from '../windows/session-windows.ts';
import { TimeWindows } from '../windows/time-windows.ts';

const text = { key: string(), value: json<string>() };
const throwing = (code: string) => expect.objectContaining({ code });

describe('adding a suppressed table', () => {
  it('gives it a store, with a changelog to be configured or left out', () => {
    const builder = new StreamsBuilder();
    const table = builder.table(topic('in', text), { store: 'table' });
    table.suppress(untilTimeLimit(10), { name: 'calm', logging: { 'segment.bytes': '1000' } });
    table.suppress(untilTimeLimit(10), { name: 'quiet', logging: false });
    const stores = builder
      .build()
      .definition()
      .stores.map(({ builder: store }) => store);
    expect(stores.map(({ name, loggingEnabled, changelogConfig }) => [name, loggingEnabled, changelogConfig])).toEqual([
      ['table', true, { 'cleanup.policy': 'compact' }],
      ['calm-store', true, { 'cleanup.policy': 'compact', 'segment.bytes': '1000' }],
      ['quiet-store', false, { 'cleanup.policy': 'compact' }],
    ]);
  });

  it('gives its parent a store, as the value before the first waiting change is needed', () => {
    const builder = new StreamsBuilder();
    builder
      .table(topic('in', text))
      .mapValues((value) => value.length)
      .suppress(untilTimeLimit(10), { name: 'calm', value: json<number>() });
    const stores = builder
      .build()
      .definition()
      .stores.map(({ builder: { name } }) => name);
    expect(stores).toEqual(['in-STATE-STORE-0000000000', 'calm-store']);
  });

  it('waits for windows, also through tables derived from them; nowhere else', () => {
    const builder = new StreamsBuilder();
    const table = builder.table(topic('table', text));
    const grouped = builder.stream(topic('in', text)).groupByKey();
    const counts = grouped.windowedBy(TimeWindows.ofSizeAndGrace(10, 5)).count();
    counts.mapValues((count) => count + 1).suppress(untilWindowCloses(), { value: json<number>() });
    grouped.windowedBy(SessionWindows.ofInactivityGapAndGrace(10, 5)).count().suppress(untilWindowCloses());
    expect(() => table.suppress(untilWindowCloses() as never)).toThrow(throwing('NOT_WINDOWED'));
    expect(() => grouped.count().suppress(untilWindowCloses() as never)).toThrow(/root → KSTREAM-SOURCE-.* → KSTREAM-AGGREGATE-/);
  });

  it('refuses versioned tables', () => {
    const builder = new StreamsBuilder();
    const table = builder.table(topic('in', text), { store: 'table', versioned: '1 hour' });
    expect(() => table.filter(() => true).suppress(untilTimeLimit(10))).toThrow(throwing('SUPPRESS_VERSIONED'));
  });
});
