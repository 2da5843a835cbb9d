import { string } from '@millrace/core';
import { keyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { Topology } from '../builder/topology.ts';
import { resolvePartitionCounts } from './partition-counts.ts';

const nothing = () => ({ init: () => undefined, process: () => undefined });

/** `from` → repartition topic `name`. */
function repartition(topology: Topology, name: string, from: string, partitions?: number): Topology {
  return topology.addRepartitionTopic(name, partitions).addSink(`${name}-sink`, name, [from]).addSource(`${name}-source`, name);
}

function counts(topology: Topology, external: Record<string, number>) {
  const { repartitionTopics, tasks, changelogs } = resolvePartitionCounts(topology.plan(), new Map(Object.entries(external)));
  return {
    repartitionTopics: Object.fromEntries(repartitionTopics),
    tasks: Object.fromEntries(tasks),
    changelogs: Object.fromEntries(changelogs),
  };
}

describe('partition counts', () => {
  it('give a sub-topology as many tasks as its largest source, and a changelog as many partitions', () => {
    const topology = new Topology()
      .addSource('a', 'a')
      .addSource('b', /b.*/)
      .addNode('n', nothing, ['a', 'b'])
      .addStateStore(keyValueStore('s', string(), string()), ['n'])
      .addStateStore(keyValueStore('silent', string(), string(), { logging: false }), ['n']);
    expect(counts(topology, { a: 2, b1: 5, other: 9 })).toEqual({ repartitionTopics: {}, tasks: { 0: 5 }, changelogs: { s: 5 } });
  });

  it('pass on from sub-topology to sub-topology', () => {
    const topology = new Topology().addSource('a', 'a');
    repartition(repartition(topology, 'second', 'a'), 'first', 'second-source').addSink('out', 'out', ['first-source']);
    expect(counts(topology, { a: 3 })).toMatchObject({
      repartitionTopics: { first: 3, second: 3 },
      tasks: { 0: 3, 1: 3, 2: 3 },
    });
  });

  it('take what the user demands', () => {
    const topology = repartition(new Topology().addSource('a', 'a'), 'r', 'a', 7).addSink('out', 'out', ['r-source']);
    expect(counts(topology, { a: 3 })).toMatchObject({ repartitionTopics: { r: 7 }, tasks: { 0: 3, 1: 7 } });
  });

  it('cannot follow from nothing', () => {
    const topology = repartition(new Topology().addRepartitionTopic('r').addSource('r-in', 'r'), 'r2', 'r-in');
    expect(() => counts(topology, {})).toThrow(expect.objectContaining({ code: 'PARTITION_COUNT_UNKNOWN' }));
  });

  it('name every source topic that is missing', () => {
    const topology = new Topology().addSource('a', ['a', 'b', 'c']).addSink('out', 'out', ['a']);
    expect(() => counts(topology, { b: 1 })).toThrow(/a, c; create them/);
  });
});

describe('co-partitioned topics', () => {
  const joined = (left: number | undefined) => {
    const topology = repartition(new Topology().addSource('a', 'a').addSource('b', 'b'), 'r', 'a', left);
    return topology.addNode('join', nothing, ['b', 'r-source']).copartitionSources(['b', 'r-source']);
  };

  it('must have equal counts: the error names both with their counts', () => {
    const topology = new Topology()
      .addSource('a', 'a')
      .addSource('b', 'b')
      .addNode('join', nothing, ['a', 'b'])
      .copartitionSources(['a', 'b']);
    expect(() => counts(topology, { a: 2, b: 3 })).toThrow(/a has 2 partitions and b has 3/);
    expect(counts(topology, { a: 2, b: 2 }).tasks).toEqual({ 0: 2 });
  });

  it('include those of a pattern', () => {
    const topology = new Topology()
      .addSource('a', 'a')
      .addSource('b', /b.*/)
      .addNode('join', nothing, ['a', 'b'])
      .copartitionSources(['a', 'b']);
    expect(() => counts(topology, { a: 2, b1: 2, b2: 3 })).toThrow(/a has 2 partitions and b2 has 3/);
  });

  it('give a repartition topic the count of the others', () => {
    expect(counts(joined(undefined), { a: 8, b: 3 })).toMatchObject({ repartitionTopics: { r: 3 }, tasks: { 0: 8, 1: 3 } });
  });

  it('contradict a repartition topic with another count of its own', () => {
    expect(() => counts(joined(4), { a: 8, b: 3 })).toThrow(/b has 3 partitions and r has 4/);
  });

  const both = (left: number | undefined, right: number | undefined) => {
    const topology = repartition(new Topology().addSource('a', 'a').addSource('b', 'b'), 'l', 'a', left);
    repartition(topology, 'r', 'b', right).addNode('join', nothing, ['l-source', 'r-source']);
    return topology.copartitionSources(['l-source', 'r-source']);
  };

  it.each([
    [undefined, undefined, 5],
    [undefined, 3, 3],
    [4, 4, 4],
  ])('that are both repartition topics (%s and %s wanted) get %s partitions', (left, right, expected) => {
    expect(counts(both(left, right), { a: 2, b: 5 }).repartitionTopics).toEqual({ l: expected, r: expected });
  });

  it('that are both repartition topics cannot have two counts', () => {
    expect(() => counts(both(4, 3), { a: 2, b: 5 })).toThrow(expect.objectContaining({ code: 'NOT_COPARTITIONED' }));
  });
});
