import type { GroupEndpoint } from '@millrace/client';
import { formatTaskId } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { samplePlan as plan } from './sample-plan.ts';
import { StreamsGroupHosts } from './streams-group-hosts.ts';

const told = (endpoint: string, parts: Partial<GroupEndpoint>): GroupEndpoint => ({
  endpoint,
  active: [],
  standby: [],
  ...parts,
});

function tasks(...endpoints: GroupEndpoint[]): unknown[] {
  return new StreamsGroupHosts(plan, 'app')
    .of(endpoints)
    .map(({ endpoint, activeTasks, standbyTasks }) => [endpoint, activeTasks.map(formatTaskId), standbyTasks.map(formatTaskId)]);
}

describe('where the tasks are as the broker tells it', () => {
  it('follows from the inputs: a partition belongs to the task with its number', () => {
    const active = [
      { topic: 'wide', partitions: [3, 1] },
      { topic: 'narrow', partitions: [1, 3] },
      { topic: 'app-r-repartition', partitions: [0] },
    ];
    const standby = [{ topic: 'app-r-repartition', partitions: [2] }];
    expect(tasks(told('b:1', { active, standby }), told('a:1', {}))).toEqual([
      ['a:1', [], []],
      ['b:1', ['0_1', '0_3', '1_0'], ['1_2']],
    ]);
  });

  it('is one host for all threads of a process', () => {
    const thread = (partition: number) => told('a:1', { active: [{ topic: 'wide', partitions: [partition] }] });
    expect(tasks(thread(1), thread(0))).toEqual([['a:1', ['0_0', '0_1'], []]]);
  });

  it('says nothing of topics that the topology does not read', () => {
    const active = [
      { topic: 'end', partitions: [0] },
      { topic: 'r-repartition', partitions: [0] },
    ];
    expect(tasks(told('a:1', { active }))).toEqual([['a:1', [], []]]);
  });

  it('is worked out once for each answer', () => {
    const hosts = new StreamsGroupHosts(plan, 'app');
    const endpoints = [told('a:1', {})];
    expect(hosts.of(endpoints)).toBe(hosts.of(endpoints));
    expect(hosts.of([])).toEqual([]);
  });
});
