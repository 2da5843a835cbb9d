import { findCoordinator, heartbeat, initProducerId, listGroups, metadata, offsetCommit } from '@millrace/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../raw-client/raw-client.ts';
import { append, awaitCoordinators, batchOf, createTopic, read, textsIn } from '../raw-client/requests.ts';
import type { DevBroker } from '../dev-broker.ts';
import { startBroker } from '../start-broker.ts';

describe('a broker of three nodes', () => {
  let broker: DevBroker;
  let clients: RawClient[];

  beforeEach(async () => {
    broker = await startBroker({ nodes: 3, nodeId: 10 });
    clients = await Promise.all(broker.nodes.map((node) => RawClient.connect(node)));
    await awaitCoordinators(client(10));
    await createTopic(client(10), 't', 6);
  });
  afterEach(async () => {
    for (const one of clients) one[Symbol.dispose]();
    await broker.stop();
  });

  const client = (nodeId: number): RawClient => clients[nodeId - 10] as RawClient;
  const others = (nodeId: number) => [10, 11, 12].filter((id) => id !== nodeId);

  async function leaders(): Promise<number[]> {
    const answer = await client(11).send(metadata, 12, { topics: [{ name: 't' }] });
    expect(answer.brokers.map(({ nodeId }) => nodeId)).toEqual([10, 11, 12]);
    return answer.topics[0]?.partitions.map(({ leaderId }) => leaderId) ?? [];
  }

  it('spreads partitions, each served by its leader alone, and by another one after a move', async () => {
    const leader = (await leaders())[0] as number;
    expect(new Set(await leaders())).toEqual(new Set([10, 11, 12]));
    const [next = 0] = others(leader);
    expect((await append(client(leader), 't', batchOf(['a']))).errorCode).toBe(0);
    expect((await append(client(next), 't', batchOf(['b']))).errorCode).toBe(6);
    const waiting = read(client(leader), 't', { offset: 1, maxWaitMs: 3_600_000 });
    await client(next).send(metadata, 12, { topics: [] });
    broker.moveLeader('t', 0, next);
    expect((await waiting).errorCode).toBe(6);
    expect((await leaders())[0]).toBe(next);
    expect((await append(client(next), 't', batchOf(['b']))).baseOffset).toBe(1);
    expect(textsIn((await read(client(next), 't')).records)).toEqual(['0:a', '1:b']);
  });

  it('spreads groups, each coordinated by one node, and by another one after a move', async () => {
    const find = async () => (await client(12).send(findCoordinator, 3, { key: 'g', keyType: 0 })).nodeId;
    const commit = async (nodeId: number) => {
      const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1 }] }];
      return (await client(nodeId).send(offsetCommit, 8, { groupId: 'g', topics })).topics[0]?.partitions[0]?.errorCode;
    };
    const coordinator = await find();
    const [next = 0] = others(coordinator);
    expect([await commit(coordinator), await commit(next)]).toEqual([0, 16]);
    const listed = async (nodeId: number) => (await client(nodeId).send(listGroups, 4, {})).groups.map(({ groupId }) => groupId);
    expect([await listed(coordinator), await listed(next)]).toEqual([['g'], []]);
    broker.moveCoordinator('group', 'g', next);
    expect(await find()).toBe(next);
    expect([await commit(coordinator), await commit(next)]).toEqual([16, 0]);
    const beat = { groupId: 'g', generationId: 1, memberId: 'm' };
    expect((await client(coordinator).send(heartbeat, 4, beat)).errorCode).toBe(16);
  });

  it('spreads transactional ids; plain producers are served by any node', async () => {
    const { nodeId } = await client(10).send(findCoordinator, 3, { key: 'id', keyType: 1 });
    const [other = 0] = others(nodeId);
    const init = async (at: number, transactionalId: string | undefined) =>
      (await client(at).send(initProducerId, 4, { transactionalId, transactionTimeoutMs: 1000 })).errorCode;
    expect([await init(nodeId, 'id'), await init(other, 'id'), await init(other, undefined)]).toEqual([0, 16, 0]);
  });
});
