import { FatalStreamsError } from '@millrace/core';
import {
  streamsGroupDescribe,
  streamsGroupHeartbeat,
  type ResponseInput,
  type StreamsGroupHeartbeatRequest,
} from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import { scriptedKafka } from '../scripted-transport/scripted-kafka.ts';
import { answerLost } from '../scripted-transport/scripted-transport.ts';
import { StreamsGroupMember } from './streams-group-member.ts';
import { GroupStatus } from './streams-group-status.ts';
import type { StreamsGroupMemberOptions, StreamsGroupTasks } from '../port/streams-group.ts';

type Answer = ResponseInput<typeof streamsGroupHeartbeat>;

const INVALID_REQUEST = 42;
const FENCED_MEMBER_EPOCH = 110;

const tasks = (...partitions: number[]) => (partitions.length === 0 ? [] : [{ subtopologyId: '0', partitions }]);
const active = (...partitions: number[]): StreamsGroupTasks => ({ active: tasks(...partitions), standby: [], warmup: [] });

/** An answer; with partitions it names a target. */
function answer(memberEpoch: number, partitions?: readonly number[], statusCodes: readonly number[] = []): Answer {
  return {
    errorCode: 0,
    memberId: 'm',
    memberEpoch,
    heartbeatIntervalMs: 5000,
    status: statusCodes.map((statusCode) => ({ statusCode, statusDetail: `status ${statusCode}` })),
    ...(partitions === undefined ? {} : { activeTasks: tasks(...partitions), standbyTasks: [], warmupTasks: [] }),
  };
}

const refusal = (errorCode: number, errorMessage = 'no'): Answer => ({
  errorCode,
  errorMessage,
  memberId: '',
  memberEpoch: 0,
  heartbeatIntervalMs: 0,
});

function membership(options: Partial<StreamsGroupMemberOptions> = {}) {
  const kafka = scriptedKafka();
  const { transport, clock, cluster } = kafka;
  const owned = { tasks: active() };
  transport.on(streamsGroupHeartbeat, ({ memberEpoch }) =>
    answer(memberEpoch === 0 ? 1 : memberEpoch, memberEpoch === 0 ? [0, 1] : undefined),
  );
  const member = new StreamsGroupMember(cluster, {
    groupId: 'app',
    processId: 'p-1',
    subtopologies: [
      { id: '0', sourceTopics: ['orders'], repartitionSinks: [], repartitionSources: [], changelogs: [], copartitionGroups: [] },
    ],
    ownedTasks: () => owned.tasks,
    assignmentOf: (target) =>
      Promise.resolve({
        partitions: target.active.flatMap(({ partitions }) => partitions.map((partition) => ({ topic: 'orders', partition }))),
        userData: Buffer.from(target.shutdown ? 'stop' : 'go'),
      }),
    ...options,
  });
  /** Joins and opens what it is given. */
  const join = async () => {
    const joined = await clock.until(member.join());
    owned.tasks = active(...joined.partitions.map(({ partition }) => partition));
    return joined;
  };
  const sent = (): readonly StreamsGroupHeartbeatRequest[] => transport.bodies(streamsGroupHeartbeat);
  return { ...kafka, member, owned, join, sent };
}

const partitionsOf = (joined: { readonly partitions: readonly { readonly partition: number }[] }): number[] =>
  joined.partitions.map(({ partition }) => partition);

