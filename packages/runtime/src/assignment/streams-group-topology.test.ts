import { string } from '@millrace/core';
import { keyValueStore } from '@millrace/state';
import { Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { streamsGroupTopology } from './streams-group-topology.ts';

const nothing = () => ({ init: () => undefined, process: () => undefined });
const SETTINGS = { applicationId: 'app', topicConfig: { 'min.insync.replicas': '2' }, replicationFactor: 3 };

const describeFor = (topology: Topology) => streamsGroupTopology(topology.plan(), SETTINGS);

describe('a topology as the broker has to know it', () => {
  it('names inputs, internal topics and changelogs as on the broker', () => {
    const topology = new Topology()
      .addSource('in', 'orders')
      .addRepartitionTopic('by-user-repartition', 7)
      .addSink('out', 'by-user-repartition', ['in'])
      .addSource('back', 'by-user-repartition')
      .addNode('count', nothing, ['back'])
      .addStateStore(keyValueStore('counts', string(), string()), ['count']);
    const [first, second] = describeFor(topology);
    expect(first).toMatchObject({
      id: '0',
      sourceTopics: ['orders'],
      repartitionSinks: ['app-by-user-repartition'],
      repartitionSources: [],
      changelogs: [],
    });
    expect(second).toMatchObject({
      id: '1',
      sourceTopics: [],
      repartitionSources: [
        {
          name: 'app-by-user-repartition',
          partitions: 7,
          replicationFactor: 3,
          configs: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'min.insync.replicas': '2' },
        },
      ],
      changelogs: [{ name: 'app-counts-changelog', partitions: undefined, configs: { 'cleanup.policy': 'compact' } }],
    });
  });

  it('leaves out changelogs that are not kept', () => {
    const topology = new Topology()
      .addSource('in', 'orders')
      .addNode('count', nothing, ['in'])
      .addStateStore(keyValueStore('counts', string(), string(), { logging: false }), ['count']);
    expect(describeFor(topology)[0]?.changelogs).toEqual([]);
  });

  it('says which topics must have equal partition counts, and nothing of topics that stand alone', () => {
    const topology = new Topology()
      .addSource('a', 'a')
      .addSource('b', 'b')
      .addNode('join', nothing, ['a', 'b'])
      .copartitionSources(['a', 'b'])
      .copartitionSources(['a']);
    expect(describeFor(topology)[0]?.copartitionGroups).toEqual([['a', 'b']]);
  });

  it('refuses patterns, and says what to do', () => {
    expect(() => describeFor(new Topology().addSource('in', /orders-.*/))).toThrow(
      expect.objectContaining({
        name: 'TopologyError',
        code: 'PATTERN_UNSUPPORTED',
        message: expect.stringContaining('classic'),
      }),
    );
  });
});
