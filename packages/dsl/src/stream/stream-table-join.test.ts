import { json, string, topic } from '@millrace/core';
import { timestampedKeyValueStore, versionedKeyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import type { MaterializedOptions } from '../options/materialized.ts';
import { StreamsBuilder } from '../streams-builder.ts';
import type { KTable } from '../streams.ts';

const text = { key: string(), value: json<string>() };
const throwing = (code: string) => expect.objectContaining({ code });

type Table = KTable<string, string>;

function join(table: MaterializedOptions<string, string>, derive: (table: Table) => Table = (same) => same) {
  const builder = new StreamsBuilder();
  const joined = derive(builder.table(topic('table', text), table));
  builder.stream(topic('in', text)).join(joined, (a, b) => a + b, { name: 'enrich', grace: '1 minute' });
  return builder.build().definition().stores;
}

describe('adding a stream-table join with grace', () => {
  it('gives the join a buffer', () => {
    const stores = join({ store: 'table', versioned: '1 minute' });
    expect(stores.map(({ builder, nodes }) => [builder.name, builder.kind, nodes.includes('enrich')])).toEqual([
      ['table', 'versioned', true],
      ['enrich-Buffer', 'recordBuffer', true],
    ]);
    expect(stores[0]?.builder.changelogConfig).toEqual({
      'cleanup.policy': 'compact',
      'min.compaction.lag.ms': String(60_000 + 86_400_000),
    });
  });

  it('takes a versioned store of the program’s own, and a table derived from a versioned one', () => {
    const store = versionedKeyValueStore('own', string(), json<string>(), { historyRetentionMs: 60_000 });
    expect(() => join({ store })).not.toThrow();
    expect(() => join({ store }, (table) => table.filter(() => true).mapValues((value) => value))).not.toThrow();
  });

  it('refuses a table without history, or with too short a one', () => {
    expect(() => join({ store: 'table' })).toThrow(throwing('TABLE_NOT_VERSIONED'));
    expect(() => join({ store: timestampedKeyValueStore('own', string(), json()) })).toThrow(throwing('TABLE_NOT_VERSIONED'));
    expect(() => join({ store: 'table', versioned: '59 seconds' })).toThrow(throwing('HISTORY_TOO_SHORT'));
    const stored = (table: Table) => table.filter(() => true, { store: 'filtered' });
    expect(() => join({ store: 'table', versioned: '1 minute' }, stored)).toThrow(throwing('TABLE_NOT_VERSIONED'));
  });

  it('wants a name for a versioned store', () => {
    expect(() => join({ versioned: '1 minute' })).toThrow(throwing('VERSIONED_STORE_UNNAMED'));
  });
});
