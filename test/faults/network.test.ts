import { seededRandom, systemClock } from '@millrace/core';
import { describe, expect, inject, it } from 'vitest';
import { BrokerProcess } from '../integration/embedded/broker-process.ts';
import { FaultRun, type Seat, TIMES } from './rig/fault-run.ts';

const brokers = inject('faultBrokers');
const PER_SECOND = 400;
const CUTS = 60;

describe('a broker that cannot be reached', () => {
  it('F7 at the start is waited for, with a few lines in the log', async () => {
    await using run = await FaultRun.start({ brokers });
    const early = await run.worker('a');
    early.proxy.conditions = { refuses: true };
    await early.worker.until('started', ({ state }) => state === 'rebalancing');
    const untilMs = systemClock.nowMs() + 4000;
    await systemClock.sleep(4000);
    // What it says later is not of that time, however late that is looked at.
    const lines = early.worker.events.filter(({ event, atMs }) => event === 'log' && atMs < untilMs).length;
    expect(early.worker.isAlive, early.worker.output).toBe(true);
    run.healed();
    await early.worker.running();
    await run.source.write(300);
    expect(await run.verdict()).toBe('');
    expect(lines, run.log).toBeLessThan(40);
  });

  it('F6 because it was killed comes back with what it had, and everybody goes on', async () => {
    await using broker = await BrokerProcess.start();
    await using run = await FaultRun.start({ brokers: broker.brokers });
    await run.workers('a', 'b');
    await run.source.write(500);
    for (const downMs of [300, 3000]) {
      await run.source.write(300);
      await broker.kill();
      await systemClock.sleep(downMs);
      await broker.restart();
    }
    await run.source.write(300);
    run.healed();
    expect(await run.verdict()).toBe('');
  });
});

describe('a bad network', () => {
  it('F9 that cuts connections all the time neither loses nor repeats anything', async () => {
    await using run = await FaultRun.start({ brokers });
    const seats = await run.workers('a', 'b');
    const random = seededRandom(9);
    run.source.feed(PER_SECOND);
    let cut = 0;
    // A slow machine may have hardly any connection up again when the next cut comes.
    for (let round = 0; round < CUTS || cut <= CUTS; round++) {
      cut += (seats[round % 2] as Seat).proxy.cut();
      await systemClock.sleep(20 + random.next() * 300);
    }
    expect(cut).toBeGreaterThan(CUTS);
    run.healed();
    expect(await run.verdict()).toBe('');
  });

  it.each(['cut', 'swallow'] as const)('F10 that loses answers (%s): what was applied is not applied again', async (action) => {
    await using run = await FaultRun.start({ brokers, drainLimitMs: 25_000 });
    const [a, b] = (await run.workers('a', 'b')) as [Seat, Seat];
    run.source.feed(PER_SECOND);
    for (const api of ['Produce', 'TxnOffsetCommit', 'EndTxn', 'EndTxn']) {
      await a.proxy.add({ api, side: 'response', skip: 2, action }).hit();
      await systemClock.sleep(500);
    }
    // An aborted transaction ends with InitProducerId: a worker that loses its membership has to send it.
    a.worker.signal('SIGSTOP');
    const lost = a.proxy.add({ api: 'InitProducerId', side: 'response', action });
    await run.haveAllTasks(b);
    a.worker.signal('SIGCONT');
    await lost.hit();
    await systemClock.sleep(500);
    run.healed();
    expect(await run.verdict()).toBe('');
  });

  it.each([2, 1] as const)(
    'F11 that holds EndTxn back until the next transaction is under way (transactions v%i)',
    async (version) => {
      await using broker = await BrokerProcess.start({ transactionVersion: version });
      await using run = await FaultRun.start({ brokers: broker.brokers, drainLimitMs: 25_000 });
      const [a] = (await run.workers('a')) as [Seat];
      run.source.feed(PER_SECOND);
      for (let round = 0; round < 3; round++) {
        const later = a.proxy.add({ api: 'EndTxn', side: 'request', skip: 3, times: 3, action: () => undefined });
        const held = a.proxy.add({ api: 'EndTxn', side: 'request', skip: 1, action: () => later.hit(2) });
        await held.hit();
        // It is let go when two later ones have passed, on other connections.
        await later.hit(3);
        a.proxy.remove(later);
        a.proxy.remove(held);
      }
      run.healed();
      expect(await run.verdict()).toBe('');
    },
  );

  it.each([
    { latencyMs: 200, bytesPerSecond: 125_000 },
    { latencyMs: 50, jitterMs: 400, bytesPerSecond: 125_000 },
  ])('F12 that is slow (%o): commits take longer, nothing else happens', async (conditions) => {
    await using run = await FaultRun.start({
      brokers,
      drainLimitMs: 40_000,
      // Long enough for a machine that stands still for some seconds, and half as long as is waited for the end of the session.
      settings: { sessionTimeoutMs: 10_000, heartbeatIntervalMs: 500 },
    });
    const [a] = (await run.workers('a')) as [Seat];
    const before = a.worker.rebalancesSince(0);
    a.proxy.conditions = conditions;
    run.source.feed(100);
    await systemClock.sleep(20_000);
    await run.source.rest();
    expect(a.worker.rebalancesSince(0), a.worker.output).toBe(before);
    run.healed();
    expect(await run.verdict()).toBe('');
  });

  it('F13 that is silent in one direction for longer than the session: the tasks move, and come back', async () => {
    await using run = await FaultRun.start({ brokers });
    const [a, b] = (await run.workers('a', 'b')) as [Seat, Seat];
    run.source.feed(PER_SECOND);
    a.proxy.conditions = { silent: 'to-client' };
    await run.haveAllTasks(b);
    await systemClock.sleep(1000);
    run.healed();
    await a.worker.until('running again', ({ state }) => state === 'running');
    expect(await run.verdict()).toBe('');
  });

  it('F13 that loses only what is fetched: the worker goes on as soon as something comes', async () => {
    await using run = await FaultRun.start({ brokers });
    const [a] = (await run.workers('a')) as [Seat];
    run.source.feed(PER_SECOND);
    const lost = a.proxy.add({ api: 'Fetch', side: 'response', times: Infinity, action: 'swallow' });
    await lost.hit();
    await systemClock.sleep(3 * TIMES.requestTimeoutMs);
    run.healed();
    expect(await run.verdict()).toBe('');
  });
});