describe('a member of a streams group', () => {
  it('joins with the topology and without tasks, and gets its assignment', async () => {
    const { member, join, sent } = membership();
    expect(await join()).toEqual({
      partitions: [
        { topic: 'orders', partition: 0 },
        { topic: 'orders', partition: 1 },
      ],
      userData: Buffer.from('go'),
      isUnbroken: false,
    });
    expect(member.state).toBe('stable');
    expect(sent()).toMatchObject([
      {
        groupId: 'app',
        memberEpoch: 0,
        processId: 'p-1',
        activeTasks: [],
        topology: { epoch: 0, subtopologies: [{ sourceTopics: ['orders'] }] },
      },
    ]);
    expect(member.metadata).toMatchObject({ groupId: 'app', generationId: 1, memberId: sent()[0]?.memberId });
  });

  it('says once what it owns, and from then on only that it is there', async () => {
    const { clock, join, sent } = membership({ heartbeatIntervalMs: 1000 });
    await join();
    await clock.advance(3500);
    const later = sent().slice(1);
    expect(later.map(({ activeTasks }) => activeTasks)).toEqual([tasks(0, 1), undefined, undefined, undefined]);
    expect(later.every(({ topology, memberEpoch }) => topology === undefined && memberEpoch === 1)).toBe(true);
  });

  it('waits for an assignment while the group waits for topics and for other members', async () => {
    const { transport, join } = membership();
    transport
      .once(streamsGroupHeartbeat, () => answer(1, [], [GroupStatus.MISSING_INTERNAL_TOPICS]))
      .once(streamsGroupHeartbeat, () => answer(1, undefined, [GroupStatus.ASSIGNMENT_DELAYED]))
      .once(streamsGroupHeartbeat, () => answer(2, [3]));
    expect(partitionsOf(await join())).toEqual([3]);
  });

  it('takes no tasks for an assignment when there are more members than tasks', async () => {
    const { transport, join } = membership();
    transport.once(streamsGroupHeartbeat, () => answer(1, []));
    expect(partitionsOf(await join())).toEqual([]);
  });

  it('gives a task up only when its owner has closed it', async () => {
    const { transport, clock, member, owned, join, sent } = membership({ heartbeatIntervalMs: 1000 });
    await join();
    await clock.advance(100);
    transport.once(streamsGroupHeartbeat, () => answer(1, [0]));
    await clock.advance(1000);
    expect(member.state).toBe('rejoin-needed');
    const joined = await clock.until(member.join());
    expect(partitionsOf(joined)).toEqual([0]);
    expect(joined).toMatchObject({ isUnbroken: true });
    expect(member.state).toBe('stable');
    await clock.advance(5000);
    expect(
      sent()
        .filter(({ activeTasks }) => activeTasks !== undefined)
        .at(-1)?.activeTasks,
    ).toEqual(tasks(0, 1));
    transport.once(streamsGroupHeartbeat, () => answer(2));
    owned.tasks = active(0);
    await clock.advance(60);
    expect(sent().at(-1)?.activeTasks).toEqual(tasks(0));
    expect(member.metadata?.generationId).toBe(2);
    expect(member.state).toBe('stable');
  });

  it('takes more tasks without a break', async () => {
    const { transport, clock, member, join } = membership({ heartbeatIntervalMs: 1000 });
    await join();
    transport.once(streamsGroupHeartbeat, () => answer(2, [0, 1, 2]));
    await clock.advance(100);
    expect(member.state).toBe('rejoin-needed');
    expect(await join()).toMatchObject({ isUnbroken: true, partitions: [{}, {}, {}] });
    expect(member.metadata?.generationId).toBe(2);
  });

  it('commits under a new epoch that changes nothing for it', async () => {
    const { transport, clock, member, join } = membership({ heartbeatIntervalMs: 1000 });
    await join();
    transport.on(streamsGroupHeartbeat, () => answer(7, [1, 0]));
    await clock.advance(1100);
    expect(member.state).toBe('stable');
    expect(member.metadata?.generationId).toBe(7);
  });

  it.each([25, FENCED_MEMBER_EPOCH])(
    'is lost when the broker does not count it in any more (%i), and joins anew',
    async (errorCode) => {
      const { transport, clock, member, join, sent } = membership({ heartbeatIntervalMs: 1000 });
      await join();
      transport.once(streamsGroupHeartbeat, () => refusal(errorCode));
      await clock.advance(1100);
      expect(member.state).toBe('lost');
      expect(member.metadata).toBeUndefined();
      const before = sent().length;
      expect(await join()).toMatchObject({ isUnbroken: false });
      expect(sent()[before]).toMatchObject({ memberEpoch: 0, activeTasks: [] });
    },
  );

  it('makes sure of its membership when its owner doubts it', async () => {
    const { transport, member, join, sent } = membership();
    await join();
    member.requestRejoin('the tasks migrated');
    transport.once(streamsGroupHeartbeat, () => refusal(FENCED_MEMBER_EPOCH));
    expect(await join()).toMatchObject({ isUnbroken: false });
    expect(sent().map(({ memberEpoch }) => memberEpoch)).toEqual([0, 1, 0]);
    expect(member.state).toBe('stable');
  });

  it('asks for its assignment when an answer got lost that may have held a new one', async () => {
    const { transport, clock, member, join, sent } = membership({ heartbeatIntervalMs: 1000 });
    await join();
    await clock.advance(100);
    transport
      .once(streamsGroupHeartbeat, answerLost)
      .once(streamsGroupHeartbeat, () => answer(1))
      .on(streamsGroupDescribe, ({ groupIds }) => {
        const assignment = { activeTasks: tasks(1), standbyTasks: [], warmupTasks: [] };
        const self = {
          memberId: sent()[0]?.memberId ?? '',
          memberEpoch: 1,
          clientId: '',
          clientHost: '',
          topologyEpoch: 0,
          processId: '',
        };
        const none = { clientTags: [], taskOffsets: [], taskEndOffsets: [], isClassic: false };
        const members = [{ ...self, ...none, assignment, targetAssignment: assignment }];
        return {
          groups: groupIds.map((groupId) => ({
            groupId,
            errorCode: 0,
            groupState: '',
            groupEpoch: 1,
            assignmentEpoch: 1,
            members,
          })),
        };
      });
    await clock.advance(2500);
    expect(member.state).toBe('rejoin-needed');
    expect(partitionsOf(await join())).toEqual([1]);
    // Only with what it owns may a member come with an epoch that the broker has left behind.
    expect(
      sent()
        .slice(-1 - 3)
        .some(({ activeTasks }) => activeTasks?.[0]?.partitions.length === 2),
    ).toBe(true);
  });

  it('says where it can be asked as soon as it has joined, until that is known, and again when it has joined anew', async () => {
    const userEndpoint = { host: 'fd00::7', port: 80 };
    const { transport, clock, join, sent } = membership({ heartbeatIntervalMs: 1000, userEndpoint });
    const told = () => sent().map((request) => request.userEndpoint);
    await join();
    transport.once(streamsGroupHeartbeat, answerLost);
    await clock.advance(60);
    expect(told()).toEqual([undefined, userEndpoint]);
    await clock.advance(3000);
    expect(told().slice(0, 5)).toEqual([undefined, userEndpoint, userEndpoint, undefined, undefined]);
    transport.once(streamsGroupHeartbeat, () => refusal(FENCED_MEMBER_EPOCH));
    await clock.advance(1000);
    const before = sent().length;
    await join();
    await clock.advance(1100);
    expect(told().slice(before, before + 3)).toEqual([undefined, userEndpoint, undefined]);
  });

  it('does not say where it can be asked before the source topics are there: the broker would answer with an error of its own', async () => {
    const { transport, join, sent } = membership({ userEndpoint: { host: 'h', port: 80 } });
    transport
      .once(streamsGroupHeartbeat, () => answer(1, [], [GroupStatus.MISSING_SOURCE_TOPICS]))
      .once(streamsGroupHeartbeat, () => answer(1, undefined, [GroupStatus.MISSING_SOURCE_TOPICS]))
      .once(streamsGroupHeartbeat, () => answer(1, undefined, [GroupStatus.MISSING_INTERNAL_TOPICS]))
      .once(streamsGroupHeartbeat, () => answer(2, [0]));
    await join();
    expect(sent().map(({ userEndpoint }) => userEndpoint?.host)).toEqual([undefined, undefined, undefined, 'h']);
  });

  it('goes on when the broker cannot answer for a moment because it has said where it can be asked', async () => {
    const UNKNOWN_SERVER_ERROR = -1;
    const userEndpoint = { host: 'h', port: 80 };
    for (const [options, state] of [
      [{ userEndpoint }, 'stable'],
      [{}, 'failed'],
    ] as const) {
      const { transport, clock, member, join } = membership({ heartbeatIntervalMs: 1000, ...options });
      await join();
      await clock.advance(1100);
      transport.once(streamsGroupHeartbeat, () => refusal(UNKNOWN_SERVER_ERROR));
      await clock.advance(2000);
      expect(member.state).toBe(state);
    }
  });

  it('learns where the others can be asked, also without a new assignment, and tells the broker what it knows', async () => {
    const { transport, clock, member, join, sent } = membership({ heartbeatIntervalMs: 1000 });
    const told = (endpointInformationEpoch: number, host?: string): Partial<Answer> => ({
      endpointInformationEpoch,
      ...(host === undefined
        ? {}
        : {
            partitionsByUserEndpoint: [
              {
                userEndpoint: { host, port: 80 },
                activePartitions: [{ topic: 'orders', partitions: [1, 0] }],
                standbyPartitions: [],
              },
            ],
          }),
    });
    expect(member.endpoints).toEqual([]);
    transport.once(streamsGroupHeartbeat, () => ({ ...answer(1, [0, 1]), ...told(4, 'fd00::7') }));
    await join();
    const known = member.endpoints;
    expect(known).toEqual([{ endpoint: '[fd00::7]:80', active: [{ topic: 'orders', partitions: [1, 0] }], standby: [] }]);
    transport.on(streamsGroupHeartbeat, () => ({ ...answer(1), ...told(4) }));
    await clock.advance(1100);
    expect(member.endpoints).toBe(known);
    transport.once(streamsGroupHeartbeat, () => ({ ...answer(1), ...told(5, 'other') }));
    await clock.advance(2100);
    expect(member.endpoints).toMatchObject([{ endpoint: 'other:80' }]);
    expect(member.state).toBe('stable');
    // What it has never heard of is −1, which no broker counts like.
    expect(sent().map(({ endpointInformationEpoch }) => endpointInformationEpoch)).toEqual(expect.arrayContaining([-1, 4, 5]));
    expect(sent()[0]?.endpointInformationEpoch).toBe(-1);
  });

  it('keeps as a hint where the others could be asked when the membership is lost', async () => {
    const { transport, clock, member, join, sent } = membership({ heartbeatIntervalMs: 1000 });
    const partitionsByUserEndpoint = [{ userEndpoint: { host: 'h', port: 1 }, activePartitions: [], standbyPartitions: [] }];
    transport.once(streamsGroupHeartbeat, () => ({ ...answer(1, [0]), endpointInformationEpoch: 7, partitionsByUserEndpoint }));
    await join();
    transport.once(streamsGroupHeartbeat, () => refusal(FENCED_MEMBER_EPOCH));
    await clock.advance(1100);
    expect(member.state).toBe('lost');
    expect(member.endpoints).toMatchObject([{ endpoint: 'h:1' }]);
    const before = sent().length;
    await join();
    expect(sent()[before]?.endpointInformationEpoch).toBe(-1);
  });

  it('tells its owner when a member has asked everybody to stop', async () => {
    const { transport, clock, member, join } = membership({ heartbeatIntervalMs: 1000 });
    await join();
    transport.on(streamsGroupHeartbeat, ({ memberEpoch }) => answer(memberEpoch, undefined, [GroupStatus.SHUTDOWN_APPLICATION]));
    await clock.advance(1100);
    expect(member.state).toBe('rejoin-needed');
    expect(await clock.until(member.join())).toMatchObject({ userData: Buffer.from('stop') });
  });

  it('asks everybody to stop, itself included, until the broker passes it on', async () => {
    const { transport, join, sent } = membership({ asksForShutdown: true });
    transport
      .once(streamsGroupHeartbeat, () => answer(1, [0]))
      .once(streamsGroupHeartbeat, () => answer(1))
      .once(streamsGroupHeartbeat, () => answer(1, undefined, [GroupStatus.SHUTDOWN_APPLICATION]));
    expect(await join()).toMatchObject({ userData: Buffer.from('stop') });
    expect(sent().map(({ shutdownApplication }) => shutdownApplication)).toEqual([true, true, true]);
  });

  it.each([
    [GroupStatus.MISSING_SOURCE_TOPICS, 'SOURCE_TOPIC_MISSING'],
    [GroupStatus.INCORRECTLY_PARTITIONED_TOPICS, 'NOT_COPARTITIONED'],
    [GroupStatus.MISSING_INTERNAL_TOPICS, 'INTERNAL_TOPIC_MISSING'],
    [GroupStatus.STALE_TOPOLOGY, 'STALE_TOPOLOGY'],
  ] as const)('cannot work when status %i does not pass, and says what to do', async (status, code) => {
    const { transport, member, join } = membership();
    transport.on(streamsGroupHeartbeat, () => answer(1, [], [status]));
    await expect(join()).rejects.toMatchObject({ name: 'FatalStreamsError', code });
    expect(member.state).toBe('failed');
    await expect(member.join()).rejects.toBe(member.error);
  });

  it('fails when a source topic disappears while it works', async () => {
    const { transport, clock, member, join } = membership({ heartbeatIntervalMs: 1000 });
    await join();
    transport.on(streamsGroupHeartbeat, () => answer(1, undefined, [GroupStatus.MISSING_SOURCE_TOPICS]));
    await clock.advance(10_000);
    expect(member.state).toBe('failed');
    expect(member.error).toBeInstanceOf(FatalStreamsError);
  });

  it.each([
    [INVALID_REQUEST, 'TOPOLOGY_MISMATCH'],
    [69, 'GROUP_OF_ANOTHER_PROTOCOL'],
    [30, 'GROUP_AUTHORIZATION_FAILED'],
  ] as const)('cannot join after error %i', async (errorCode, code) => {
    const { transport, join } = membership();
    transport.on(streamsGroupHeartbeat, () => refusal(errorCode, 'Topology updates are not supported yet.'));
    await expect(join()).rejects.toMatchObject({ name: 'FatalStreamsError', code });
  });

  it('cannot join where the broker knows no streams groups, and says what to do', async () => {
    const { transport, member, join } = membership();
    transport.on(streamsGroupHeartbeat, () => {
      throw new FatalStreamsError('UNSUPPORTED_VERSION', 'the broker does not know the request');
    });
    await expect(join()).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      message: expect.stringContaining('Kafka 4.2 or newer'),
    });
    expect(member.state).toBe('failed');
  });

  it.each([14, 15, 16])('tries again after error %i', async (errorCode) => {
    const { transport, clock, member, join } = membership({ heartbeatIntervalMs: 1000 });
    transport.once(streamsGroupHeartbeat, () => refusal(errorCode)).once(streamsGroupHeartbeat, answerLost);
    await join();
    transport.once(streamsGroupHeartbeat, () => refusal(errorCode));
    await clock.advance(3000);
    expect(member.state).toBe('stable');
  });

  it('takes the broker for its word when it wants heartbeats more often', async () => {
    const { transport, clock, join, sent } = membership({ heartbeatIntervalMs: 1000 });
    transport.on(streamsGroupHeartbeat, ({ memberEpoch }) => ({
      ...answer(1, memberEpoch === 0 ? [0] : undefined),
      heartbeatIntervalMs: 200,
    }));
    await join();
    await clock.advance(2000);
    expect(sent().length).toBeGreaterThan(7);
  });

  it('leaves with the epoch that says so, and is silent afterwards', async () => {
    const { clock, member, join, sent } = membership();
    await join();
    await clock.until(member.leave('shutdown'));
    expect(sent().at(-1)).toMatchObject({ memberEpoch: -1 });
    expect(member.state).toBe('unjoined');
    const count = sent().length;
    await clock.advance(10_000);
    expect(sent()).toHaveLength(count);
  });

  it('waits no longer than a second for the answer when it leaves', async () => {
    const { transport, clock, member, join } = membership();
    await join();
    transport.on(streamsGroupHeartbeat, () => new Promise(() => undefined));
    const before = clock.monotonicMs();
    await clock.until(member.leave('shutdown'));
    expect(clock.monotonicMs() - before).toBeLessThanOrEqual(1000);
  });

  it('ends the wait for an assignment when it is cancelled', async () => {
    const { transport, clock, member } = membership();
    transport.on(streamsGroupHeartbeat, () => answer(1, [], [GroupStatus.ASSIGNMENT_DELAYED]));
    const abort = new AbortController();
    const joining = member.join(abort.signal);
    await clock.advance(1000);
    abort.abort();
    await expect(joining).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
