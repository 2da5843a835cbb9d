import {
  deleteGroups,
  describeGroups,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  type ResponseOf,
  syncGroup,
} from '@millrace/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../raw-client/raw-client.ts';
import { awaitCoordinators, createTopic } from '../raw-client/requests.ts';
import type { DevBroker } from '../dev-broker.ts';
import { startBroker } from '../start-broker.ts';

type Joined = ResponseOf<typeof joinGroup>;

interface JoinOptions {
  readonly memberId?: string;
  readonly metadata?: string;
  readonly groupInstanceId?: string;
  readonly sessionTimeoutMs?: number;
  readonly protocol?: string;
  readonly version?: number;
}

describe('a group', () => {
  let broker: DevBroker;
  const connections: RawClient[] = [];

  async function connection(): Promise<RawClient> {
    const client = await RawClient.connect(broker);
    connections.push(client);
    return client;
  }

  beforeEach(async () => {
    broker = await startBroker({ groupMinSessionTimeoutMs: 50 });
    await awaitCoordinators(await connection());
    await createTopic(await connection(), 't');
  });
  afterEach(async () => {
    for (const client of connections.splice(0)) client[Symbol.dispose]();
    await broker.stop();
  });

  async function join(client: RawClient, options: JoinOptions = {}): Promise<Joined> {
    const {
      memberId = '',
      metadata = 'm',
      groupInstanceId,
      sessionTimeoutMs = 60_000,
      protocol = 'range',
      version = 9,
    } = options;
    const answer = await client.send(joinGroup, version, {
      groupId: 'g',
      sessionTimeoutMs,
      rebalanceTimeoutMs: 60_000,
      memberId,
      groupInstanceId,
      protocolType: 'consumer',
      protocols: [{ name: protocol, metadata: Buffer.from(metadata) }],
    });
    return answer.errorCode === 79 ? join(client, { ...options, memberId: answer.memberId }) : answer;
  }

  async function sync(client: RawClient, { memberId, generationId }: Joined, assignments: Record<string, string> = {}) {
    const entries = Object.entries(assignments).map(([id, text]) => ({ memberId: id, assignment: Buffer.from(text) }));
    const answer = await client.send(syncGroup, 5, { groupId: 'g', generationId, memberId, assignments: entries });
    return { errorCode: answer.errorCode, assignment: answer.assignment.toString() };
  }

  async function beat(client: RawClient, { memberId, generationId }: Joined): Promise<number> {
    return (await client.send(heartbeat, 4, { groupId: 'g', generationId, memberId })).errorCode;
  }

  async function commit(client: RawClient, generationId: number, memberId: string, offset = 1): Promise<number | undefined> {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: 'note' }] }];
    const body = { groupId: 'g', generationIdOrMemberEpoch: generationId, memberId, topics };
    return (await client.send(offsetCommit, 8, body)).topics[0]?.partitions[0]?.errorCode;
  }

  async function state(): Promise<string | undefined> {
    return (await (await connection()).send(describeGroups, 5, { groups: ['g'] })).groups[0]?.groupState;
  }

  /** Two members in one generation, the first of them the leader. */
  async function pair(): Promise<{ a: RawClient; b: RawClient; ofA: Joined; ofB: Joined }> {
    const [a, b] = [await connection(), await connection()];
    const first = await join(a, { metadata: 'a' });
    await sync(a, first, { [first.memberId]: 'all' });
    const joining = join(b, { metadata: 'b' });
    await expect.poll(() => beat(a, first)).toBe(27);
    const [ofA, ofB] = await Promise.all([join(a, { metadata: 'a', memberId: first.memberId }), joining]);
    return { a, b, ofA, ofB };
  }

  it('begins with a member that is told its id first', async () => {
    const client = await connection();
    const body = { groupId: 'g', sessionTimeoutMs: 60_000, memberId: '', protocolType: 'consumer', protocols: [] };
    const protocols = [{ name: 'range', metadata: Buffer.from('m') }];
    expect((await client.send(joinGroup, 4, body)).errorCode).toBe(23);
    const refused = await client.send(joinGroup, 4, { ...body, protocols });
    expect(refused).toMatchObject({ errorCode: 79, memberId: expect.stringMatching(/^raw-/) });
    const joined = await client.send(joinGroup, 4, { ...body, protocols, memberId: refused.memberId });
    expect(joined).toMatchObject({ errorCode: 0, generationId: 1, leader: refused.memberId, protocolName: 'range' });
    expect(await sync(client, joined, { [joined.memberId]: 'all' })).toEqual({ errorCode: 0, assignment: 'all' });
    expect(await state()).toBe('Stable');
  });

  it('lets old clients in at once', async () => {
    expect(await join(await connection(), { version: 3 })).toMatchObject({ errorCode: 0, generationId: 1 });
  });

  it('refuses what it cannot work with', async () => {
    const client = await connection();
    expect((await join(client, { sessionTimeoutMs: 10 })).errorCode).toBe(26);
    expect((await join(client, { memberId: 'nobody' })).errorCode).toBe(25);
    await join(client);
    expect((await join(await connection(), { protocol: 'other' })).errorCode).toBe(23);
  });

  it('waits for all members, and tells only the leader who they are', async () => {
    const { a, b, ofA, ofB } = await pair();
    expect([ofA.generationId, ofB.generationId]).toEqual([2, 2]);
    expect(ofA.members.map(({ metadata }) => metadata.toString()).sort()).toEqual(['a', 'b']);
    expect(ofB).toMatchObject({ leader: ofA.memberId, members: [] });
    const following = sync(b, ofB);
    expect(await beat(a, ofA)).toBe(0);
    expect(await sync(a, ofA, { [ofA.memberId]: 'for a', [ofB.memberId]: 'for b' })).toMatchObject({ assignment: 'for a' });
    expect(await following).toEqual({ errorCode: 0, assignment: 'for b' });
  });

  it('rebalances when the leader or a changed follower joins again, and not for an unchanged follower', async () => {
    const { a, b, ofA, ofB } = await pair();
    await Promise.all([sync(b, ofB), sync(a, ofA, {})]);
    expect(await join(b, { metadata: 'b', memberId: ofB.memberId })).toMatchObject({ generationId: 2 });
    expect(await beat(a, ofA)).toBe(0);
    const changed = join(b, { metadata: 'changed', memberId: ofB.memberId });
    await expect.poll(() => beat(a, ofA)).toBe(27);
    const again = await join(a, { metadata: 'a', memberId: ofA.memberId });
    expect([again.generationId, (await changed).generationId]).toEqual([3, 3]);
  });

  it('takes commits of its generation only, and while members prepare to rejoin', async () => {
    const { a, b, ofA, ofB } = await pair();
    expect(await commit(a, 2, ofA.memberId)).toBe(27);
    await Promise.all([sync(b, ofB), sync(a, ofA, {})]);
    expect(await commit(a, 2, ofA.memberId)).toBe(0);
    expect(await commit(a, 1, ofA.memberId)).toBe(22);
    expect(await commit(a, 2, 'nobody')).toBe(25);
    expect(await commit(a, -1, '')).toBe(25);
    const joining = join(b, { metadata: 'changed', memberId: ofB.memberId });
    await expect.poll(() => beat(a, ofA)).toBe(27);
    expect(await commit(a, 2, ofA.memberId)).toBe(0);
    await join(a, { metadata: 'a', memberId: ofA.memberId });
    await joining;
  });

  it('loses a member that falls silent, and keeps one that waits', async () => {
    const client = await connection();
    // In a version that gives no id first: that would have to be used within the session timeout, too.
    const joined = await join(client, { sessionTimeoutMs: 60, version: 3 });
    expect(joined).toMatchObject({ errorCode: 0, generationId: 1 });
    await sync(client, joined);
    await expect.poll(state).toBe('Empty');
    expect(await beat(client, joined)).toBe(25);
  });

  it('loses a member that leaves, by id or by instance', async () => {
    const client = await connection();
    const joined = await join(client, { groupInstanceId: 'i' });
    await sync(client, joined);
    const leave = (memberId: string, groupInstanceId: string | undefined) =>
      client.send(leaveGroup, 5, { groupId: 'g', members: [{ memberId, groupInstanceId }] });
    expect((await leave('nobody', undefined)).members[0]?.errorCode).toBe(25);
    expect((await leave('', 'i')).members[0]?.errorCode).toBe(0);
    expect(await state()).toBe('Empty');
  });

  it('lets a static member come back without a rebalance, and fences its former self', async () => {
    const [before, after] = [await connection(), await connection()];
    const joined = await join(before, { groupInstanceId: 'i', metadata: 'a' });
    await sync(before, joined, { [joined.memberId]: 'all' });
    const back = await join(after, { groupInstanceId: 'i', metadata: 'changed' });
    expect(back).toMatchObject({ generationId: 1, skipAssignment: true, leader: back.memberId });
    expect(await sync(after, back)).toEqual({ errorCode: 0, assignment: 'all' });
    const fenced = { groupId: 'g', generationId: 1, memberId: joined.memberId, groupInstanceId: 'i' };
    expect((await before.send(heartbeat, 4, fenced)).errorCode).toBe(82);
    expect((await before.send(heartbeat, 4, { ...fenced, groupInstanceId: 'other' })).errorCode).toBe(25);
  });

  it('is there as soon as somebody may commit, also if what he commits is refused', async () => {
    const client = await connection();
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: 'm'.repeat(4097) }];
    const { topics } = await client.send(offsetCommit, 8, { groupId: 'g', topics: [{ name: 't', partitions }] });
    expect(topics[0]?.partitions[0]?.errorCode).toBe(12);
    expect(await state()).toBe('Empty');
  });

  it('may have offsets without members, and is listed and deleted', async () => {
    const client = await connection();
    expect(await commit(client, -1, '', 7)).toBe(0);
    const found = await client.send(offsetFetch, 8, { groups: [{ groupId: 'g', topics: undefined }] });
    expect(found.groups[0]?.topics[0]?.partitions[0]).toMatchObject({ committedOffset: 7, metadata: 'note' });
    expect((await client.send(listGroups, 4, { statesFilter: ['empty'] })).groups).toEqual([
      { groupId: 'g', protocolType: '', groupState: 'Empty' },
    ]);
    const partitions = [{ partitionIndex: 0 }];
    expect((await client.send(offsetDelete, 0, { groupId: 'g', topics: [{ name: 't', partitions }] })).errorCode).toBe(0);
    const after = await client.send(offsetFetch, 7, { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] });
    expect(after.topics[0]?.partitions[0]).toMatchObject({ committedOffset: -1, errorCode: 0 });
    const codes = async () => (await client.send(deleteGroups, 2, { groupsNames: ['g'] })).results[0]?.errorCode;
    expect([await codes(), await codes()]).toEqual([0, 69]);
    await join(client);
    expect(await codes()).toBe(68);
  });
});
