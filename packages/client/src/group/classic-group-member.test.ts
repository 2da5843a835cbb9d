import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  heartbeat,
  joinGroup,
  leaveGroup,
  syncGroup,
  type JoinGroupRequest,
  type ResponseInput,
} from '@millrace/wire';
import { FatalStreamsError } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import type { Assignor, GroupMemberOptions, MemberSubscription } from '../port/kafka-client.ts';
import { scriptedKafka } from '../scripted-transport/scripted-kafka.ts';
import { answerLost } from '../scripted-transport/scripted-transport.ts';
import { ClassicGroupMember } from './classic-group-member.ts';

const OWN = [{ topic: 'orders', partition: 1 }];

function assignor(overrides: Partial<Assignor> = {}): Assignor {
  return {
    name: 'millrace',
    subscription: () => ({ topics: ['orders'], ownedPartitions: OWN, userData: Buffer.from('lag=3') }),
    assign: (members) =>
      Promise.resolve(new Map(members.map(({ memberId }) => [memberId, { partitions: OWN, userData: Buffer.from('plan') }]))),
    ...overrides,
  };
}

/** The coordinator's answer to a join: a group with this member as its only one, or as a follower. */
function joined(request: JoinGroupRequest, generationId: number, leader = request.memberId): ResponseInput<typeof joinGroup> {
  const metadata = request.protocols[0]?.metadata ?? Buffer.alloc(0);
  const members = leader === request.memberId ? [{ memberId: request.memberId, metadata }] : [];
  return {
    errorCode: 0,
    generationId,
    protocolType: 'consumer',
    protocolName: 'millrace',
    leader,
    memberId: request.memberId,
    members,
  };
}

const refused = (errorCode: number, memberId = ''): ResponseInput<typeof joinGroup> => ({
  errorCode,
  leader: '',
  memberId,
  members: [],
});

function membership(options: Partial<GroupMemberOptions> = {}) {
  const kafka = scriptedKafka();
  const { transport, clock, cluster } = kafka;
  let generation = 0;
  transport
    .on(joinGroup, (request) => {
      if (request.memberId === '' && request.groupInstanceId === undefined) return refused(79, 'm-1');
      return joined({ ...request, memberId: request.memberId === '' ? 'm-static' : request.memberId }, ++generation);
    })
    .on(syncGroup, ({ assignments }) => ({
      errorCode: 0,
      assignment: assignments[0]?.assignment ?? encodeAssignment({ assignedPartitions: [] }),
    }))
    .on(heartbeat, () => ({ errorCode: 0 }))
    .on(leaveGroup, () => ({ errorCode: 0, members: [] }));
  const member = new ClassicGroupMember(cluster, { groupId: 'app', sessionTimeoutMs: 6000, assignor: assignor(), ...options });
  const join = () => clock.until(member.join());
  return { ...kafka, member, join };
}

