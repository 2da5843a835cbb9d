import { seededRandom, systemClock } from '@millrace/core';
import { type DevBroker, startBroker } from '@millrace/testing';
import { describe, expect, inject, it } from 'vitest';
import { OUTPUTS, topicOf } from '../oracle/ledger/ledger.ts';
import { FaultRun, type Seat } from './rig/fault-run.ts';

const brokers = inject('faultBrokers');
const PER_SECOND = 300;
const MOVES = 12;

/** Three nodes in this process, each of which leads and coordinates its part. */
function threeNodes(): Promise<DevBroker> {
  const topicDefaults = { 'retention.ms': '-1' };
  return startBroker({ nodes: 3, transactionVersion: 2, groupMinSessionTimeoutMs: 1000, autoCreateTopics: false, topicDefaults });
}

describe('a cluster of three brokers', () => {
  it('F8 whose coordinators and leaders move all the time: everybody finds them again', async () => {
    await using cluster = await threeNodes();
    await using run = await FaultRun.start({ brokers: cluster.bootstrapServers, direct: true });
    await run.workers('a', 'b');
    run.source.feed(PER_SECOND);
    const random = seededRandom(8);
    const anyNode = (): number => cluster.nodes[Math.floor(random.next() * 3)]?.nodeId as number;
    let moved = 0;
    // A transaction is open for a short part of the time: there need not be one in so few looks.
    for (let round = 0; round < MOVES || moved === 0; round++) {
      cluster.moveCoordinator('group', run.ledger.applicationId, anyNode());
      for (const id of await run.cluster.client.admin.listOpenTransactions()) {
        cluster.moveCoordinator('transaction', id, anyNode());
        moved++;
      }
      const output = OUTPUTS[round % OUTPUTS.length] as (typeof OUTPUTS)[number];
      cluster.moveLeader(topicOf(run.ledger, output), round % run.ledger.partitions, anyNode());
      await systemClock.sleep(400 * random.next());
    }
    expect(moved).toBeGreaterThan(0);
    run.healed();
    expect(await run.verdict()).toBe('');
  });
});

describe('a group that never rests', () => {
  it('F44 comes to rest when it is left in peace', async () => {
    await using run = await FaultRun.start({ brokers });
    const names = ['a', 'b', 'c', 'd'];
    const seats = new Map<string, Seat>();
    const [first] = (await run.workers('a')) as [Seat];
    seats.set('a', first);
    run.source.feed(PER_SECOND);
    const random = seededRandom(44);
    for (let round = 0; round < 10; round++) {
      const name = names[Math.floor(random.next() * names.length)] as string;
      const running = seats.get(name);
      if (running === undefined) seats.set(name, await run.worker(name));
      else {
        seats.delete(name);
        if (random.next() < 0.5) await run.kill(running);
        else await running.worker.stop();
      }
      await systemClock.sleep(1500 * random.next());
    }
    if (seats.size === 0) seats.set('a', await run.worker('a'));
    // Who was started last may join long after the others on a slow machine: only then is the group left in peace.
    await Promise.all([...seats.values()].map(({ worker }) => worker.running()));
    await run.haveAllTasks(...seats.values());
    run.healed();
    await systemClock.sleep(3000);
    expect(await run.verdict()).toBe('');
  });
});
