import { describe, expect, it } from 'vitest';
import { string, topic } from '@millrace/core';
import { keyValueStore } from '@millrace/state';
import { Topology, type Processor } from '@millrace/topology';
import { contractOf, packContract, unpackContract, type TopologyContract } from './topology-contract.ts';
import { differenceFrom } from './topology-difference.ts';

const text = { key: string(), value: string() };
const idle = (): Processor<string, string, string, string> => ({ process: () => undefined });

interface Parts {
  readonly source?: string;
  readonly store?: string;
  readonly logged?: boolean;
  readonly processor?: string;
  readonly out?: string;
  readonly repartition?: string;
}

function contract({
  source = 'in',
  store = 'counts',
  logged = true,
  processor = 'count',
  ...more
}: Parts = {}): TopologyContract {
  const repartition = more.repartition ?? 'keyed-repartition';
  const topology = new Topology()
    .addSource('source', topic(source, text))
    .addRepartitionTopic(repartition)
    .addSink('sink', repartition, ['source'], text)
    .addSource('keyed', topic(repartition, text))
    .addProcessor(processor, idle, ['keyed'])
    .addStateStore(keyValueStore(store, string(), string(), logged ? {} : { logging: false }), [processor])
    .addSink('result', topic(more.out ?? 'out', text), [processor]);
  return contractOf(topology.plan(), String(topology.describe()));
}

describe('contractOf', () => {
  it('says what tasks, their state and what they send one another depend on', () => {
    expect(contract().facts).toEqual([
      'sub-topology 0 reads in',
      'sub-topology 0 writes the repartition topic keyed-repartition',
      expect.stringMatching(/^sub-topology 1 has the store counts: \w+, changelog of its own$/),
      'sub-topology 1 reads the repartition topic keyed-repartition',
    ]);
  });

  it.each<[string, Parts]>([
    ['a processor with another name', { processor: 'tally' }],
    ['another output topic', { out: 'elsewhere' }],
  ])('lets a topology with %s share a group', (_what, parts) => {
    expect(contract(parts).fingerprint).toBe(contract().fingerprint);
  });

  it.each<[string, Parts]>([
    ['another input', { source: 'other' }],
    ['a renamed store', { store: 'sums' }],
    ['a store without a changelog', { logged: false }],
    ['another repartition topic', { repartition: 'by-name-repartition' }],
  ])('tells a topology with %s from another', (_what, parts) => {
    expect(contract(parts).fingerprint).not.toBe(contract().fingerprint);
  });
});

describe('differenceFrom', () => {
  it('says on which side what is different, and what would become of state and topics', () => {
    const difference = differenceFrom(packContract(contract()), contract({ store: 'sums' }));
    expect(difference).toMatch(/only in the group: sub-topology 1 has the store counts/);
    expect(difference).toMatch(/only in this worker: sub-topology 1 has the store sums/);
    expect(difference).toContain('counts-changelog');
  });

  it('does without when the leader could not tell, or tells nonsense', () => {
    expect(differenceFrom(Buffer.alloc(0), contract())).toContain('could not say');
    expect(unpackContract(Buffer.from('junk'))).toBeUndefined();
  });

  it('sends no topology that is too large for an assignment', () => {
    const facts = Array.from({ length: 40_000 }, (_, index) => `fact ${Math.imul(index, 2654435761)}`);
    expect(packContract({ ...contract(), facts })).toHaveLength(0);
  });
});
