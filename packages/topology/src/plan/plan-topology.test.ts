import { string, topic } from '@millrace/core';
import { keyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { Topology } from '../builder/topology.ts';

const nothing = () => ({ init: () => undefined, process: () => undefined });
const store = (name: string) => keyValueStore(name, string(), string());
const named = (name: string) => topic(name, { key: string(), value: string() });

function chain(topology: Topology, name: string): Topology {
  return topology.addSource(`${name}-source`, named(name)).addNode(name, nothing, [`${name}-source`]);
}

function groups(topology: Topology): string[][] {
  return topology.plan().subtopologies.map(({ nodes }) => nodes.map(({ name }) => name));
}

describe('sub-topologies', () => {
  it('are the connected parts, numbered by their first source', () => {
    const topology = chain(chain(chain(new Topology(), 'c'), 'a'), 'b').addNode('join', nothing, ['c', 'b']);
    expect(groups(topology)).toEqual([
      ['c-source', 'c', 'b-source', 'b', 'join'],
      ['a-source', 'a'],
    ]);
    expect(topology.plan().subtopologies.map(({ id }) => id)).toEqual([0, 1]);
  });

  it('are connected by a shared store too', () => {
    const topology = chain(chain(new Topology(), 'a'), 'b').addStateStore(store('shared'), ['a', 'b']);
    expect(groups(topology)).toHaveLength(1);
    expect(topology.plan().subtopologies[0]?.stores.map(({ nodes }) => nodes)).toEqual([['a', 'b']]);
  });

  it('are not connected by a repartition topic', () => {
    const topology = chain(new Topology(), 'a')
      .addRepartitionTopic('r-repartition')
      .addSink('r-sink', 'r-repartition', ['a'])
      .addSource('r-source', 'r-repartition')
      .addSink('out', 'out', ['r-source']);
    const [first, second] = topology.plan().subtopologies;
    expect(first).toMatchObject({ sourceTopics: ['a'], repartitionSinks: ['r-repartition'], sinkTopics: [] });
    expect(second).toMatchObject({
      sourceTopics: [],
      repartitionSources: [{ name: 'r-repartition', partitions: undefined }],
      sinkTopics: ['out'],
    });
  });

  it('leave out stores that nobody uses', () => {
    expect(chain(new Topology(), 'a').addStateStore(store('unused')).plan().subtopologies[0]?.stores).toEqual([]);
  });

  it('give numbers to global stores in the same sequence', () => {
    const builder = keyValueStore('global', string(), string(), { logging: false });
    const topology = chain(new Topology(), 'a').addGlobalStore(
      builder,
      { name: 'g-source', topic: 'g' },
      { name: 'g', supplier: () => ({ process: () => undefined }) },
    );
    chain(topology, 'b');
    expect(topology.plan().subtopologies.map(({ id }) => id)).toEqual([0, 2]);
    expect(topology.plan().globalStores.map((global) => global.builder.name)).toEqual(['global']);
  });
});
