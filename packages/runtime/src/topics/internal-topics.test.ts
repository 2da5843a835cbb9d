import { describe, expect, it } from 'vitest';
import { FatalStreamsError, silentLogger } from '@millrace/core';
import type { Admin, NewTopic, TopicDescription } from '@millrace/client';
import { ensureInternalTopics, type InternalTopic } from './internal-topics.ts';

/** A cluster that holds topics; `rival` comes up just before a topic is to be created. */
class Cluster {
  readonly counts: Map<string, number>;
  readonly created: NewTopic[] = [];
  /** Configuration by topic; topics without an entry have the right one. */
  readonly configs = new Map<string, Record<string, string>>();
  configLookUps = 0;
  readonly #rival: Map<string, number>;

  constructor(counts: Record<string, number>, rival: Record<string, number> = {}) {
    this.counts = new Map(Object.entries(counts));
    this.#rival = new Map(Object.entries(rival));
  }

  readonly admin = {
    describeTopics: async (names: readonly string[]) =>
      new Map(names.map((name): [string, TopicDescription | undefined] => [name, this.#describe(name)])),
    createTopics: async (topics: readonly NewTopic[]) => {
      for (const [name, count] of this.#rival) this.counts.set(name, count);
      const existed = topics.map(({ name }) => name).filter((name) => this.counts.has(name));
      this.created.push(...topics.filter(({ name }) => !existed.includes(name)));
      for (const { name, partitions } of this.created) this.counts.set(name, partitions);
      return { existed };
    },
    describeConfigs: async (name: string) => {
      this.configLookUps++;
      return new Map(Object.entries(this.configs.get(name) ?? {}));
    },
  } as unknown as Admin;

  #describe(name: string): TopicDescription | undefined {
    const partitions = this.counts.get(name);
    return partitions === undefined ? undefined : { name, partitions };
  }
}

const wanted = (name: string, partitions: number): InternalTopic => ({
  name,
  partitions,
  configs: { 'cleanup.policy': 'compact' },
});
const ensure = (cluster: Cluster, ...topics: InternalTopic[]): Promise<void> =>
  ensureInternalTopics(topics, { admin: cluster.admin, replicationFactor: 3, logger: silentLogger, verified: new Set() });

describe('ensureInternalTopics', () => {
  it('creates what is missing, with the configuration and the replicas asked for, and leaves the rest', async () => {
    const cluster = new Cluster({ old: 4 });
    await ensure(cluster, wanted('old', 4), wanted('new', 2));
    expect(cluster.created).toEqual([
      { name: 'new', partitions: 2, replicationFactor: 3, configs: { 'cleanup.policy': 'compact' } },
    ]);
  });

  it('F20: refuses a topic with another partition count, and creates nothing then', async () => {
    const cluster = new Cluster({ old: 3 });
    await expect(ensure(cluster, wanted('new', 4), wanted('old', 4))).rejects.toMatchObject({
      name: 'FatalStreamsError',
      code: 'INTERNAL_TOPIC_PARTITIONS',
      topic: 'old',
      message: expect.stringContaining('has 3 partitions, the topology needs 4'),
    });
    expect(cluster.created).toEqual([]);
  });

  it('accepts a topic that somebody else made in the meantime with the right count', async () => {
    await expect(ensure(new Cluster({}, { new: 4 }), wanted('new', 4))).resolves.toBeUndefined();
  });

  it('F20: refuses a topic that somebody else made in the meantime with another count', async () => {
    await expect(ensure(new Cluster({}, { new: 5 }), wanted('new', 4))).rejects.toMatchObject({
      code: 'INTERNAL_TOPIC_PARTITIONS',
    });
  });

  it('asks for nothing when there are no internal topics', async () => {
    await expect(ensure(new Cluster({}))).resolves.toBeUndefined();
  });

  it('F20: refuses a topic that would lose records, with the exact difference', async () => {
    const cluster = new Cluster({ old: 4 });
    cluster.configs.set('old', { 'cleanup.policy': 'delete' });
    await expect(ensure(cluster, wanted('old', 4))).rejects.toMatchObject({
      name: 'FatalStreamsError',
      code: 'INTERNAL_TOPIC_CONFIG',
      topic: 'old',
      message: expect.stringContaining('cleanup.policy is delete, it must be compact'),
    });
  });

  it('looks the configuration of a topic up once', async () => {
    const cluster = new Cluster({ old: 4 });
    const options = { admin: cluster.admin, replicationFactor: 1, logger: silentLogger, verified: new Set<string>() };
    await ensureInternalTopics([wanted('old', 4), wanted('new', 1)], options);
    await ensureInternalTopics([wanted('old', 4), wanted('new', 1)], options);
    expect(cluster.configLookUps).toBe(1);
  });

  it('takes the configuration to be right when it may not be looked up', async () => {
    const cluster = new Cluster({ old: 4 });
    const admin = {
      ...cluster.admin,
      describeConfigs: () => Promise.reject(new FatalStreamsError('TOPIC_AUTHORIZATION_FAILED', 'no')),
    } as unknown as Admin;
    const options = { admin, replicationFactor: 1, logger: silentLogger, verified: new Set<string>() };
    await expect(ensureInternalTopics([wanted('old', 4)], options)).resolves.toBeUndefined();
  });
});
