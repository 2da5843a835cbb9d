import { describe, expect, it } from 'vitest';
import { formatTaskId, silentLogger, string, topic } from '@millrace/core';
import type { Admin, NewTopic } from '@millrace/client';
import { keyValueStore } from '@millrace/state';
import { Topology, type Processor } from '@millrace/topology';
import { resolveSettings } from '../settings/resolve-settings.ts';
import { topicResolver } from '../task/topic-resolver.ts';
import { planTasks, sourceTopicsOf, subtopologyOf, topicMatcher, type PlannedTask } from './plan-tasks.ts';

const text = { key: string(), value: string() };
const idle = (): Processor<string, string, string, string> => ({ process: () => undefined });

/** `in` → repartition → a processor with a store. */
function repartitioning(): Topology {
  return new Topology()
    .addSource('source', topic('in', text))
    .addRepartitionTopic('keyed-repartition')
    .addSink('sink', 'keyed-repartition', ['source'], text)
    .addSource('keyed', topic('keyed-repartition', text))
    .addProcessor('count', idle, ['keyed'])
    .addStateStore(keyValueStore('counts', string(), string(), { logging: { 'segment.bytes': '7' } }), ['count']);
}

async function plan(
  topology: Topology,
  counts: Record<string, number>,
): Promise<{ tasks: PlannedTask[]; created: readonly NewTopic[] }> {
  const created: NewTopic[] = [];
  const admin = {
    listTopics: async () => Object.entries(counts).map(([name, partitions]) => ({ name, partitions })),
    describeTopics: async (names: readonly string[]) =>
      new Map(names.map((name) => [name, counts[name] === undefined ? undefined : { name, partitions: counts[name] }] as const)),
    createTopics: async (topics: readonly NewTopic[]) => {
      created.push(...topics);
      return { existed: [] };
    },
  } as unknown as Admin;
  const settings = resolveSettings({ applicationId: 'app', replicationFactor: 2, topicConfig: { 'min.insync.replicas': '1' } });
  const offsets = { committed: async () => [] };
  const options = { plan: topology.plan(), settings, admin, offsets, logger: silentLogger, verifiedTopics: new Set<string>() };
  return { tasks: await planTasks(options), created };
}

describe('planTasks', () => {
  it('makes one task per partition, and says what each reads and where its state is backed up', async () => {
    const { tasks } = await plan(repartitioning(), { in: 2 });
    expect(tasks.map(({ id, changelogs, partitions }) => [formatTaskId(id), changelogs, partitions])).toEqual([
      ['0_0', [], [{ topic: 'in', partition: 0 }]],
      ['0_1', [], [{ topic: 'in', partition: 1 }]],
      ['1_0', [{ topic: 'app-counts-changelog', partition: 0 }], [{ topic: 'app-keyed-repartition', partition: 0 }]],
      ['1_1', [{ topic: 'app-counts-changelog', partition: 1 }], [{ topic: 'app-keyed-repartition', partition: 1 }]],
    ]);
  });

  it('creates internal topics with the configuration of their kind, of the settings and of the store', async () => {
    const { created } = await plan(repartitioning(), { in: 2 });
    expect(created).toEqual([
      {
        name: 'app-keyed-repartition',
        partitions: 2,
        replicationFactor: 2,
        configs: expect.objectContaining({ 'cleanup.policy': 'delete', 'retention.ms': '-1', 'min.insync.replicas': '1' }),
      },
      {
        name: 'app-counts-changelog',
        partitions: 2,
        replicationFactor: 2,
        configs: {
          'cleanup.policy': 'compact',
          'message.timestamp.type': 'CreateTime',
          'min.insync.replicas': '1',
          'segment.bytes': '7',
        },
      },
    ]);
  });

  it('gives a task with inputs of different sizes only the partitions that there are', async () => {
    const topology = new Topology()
      .addSource('source', [topic('wide', text), topic('narrow', text)])
      .addProcessor('p', idle, ['source']);
    const { tasks } = await plan(topology, { wide: 2, narrow: 1 });
    expect(tasks.map(({ partitions }) => partitions.map((at) => at.topic))).toEqual([['wide', 'narrow'], ['wide']]);
  });

  it('reads all topics that match a pattern', async () => {
    const topology = new Topology().addSource<string, string>('source', /in-.*/, text).addProcessor('p', idle, ['source']);
    const { tasks } = await plan(topology, { 'in-a': 1, 'in-b': 1, other: 5 });
    expect(tasks).toHaveLength(1);
    expect(tasks[0]?.partitions.map((at) => at.topic).sort()).toEqual(['in-a', 'in-b']);
  });

  it('names the source topics that do not exist', async () => {
    await expect(plan(repartitioning(), {})).rejects.toMatchObject({
      code: 'SOURCE_TOPIC_MISSING',
      message: expect.stringContaining('in'),
    });
  });
});

describe('the topics of a sub-topology', () => {
  const topology = repartitioning().plan();

  it('are those on the broker, internal ones with the name of the application', () => {
    expect(sourceTopicsOf(topology, 'app')).toEqual(['in', 'app-keyed-repartition']);
    const matches = topicMatcher(subtopologyOf(topology, 1), 'app');
    expect(['app-keyed-repartition', 'keyed-repartition', 'in'].map(matches)).toEqual([true, false, false]);
  });

  it('get their names when they are written, too', () => {
    const resolve = topicResolver(subtopologyOf(topology, 0), 'app');
    expect(['keyed-repartition', 'out'].map(resolve)).toEqual(['app-keyed-repartition', 'out']);
  });
});