describe('a group member', () => {
  it('joins with the id that the coordinator gives it, and gets its assignment with user data', async () => {
    const { transport, member, join } = membership();
    expect(await join()).toEqual({ partitions: OWN, userData: Buffer.from('plan'), isUnbroken: false });
    expect(member.state).toBe('stable');
    expect(member.metadata).toEqual({ groupId: 'app', generationId: 1, memberId: 'm-1', groupInstanceId: undefined });
    expect(transport.bodies(joinGroup).map(({ memberId }) => memberId)).toEqual(['', 'm-1']);
    expect(transport.conversation).toEqual(['JoinGroup', 'JoinGroup', 'SyncGroup']);
  });

  it('puts subscription, owned partitions and generation into its bytes', async () => {
    const { transport, member, join } = membership();
    await join();
    member.requestRejoin('test');
    await join();
    const bytes = transport.bodies(joinGroup).map(({ protocols }) => decodeSubscription(protocols[0]?.metadata as Buffer));
    expect(bytes[1]).toMatchObject({
      topics: ['orders'],
      userData: Buffer.from('lag=3'),
      ownedPartitions: [{ topic: 'orders', partitions: [1] }],
      generationId: -1,
    });
    // Other bytes than before: with the same ones a follower would not start a rebalance.
    expect(bytes[2]?.generationId).toBe(1);
  });

  it('shows the leader all members and hands out what its assignor says', async () => {
    const seen: MemberSubscription[][] = [];
    const { transport, join } = membership({
      assignor: assignor({
        assign: (members) => {
          seen.push([...members]);
          return Promise.resolve(
            new Map(
              members.map(({ memberId }, i) => [
                memberId,
                { partitions: [{ topic: 'orders', partition: i }], userData: undefined },
              ]),
            ),
          );
        },
      }),
    });
    transport
      .once(joinGroup, () => refused(79, 'm-1'))
      .once(joinGroup, (request) => ({
        ...joined(request, 1),
        members: ['m-1', 'm-2'].map((memberId) => ({
          memberId,
          groupInstanceId: undefined,
          metadata: encodeSubscription({ topics: ['orders'], userData: Buffer.from(memberId) }),
        })),
      }));
    await join();
    expect(seen[0]).toMatchObject([
      { memberId: 'm-1', userData: Buffer.from('m-1') },
      { memberId: 'm-2', ownedPartitions: [] },
    ]);
    const assignments = transport
      .bodies(syncGroup)[0]
      ?.assignments.map(({ memberId, assignment }) => [memberId, decodeAssignment(assignment).assignedPartitions]);
    expect(assignments).toEqual([
      ['m-1', [{ topic: 'orders', partitions: [0] }]],
      ['m-2', [{ topic: 'orders', partitions: [1] }]],
    ]);
  });

  it('assigns nothing as a follower', async () => {
    const { transport, join } = membership({ assignor: assignor({ assign: () => Promise.reject(new Error('not asked')) }) });
    transport.on(joinGroup, (request) => (request.memberId === '' ? refused(79, 'm-1') : joined(request, 4, 'm-2')));
    expect(await join()).toMatchObject({ partitions: [], userData: undefined });
  });

  it('keeps the group as it is when it comes back as its leader under its instance id', async () => {
    const { transport, join } = membership({
      groupInstanceId: 'i-1',
      assignor: assignor({ assign: () => Promise.reject(new Error('not asked')) }),
    });
    transport.on(joinGroup, (request) => ({ ...joined(request, 4, 'm-9'), memberId: 'm-9', skipAssignment: true }));
    await join();
    expect(transport.bodies(syncGroup)).toMatchObject([
      { assignments: [], memberId: 'm-9', groupInstanceId: 'i-1', generationId: 4 },
    ]);
  });

  it('sends heartbeats by timer, and none while it joins', async () => {
    const { transport, clock, member, join } = membership({ heartbeatIntervalMs: 500 });
    await join();
    await clock.advance(2000);
    expect(transport.bodies(heartbeat)).toHaveLength(4);
    let answer: (value: ResponseInput<typeof joinGroup>) => void = () => undefined;
    transport.once(
      joinGroup,
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    member.requestRejoin('test');
    const rejoined = member.join();
    await clock.advance(3000);
    expect(transport.bodies(heartbeat)).toHaveLength(4);
    answer(joined({ memberId: 'm-1', protocols: [] as unknown } as JoinGroupRequest, 2, 'other'));
    await clock.until(rejoined);
    await clock.advance(500);
    expect(transport.bodies(heartbeat).at(-1)).toMatchObject({ generationId: 2 });
  });

  it('sends heartbeats while the leader assigns, however long that takes', async () => {
    const { transport, clock, join } = membership({
      assignor: assignor({
        assign: async (members) => {
          await clock.sleep(10_000);
          return new Map(members.map(({ memberId }) => [memberId, { partitions: [], userData: undefined }]));
        },
      }),
    });
    await join();
    expect(transport.bodies(heartbeat).length).toBeGreaterThan(10);
  });

  it('keeps group traffic on its own lane', async () => {
    const { transport, join } = membership();
    await join();
    expect(
      new Set(transport.sent.filter(({ name }) => name === 'JoinGroup' || name === 'SyncGroup').map(({ lane }) => lane)),
    ).toEqual(new Set(['group']));
    expect(transport.sent.filter(({ name }) => name === 'FindCoordinator').map(({ lane }) => lane)).toEqual(['admin']);
  });

  it('notices a rebalance, wakes its owner, and stays alive until it joins', async () => {
    const { transport, clock, member, join } = membership();
    await join();
    let woken = false;
    void member.changed().then(() => {
      woken = true;
    });
    transport.on(heartbeat, () => ({ errorCode: 27 }));
    await clock.advance(600);
    expect(member.state).toBe('rejoin-needed');
    expect(woken).toBe(true);
    await clock.advance(10_000);
    expect(member.state).toBe('rejoin-needed');
    await join();
    expect(member.metadata?.generationId).toBe(2);
  });

  it.each([
    [22, 'm-1'],
    [25, ''],
  ])('is lost when the coordinator does not know it any more (%i), and joins as %j', async (errorCode, memberId) => {
    const { transport, clock, member, join } = membership();
    await join();
    transport.once(heartbeat, () => ({ errorCode }));
    await clock.advance(600);
    expect(member.state).toBe('lost');
    transport.sent.length = 0;
    await join();
    expect(transport.bodies(joinGroup)[0]?.memberId).toBe(memberId);
    expect(member.state).toBe('stable');
  });

  it('joins as the member that it was when its coordinator was away for a session: the group would wait for that one', async () => {
    const { transport, clock, member, join } = membership();
    await join();
    transport.on(heartbeat, answerLost);
    await clock.advance(7000);
    expect(member.state).toBe('lost');
    transport.sent.length = 0;
    expect((await join()).isUnbroken).toBe(false);
    expect(transport.bodies(joinGroup)[0]?.memberId).toBe('m-1');
  });

  it('knows by itself that its session has expired when no heartbeat gets through', async () => {
    const { transport, clock, member, join } = membership();
    await join();
    transport.on(heartbeat, answerLost);
    await clock.advance(5500);
    expect(member.state).toBe('stable');
    await clock.advance(1500);
    expect(member.state).toBe('lost');
  });

  it('knows that its session has expired when it wakes from a long stop', async () => {
    const { transport, clock, member, join } = membership();
    await join();
    transport.on(heartbeat, () => new Promise(() => undefined));
    await clock.advance(7000);
    expect(member.state).toBe('lost');
  });

  it('fails for good when another process has its instance id (82)', async () => {
    const { transport, clock, member, join } = membership({ groupInstanceId: 'i-1' });
    await join();
    transport.once(heartbeat, () => ({ errorCode: 82 }));
    await clock.advance(600);
    expect(member.state).toBe('failed');
    expect(member.error).toMatchObject({ name: 'FatalStreamsError', code: 'FENCED_INSTANCE_ID' });
    await expect(member.join()).rejects.toBe(member.error);
  });

  it('F43: fails for good when the coordinator does not accept its credentials any more', async () => {
    const { transport, clock, member, join } = membership();
    await join();
    const refusal = new FatalStreamsError('AUTHENTICATION_FAILED', 'the broker refused user "app"');
    transport.on(heartbeat, () => refusal);
    await clock.advance(600);
    expect([member.state, member.error]).toEqual(['failed', refusal]);
    await clock.advance(10_000);
    expect(transport.bodies(heartbeat)).toHaveLength(1);
  });

  it.each([
    [23, /same assignor name/],
    [26, /session timeout/],
    [30, /READ on the group/],
    [81, /group.max.size/],
    [82, /instance id/],
  ] as const)('cannot join at all after error %i, and says what to do', async (errorCode, wayOut) => {
    const { transport, member, join } = membership();
    transport.on(joinGroup, () => refused(errorCode));
    await expect(join()).rejects.toThrow(wayOut);
    expect(member.state).toBe('failed');
  });

  it.each([14, 15, 16, 27])('tries again after JoinGroup error %i', async (errorCode) => {
    const { transport, member, join } = membership();
    transport.once(joinGroup, () => refused(errorCode));
    await join();
    expect(member.state).toBe('stable');
  });

  it.each([14, 15, 16, 22, 25, 27])('tries again after SyncGroup error %i', async (errorCode) => {
    const { transport, member, join } = membership();
    transport.once(syncGroup, () => ({ errorCode, assignment: Buffer.alloc(0) }));
    await join();
    expect(member.state).toBe('stable');
    expect(transport.bodies(joinGroup).at(-1)?.memberId).toBe('m-1');
  });

  it('says whether it was in the group all the time since its last assignment', async () => {
    const { transport, clock, member, join } = membership();
    expect(await join()).toMatchObject({ isUnbroken: false });
    member.requestRejoin('test');
    transport.once(syncGroup, () => ({ errorCode: 27, assignment: Buffer.alloc(0) }));
    expect(await join()).toMatchObject({ isUnbroken: true });
    transport.once(heartbeat, () => ({ errorCode: 25 }));
    await clock.advance(2600);
    expect(await join()).toMatchObject({ isUnbroken: false });
    expect(await join()).toMatchObject({ isUnbroken: true });
  });

  it('was out of the group when a generation passed that it was not in, even if the coordinator has kept it', async () => {
    const { transport, clock, member, join } = membership({ groupInstanceId: 'w-1' });
    transport.on(joinGroup, (request) => joined({ ...request, memberId: 'm-static' }, 4));
    await join();
    transport.on(joinGroup, (request) => joined({ ...request, memberId: 'm-static' }, 6));
    let stateDuringSync: string | undefined;
    transport.once(syncGroup, () => {
      stateDuringSync = member.state;
      return { errorCode: 0, assignment: encodeAssignment({ assignedPartitions: [] }) };
    });
    transport.once(heartbeat, () => ({ errorCode: 27 }));
    await clock.advance(2600);
    expect(member.state).toBe('rejoin-needed');
    expect(await join()).toMatchObject({ isUnbroken: false });
    expect([stateDuringSync, member.state]).toEqual(['lost', 'stable']);
    expect(member.metadata).toMatchObject({ generationId: 6 });
    transport.on(joinGroup, (request) => joined({ ...request, memberId: 'm-static' }, 7));
    expect(await join()).toMatchObject({ isUnbroken: true });
  });

  it.each([22, 25])('is lost as soon as it hears so while it joins (%i), not only when the join has ended', async (errorCode) => {
    const { transport, clock, member, join } = membership();
    await join();
    member.requestRejoin('test');
    transport.once(joinGroup, () => refused(errorCode)).once(joinGroup, () => new Promise(() => undefined));
    const abort = new AbortController();
    const joining = member.join(abort.signal);
    await clock.advance(1000);
    expect(member.state).toBe('lost');
    abort.abort();
    await expect(joining).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('joins again when the connection breaks meanwhile, with the id that it has', async () => {
    const { transport, join } = membership();
    transport.once(joinGroup, () => refused(79, 'm-1')).once(joinGroup, answerLost);
    await join();
    expect(transport.bodies(joinGroup).map(({ memberId }) => memberId)).toEqual(['', 'm-1', 'm-1']);
  });

  it('leaves and reports when its assignor fails', async () => {
    const { transport, member, join } = membership({
      assignor: assignor({ assign: () => Promise.reject(new Error('no such topic')) }),
    });
    await expect(join()).rejects.toThrow('no such topic');
    expect(transport.bodies(leaveGroup)).toMatchObject([{ members: [{ memberId: 'm-1' }] }]);
    expect(member.state).toBe('unjoined');
  });

  it('ends the wait for others when it is cancelled', async () => {
    const { transport, clock, member } = membership();
    transport.on(joinGroup, () => new Promise(() => undefined));
    const abort = new AbortController();
    const join = member.join(abort.signal);
    await clock.settle();
    abort.abort();
    await expect(join).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('tells the group when it leaves, and waits no longer than a second for that', async () => {
    const { transport, clock, member, join } = membership();
    await join();
    transport.on(leaveGroup, () => new Promise(() => undefined));
    const before = clock.monotonicMs();
    await clock.until(member.leave('shutdown'));
    expect(clock.monotonicMs() - before).toBe(1000);
    expect(transport.bodies(leaveGroup)).toMatchObject([{ members: [{ memberId: 'm-1', reason: 'shutdown' }] }]);
    expect(member.state).toBe('unjoined');
    expect(member.metadata).toBeUndefined();
    const heartbeats = transport.bodies(heartbeat).length;
    await clock.advance(5000);
    expect(transport.bodies(heartbeat)).toHaveLength(heartbeats);
  });

  it('stops without leaving when it closes', async () => {
    const { transport, clock, member, join } = membership({ groupInstanceId: 'i-1' });
    await join();
    await member.close();
    await clock.advance(5000);
    expect(transport.bodies(leaveGroup)).toEqual([]);
    expect(transport.bodies(heartbeat)).toEqual([]);
  });

  it('finds a coordinator that has moved', async () => {
    const { transport, clock, member, join } = membership();
    await join();
    transport.once(heartbeat, () => ({ errorCode: 16 }));
    await clock.advance(1100);
    expect(member.state).toBe('stable');
    expect(transport.sent.filter(({ name }) => name === 'FindCoordinator')).toHaveLength(2);
  });
});
