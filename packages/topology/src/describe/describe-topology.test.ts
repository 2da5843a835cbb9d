import { string } from '@millrace/core';
import { keyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { Topology } from '../builder/topology.ts';
import { BalancedTree } from './balanced-tree.ts';
import { javaHashOrder } from './java-hash-order.ts';

const nothing = () => ({ init: () => undefined, process: () => undefined });

describe('the description', () => {
  it('is Kafka Streams’ text: larger sub-trees first, then by name', () => {
    const topology = new Topology()
      .addSource('in', ['a', 'b'])
      .addNode('small', nothing, ['in'])
      .addNode('large', nothing, ['in'])
      .addNode('large-child', nothing, ['large'])
      .addSink('out', 'out', ['large-child'])
      .addStateStore(keyValueStore('counts', string(), string()), ['small']);
    expect(topology.describe()).toBe(`Topologies:
   Sub-topology: 0
    Source: in (topics: [a, b])
      --> large, small
    Processor: large (stores: [])
      --> large-child
      <-- in
    Processor: large-child (stores: [])
      --> out
      <-- large
    Sink: out (topic: out)
      <-- large-child
    Processor: small (stores: [counts])
      --> none
      <-- in

`);
  });

  it('shows global stores as parts without tasks, patterns, and sinks that choose their topic', () => {
    const byKey = (key: unknown) => String(key);
    const topology = new Topology()
      .addGlobalStore(
        keyValueStore('global', string(), string(), { logging: false }),
        { name: 'g-source', topic: 'g' },
        { name: 'g', supplier: () => ({ process: () => undefined }) },
      )
      .addSource('in', /in.*/)
      .addSink('out', byKey, ['in']);
    expect(topology.describe()).toBe(`Topologies:
   Sub-topology: 0 for global store (will not generate tasks)
    Source: g-source (topics: [g])
      --> g
    Processor: g (stores: [global])
      --> none
      <-- g-source
  Sub-topology: 1
    Source: in (topics: in.*)
      --> out
    Sink: out (extractor class: byKey)
      <-- in

`);
  });

  it('places children by the sizes they have when they are connected, as Kafka does', () => {
    const topology = new Topology()
      .addSource('KSTREAM-SOURCE-0000000000', 'in')
      .addNode('sp-', nothing, ['KSTREAM-SOURCE-0000000000'])
      .addNode('sp-1', nothing, ['sp-'])
      .addNode('sp-2', nothing, ['sp-'])
      .addSink('KSTREAM-SINK-0000000004', 'o1', ['sp-1'])
      .addSink('KSTREAM-SINK-0000000005', 'o2', ['sp-2']);
    expect(topology.describe()).toContain('Processor: sp- (stores: [])\n      --> sp-2, sp-1\n');
  });
});

describe('the order of a Java hash set', () => {
  it('is that of String.hashCode in a table of 16 places, doubled when three quarters full', () => {
    expect(javaHashOrder(['c', 'b', 'a', 'q'])).toEqual(['a', 'q', 'b', 'c']);
    const many = Array.from({ length: 13 }, (_, i) => String.fromCharCode(97 + 2 * i));
    expect(javaHashOrder([...many].reverse())[0]).toBe('a');
    expect(javaHashOrder(many)).toHaveLength(13);
  });
});

describe('the balanced tree', () => {
  it('keeps its values sorted, each once', () => {
    const tree = new BalancedTree<number>((a, b) => a - b);
    const values = Array.from({ length: 200 }, (_, i) => (i * 7919) % 101);
    for (const value of values) tree.add(value);
    expect(tree.values()).toEqual([...new Set(values)].sort((a, b) => a - b));
  });
});
