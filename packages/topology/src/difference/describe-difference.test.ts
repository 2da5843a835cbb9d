import { string, topic } from '@millrace/core';
import { keyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { Topology } from '../builder/topology.ts';
import { describeDifference } from './describe-difference.ts';

const nothing = () => ({ init: () => undefined, process: () => undefined });
const text = { key: string(), value: string() };

interface Part {
  readonly input: string;
  readonly stores?: readonly string[];
  readonly unlogged?: readonly string[];
  /** Sent through this repartition topic first. */
  readonly through?: string;
}

/** One sub-topology per part, two where it goes through a repartition topic. */
function build(...parts: readonly Part[]): Topology {
  const topology = new Topology();
  for (const { input, stores = [], unlogged = [], through } of parts) {
    topology.addSource(`${input}-source`, topic(input, text));
    if (through !== undefined) {
      topology.addRepartitionTopic(through).addSink(`${through}-sink`, through, [`${input}-source`]);
      topology.addSource(`${through}-source`, through);
    }
    topology.addNode(`${input}-node`, nothing, [`${through ?? input}-source`]);
    for (const name of stores) topology.addStateStore(keyValueStore(name, string(), string()), [`${input}-node`]);
    for (const name of unlogged) {
      topology.addStateStore(keyValueStore(name, string(), string(), { logging: false }), [`${input}-node`]);
    }
  }
  return topology;
}

describe('describeDifference', () => {
  const before = build({ input: 'a', stores: ['x'], unlogged: ['u'] }, { input: 'b', stores: ['y'], through: 'b-repartition' });

  it.each<[string, Topology | string]>([
    ['the topologies', before],
    ['a saved description', before.describe()],
  ])('finds nothing between equals, given %s', (_what, was) => {
    const difference = describeDifference(was, before);
    expect(String(difference)).toBe('no difference in state, internal topics and numbers of sub-topologies\n');
    expect(difference).toMatchObject({ orphanedChangelogs: [], newChangelogs: [], renumbered: [], likelyRenamed: [] });
  });

  it.each<[string, Topology | string]>([
    ['the topologies', before],
    ['a saved description', before.describe()],
  ])('names topics that are orphaned and that appear, and what is renumbered, given %s', (_what, was) => {
    const after = build(
      { input: 'new', stores: ['z'] },
      { input: 'a', stores: ['x'] },
      { input: 'b', stores: ['w'], through: 'c-repartition' },
    );
    const difference = describeDifference(was, after);
    expect(difference.orphanedChangelogs).toEqual(typeof was === 'string' ? ['u-changelog', 'y-changelog'] : ['y-changelog']);
    expect(difference.newChangelogs).toEqual(['z-changelog', 'w-changelog']);
    expect(difference.orphanedInternalTopics).toEqual(['b-repartition']);
    expect(difference.newInternalTopics).toEqual(['c-repartition']);
    expect(difference.renumbered).toEqual([
      { before: 0, after: 1 },
      { before: 1, after: 2 },
      { before: 2, after: 3 },
    ]);
    expect(String(difference)).toContain(
      'changelogs that would be new (their stores begin empty):\n  z-changelog\n  w-changelog\n',
    );
    expect(String(difference)).toContain('  0 → 1\n  1 → 2\n');
  });

  it('sees a generated name that has only got another number', () => {
    const was = build({ input: 'a', stores: ['KSTREAM-AGGREGATE-STATE-STORE-0000000002'] });
    const is = build({ input: 'a', stores: ['KSTREAM-AGGREGATE-STATE-STORE-0000000003'] });
    expect(describeDifference(was, is).likelyRenamed).toEqual([
      {
        before: 'KSTREAM-AGGREGATE-STATE-STORE-0000000002-changelog',
        after: 'KSTREAM-AGGREGATE-STATE-STORE-0000000003-changelog',
      },
    ]);
  });

  it('counts a store whose changelog is switched off, or becomes its source topic, as orphaning it', () => {
    const was = build({ input: 'a', stores: ['x'] });
    expect(describeDifference(was, build({ input: 'a', unlogged: ['x'] })).orphanedChangelogs).toEqual(['x-changelog']);
    const reusing = build({ input: 'a', stores: ['x'] }).useSourceTopicAsChangelog('x', 'a');
    expect(describeDifference(was, reusing).orphanedChangelogs).toEqual(['x-changelog']);
  });
});
