import type { GroupMember, KafkaClient } from '@millrace/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { newTopic, PATIENT_MS, realClient, roundRobin, unique } from './real-client.ts';

/** The shortest that Kafka allows unless told otherwise: of members that are to lose their membership. */
const SHORT_SESSION_MS = 6000;

describeWithKafka('groups against a real Kafka', (brokers) => {
  let clients: KafkaClient[];
  let topic: string;
  let groupId: string;

  function client(): KafkaClient {
    const made = realClient(brokers).client;
    clients.push(made);
    return made;
  }

  function member(
    name: string,
    options: { readonly sessionTimeoutMs?: number; readonly groupInstanceId?: string } = {},
  ): GroupMember {
    return client().createGroupMember({
      groupId,
      sessionTimeoutMs: PATIENT_MS,
      assignor: roundRobin(topic, 4, name),
      ...options,
    });
  }

  const partitionsOf = (assignment: { readonly partitions: readonly { readonly partition: number }[] }) =>
    assignment.partitions.map(({ partition }) => partition);

  beforeEach(async () => {
    clients = [];
    topic = await newTopic(client(), 4);
    groupId = unique('group');
  });
  afterEach(async () => {
    for (const one of clients) await one.close();
  });

  it('gives all partitions to a member that is alone', async () => {
    const alone = member('a');
    const assignment = await alone.join();
    expect(partitionsOf(assignment)).toEqual([0, 1, 2, 3]);
    expect(assignment.userData?.toString()).toBe('a');
    await alone.leave('done');
  });

  it('shares the partitions when a second member joins, and gives them back when it leaves', async () => {
    const [a, b] = [member('a'), member('b')];
    await a.join();
    const joining = b.join();
    await a.changed();
    expect(a.state).toBe('rejoin-needed');
    const [ofA, ofB] = await Promise.all([a.join(), joining]);
    expect([...partitionsOf(ofA), ...partitionsOf(ofB)].sort()).toEqual([0, 1, 2, 3]);
    expect(ofA.userData?.toString()).toBe('a,b');
    expect(a.metadata?.generationId).toBe(b.metadata?.generationId);
    await b.leave('done');
    await a.changed();
    expect(partitionsOf(await a.join())).toEqual([0, 1, 2, 3]);
    await a.leave('done');
  });

  it('starts a rebalance when a follower asks for one', async () => {
    const [a, b] = [member('a'), member('b')];
    await a.join();
    const joining = b.join();
    await a.changed();
    await Promise.all([a.join(), joining]);
    const before = a.metadata?.generationId ?? 0;
    for (const one of [a, b]) {
      const other = one === a ? b : a;
      one.requestRejoin('new user data');
      const rejoined = one.join();
      await other.changed();
      await Promise.all([rejoined, other.join()]);
    }
    expect(a.metadata?.generationId).toBe(before + 2);
    await Promise.all([a.leave('done'), b.leave('done')]);
  });

  it('hands the partitions of a member that falls silent to the others', async () => {
    const [silent, other] = [member('silent', { sessionTimeoutMs: SHORT_SESSION_MS }), member('other')];
    await silent.join();
    const joining = other.join();
    await silent.changed();
    await Promise.all([silent.join(), joining]);
    await silent.close();
    await other.changed();
    expect(partitionsOf(await other.join())).toEqual([0, 1, 2, 3]);
    await other.leave('done');
  });

  it('is lost when it comes back after its session has expired', async () => {
    const { client: own, transport } = realClient(brokers);
    clients.push(own);
    const late = own.createGroupMember({ groupId, sessionTimeoutMs: SHORT_SESSION_MS, assignor: roundRobin(topic, 4) });
    await late.join();
    const { metadata } = late;
    transport.lose({ key: 12 } as never, ...new Array<'request'>(30).fill('request'));
    await late.changed();
    expect(late.state).toBe('lost');
    await expect.poll(async () => (await own.admin.describeGroup(groupId)).state).toBe('Empty');
    if (metadata === undefined) throw new Error('it had joined');
    await expect(own.offsets.commit(metadata, [{ topic, partition: 0, offset: 1, metadata: '' }])).rejects.toMatchObject({
      name: 'TaskMigratedError',
    });
    await late.join();
    expect(late.state).toBe('stable');
    await late.leave('done');
  });

  it('lets a static member restart without a rebalance, and fences the process that it replaces', async () => {
    const first = member('a', { groupInstanceId: 'i-1' });
    await first.join();
    const before = first.metadata;
    const second = member('a', { groupInstanceId: 'i-1' });
    expect(partitionsOf(await second.join())).toEqual([0, 1, 2, 3]);
    expect(second.metadata?.generationId).toBe(before?.generationId);
    await first.changed();
    expect(first.state).toBe('failed');
    expect(first.error).toMatchObject({ code: 'FENCED_INSTANCE_ID' });
    await second.leave('done');
  });

  it('refuses a session timeout that the broker does not allow', async () => {
    const hasty = client().createGroupMember({
      groupId,
      sessionTimeoutMs: 10,
      heartbeatIntervalMs: 5,
      assignor: roundRobin(topic, 4),
    });
    await expect(hasty.join()).rejects.toMatchObject({ code: 'INVALID_SESSION_TIMEOUT' });
  });
});
