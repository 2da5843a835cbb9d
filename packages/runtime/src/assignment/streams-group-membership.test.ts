import { silentLogger, type TaskId } from '@millrace/core';
import type { GroupMember, KafkaClient, StreamsGroupMemberOptions, StreamsGroupTarget } from '@millrace/client';
import { Topology } from '@millrace/topology';
import { expect, describe, it } from 'vitest';
import { resolveSettings } from '../settings/resolve-settings.ts';
import type { StreamsSettings } from '../settings/settings.ts';
import { createStreamsGroupMember } from './streams-group-membership.ts';

const plan = new Topology()
  .addSource('in', 'orders')
  .addNode('end', () => ({ init: () => undefined, process: () => undefined }), ['in'])
  .plan();

const tasks = (...partitions: number[]) => (partitions.length === 0 ? [] : [{ subtopologyId: '0', partitions }]);
const target = (parts: Partial<StreamsGroupTarget>): StreamsGroupTarget => ({
  ...{ active: [], standby: [], warmup: [], shutdown: false },
  ...parts,
});

/** A worker's membership; what the client is given is at hand, and how often open transactions were asked for. */
function membership(settings: Partial<StreamsSettings> = {}) {
  const owned: { active: TaskId[]; standby: TaskId[] } = { active: [], standby: [] };
  const looked = { times: 0 };
  let given: StreamsGroupMemberOptions | undefined;
  const client = {
    admin: {
      describeTopics: async (names: readonly string[]) => new Map(names.map((name) => [name, { name, partitions: 4 }])),
      listOpenTransactions: async () => {
        looked.times++;
        return [];
      },
    },
    createStreamsGroupMember: (options: StreamsGroupMemberOptions) => {
      given = options;
      return {} as GroupMember;
    },
  } as unknown as KafkaClient;
  createStreamsGroupMember({
    client,
    logger: silentLogger,
    plan,
    settings: resolveSettings({ applicationId: 'app', groupProtocol: 'streams', ...settings }),
    processId: 'p-1',
    fingerprint: 'f',
    asksForShutdown: false,
    ownedTasks: () => owned,
  });
  if (given === undefined) throw new Error('no member was created');
  return { member: given, owned, looked };
}

const task = (partition: number): TaskId => ({ subtopology: 0, partition });

describe('a worker in a group whose tasks the broker assigns', () => {
  it('names the standby tasks that the broker wants warm as such', async () => {
    const { member, owned } = membership();
    await member.assignmentOf(target({ standby: tasks(1), warmup: tasks(2) }));
    owned.standby = [task(1), task(2)];
    expect(member.ownedTasks()).toEqual({ active: [], standby: tasks(1), warmup: tasks(2) });
  });

  it('says where it can be asked, if it can', () => {
    expect(membership({ applicationServer: '[fd00::7]:8080' }).member.userEndpoint).toEqual({ host: 'fd00::7', port: 8080 });
    expect(membership().member.userEndpoint).toBeUndefined();
  });

  it('looks for departed workers when it gets tasks that it did not have', async () => {
    const { member, owned, looked } = membership({ guarantee: 'exactly_once_v2' });
    await member.assignmentOf(target({ active: tasks(0) }));
    expect(looked.times).toBe(1);
    owned.active = [task(0)];
    await member.assignmentOf(target({ active: tasks(0, 1) }));
    expect(looked.times).toBe(2);
  });

  it.each<[string, Partial<StreamsGroupTarget>]>([
    ['it keeps its tasks', { active: tasks(0, 1) }],
    ['it gives some up', { active: tasks(1) }],
    ['it is to hold standbys', { active: tasks(0, 1), standby: tasks(2), warmup: tasks(3) }],
    ['all are to stop', { shutdown: true }],
  ])('leaves them to those who get their tasks when %s', async (_case, parts) => {
    const { member, owned, looked } = membership({ guarantee: 'exactly_once_v2' });
    owned.active = [task(0), task(1)];
    await member.assignmentOf(target(parts));
    expect(looked.times).toBe(0);
  });

  it('looks for no transactions at least once', async () => {
    const { member, looked } = membership({ guarantee: 'at_least_once' });
    await member.assignmentOf(target({ active: tasks(0) }));
    expect(looked.times).toBe(0);
  });
});
