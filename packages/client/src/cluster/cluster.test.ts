import { findCoordinator, heartbeat, metadata } from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import { scriptedKafka } from '../scripted-transport/scripted-kafka.ts';
import { notSent } from '../scripted-transport/scripted-transport.ts';

describe('the cluster', () => {
  it('remembers topics and leaders, and asks only once', async () => {
    const { cluster, transport } = scriptedKafka({ orders: [1, 2, -1] });
    await cluster.topic('orders');
    await cluster.topic('orders');
    expect(transport.bodies(metadata)).toHaveLength(1);
    expect([0, 1, 2, 3].map((partition) => cluster.leader('orders', partition))).toEqual([1, 2, undefined, undefined]);
  });

  it('never lets a metadata request create a topic', async () => {
    const { cluster, transport } = scriptedKafka();
    await cluster.describe(['orders']);
    expect(transport.bodies(metadata)).toMatchObject([{ allowAutoTopicCreation: false }]);
  });

  it('asks another broker when none of the bootstrap brokers is there', async () => {
    const { cluster, transport, clock } = scriptedKafka();
    await cluster.topic('orders');
    transport.once(metadata, notSent);
    await clock.until(cluster.describe(['orders']));
    expect(transport.sent.at(-1)?.target).not.toBe('any');
  });

  it('refreshes many topics in one request, and repeatedly only at growing intervals', async () => {
    const { cluster, transport, clock } = scriptedKafka({ orders: [-1], payments: [1] });
    cluster.onMetadata(() => {
      if (cluster.leader('orders', 0) === undefined) cluster.refreshSoon('orders');
    });
    cluster.refreshSoon('orders');
    cluster.refreshSoon('payments');
    await clock.advance(10_000);
    const requests = transport.bodies(metadata);
    expect(requests.some(({ topics }) => topics?.length === 2) || requests.length > 1).toBe(true);
    expect(requests.length).toBeGreaterThan(8);
    expect(requests.length).toBeLessThan(30);
  });

  it('looks up a topic again after its maximum age', async () => {
    const { cluster, transport, clock, leaders } = scriptedKafka();
    await cluster.topic('orders');
    leaders.set('orders', [2, 2, 2]);
    await clock.advance(301_000);
    expect(transport.bodies(metadata)).toHaveLength(2);
    expect(cluster.leader('orders', 2)).toBe(2);
  });

  it('tells how long a topic has been missing', async () => {
    const { cluster, clock, leaders } = scriptedKafka();
    await cluster.describe(['nowhere']);
    await clock.advance(700);
    expect(cluster.missingForMs('nowhere')).toBe(700);
    leaders.set('nowhere', [1]);
    await cluster.describe(['nowhere']);
    expect(cluster.missingForMs('nowhere')).toBe(0);
  });

  it('retries to find a coordinator while its topic is being created (15)', async () => {
    const { cluster, transport, clock } = scriptedKafka();
    transport.once(findCoordinator, ({ coordinatorKeys }) => ({
      coordinators: coordinatorKeys.map((key) => ({ key, nodeId: -1, host: '', port: -1, errorCode: 15 })),
    }));
    expect(await clock.until(cluster.coordinators.find('transaction', 'app-1'))).toBe(1);
    expect(transport.bodies(findCoordinator)).toMatchObject([{ keyType: 1 }, { keyType: 1 }]);
  });

  it('looks up a coordinator again that cannot be reached', async () => {
    const { cluster, transport } = scriptedKafka();
    transport.once(heartbeat, notSent).on(heartbeat, () => ({ errorCode: 0 }));
    const send = () =>
      cluster.sendToCoordinator(
        heartbeat,
        { kind: 'group', key: 'app', lane: 'group' },
        { groupId: 'app', generationId: 1, memberId: 'm' },
      );
    await expect(send()).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    await send();
    expect(transport.bodies(findCoordinator)).toHaveLength(2);
  });

  it('ends waits when it closes', async () => {
    const { cluster, clock, transport } = scriptedKafka();
    transport.on(metadata, notSent);
    const topic = cluster.topic('orders');
    await clock.settle();
    await cluster.close();
    await expect(topic).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
