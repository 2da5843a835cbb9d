import { int64, string, topic } from '@millrace/core';
import { keyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { StreamsBuilder } from '../streams-builder.ts';
import type { ValueTransformerSupplier } from '../operators/value-transformer.ts';

const text = topic('text', { key: string(), value: string() });

const shout: ValueTransformerSupplier<string, string, string | undefined> = () => ({
  transform: (value) => value?.toUpperCase(),
});

describe('adding transformValues', () => {
  it('connects the stores that the options name and those that the supplier brings', () => {
    const builder = new StreamsBuilder();
    builder.addStateStore(keyValueStore('named', string(), int64()));
    const supplier = Object.assign(() => ({ transform: (value: string | undefined) => value }), {
      stores: [keyValueStore('brought', string(), int64())],
    });
    builder.table(text).transformValues(supplier, { name: 'own', stores: ['named'], store: 'result', value: string() });
    const connected = builder
      .build()
      .definition()
      .stores.filter(({ nodes }) => nodes.includes('own'));
    expect(connected.map((store) => store.builder.name).sort()).toEqual(['brought', 'named', 'result']);
  });

  it('takes no number for a store that is described but not named', () => {
    const builder = new StreamsBuilder();
    builder.table(text, { store: 'table' }).transformValues(shout, { caching: false }).toStream();
    const names = builder
      .build()
      .definition()
      .nodes.map(({ name }) => name);
    expect(names).toContain('KTABLE-TRANSFORMVALUES-0000000002');
    expect(names).toContain('KTABLE-TOSTREAM-0000000003');
  });

  it('refuses a supplier that gives every task the same transformer', () => {
    const shared = { transform: (value: string | undefined) => value };
    expect(() => new StreamsBuilder().table(text).transformValues(() => shared)).toThrow(
      expect.objectContaining({ code: 'SHARED_PROCESSOR' }),
    );
  });
});
