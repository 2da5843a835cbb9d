import { systemClock } from '@millrace/core';
import { describe, expect, inject, it } from 'vitest';
import { STORES } from '../oracle/ledger/ledger.ts';
import { FaultRun, type Seat } from './rig/fault-run.ts';

const brokers = inject('faultBrokers');
const PER_SECOND = 400;
const ASK_INTERVAL_MS = 10;
/** Of each store and partition, with rows in it: fewer would mean that what was asked for was hardly ever there. */
const ANSWERS_MIN = 3;

describe('stores that are asked all the time', () => {
  it('F46: what they answer was committed, all of it at one moment, while workers are killed and tasks move', async () => {
    await using run = await FaultRun.start({ brokers, settings: { numStandbyReplicas: 1 } });
    const start = (name: string): Promise<Seat> => run.worker(name, { askIntervalMs: ASK_INTERVAL_MS });
    let [a, b] = [await start('a'), await start('b')];
    await Promise.all([a, b].map(({ worker }) => worker.running()));
    await run.watchRepartition();
    run.source.feed(PER_SECOND);
    await systemClock.sleep(1500);
    await run.kill(a);
    await run.haveAllTasks(b);
    a = await start('a');
    await a.worker.running();
    const c = await start('c');
    await c.worker.running();
    await systemClock.sleep(1000);
    expect(await b.worker.stop(), b.worker.output).toEqual({ code: 0, signal: null });
    await run.haveAllTasks(a, c);
    await run.kill(c);
    b = await start('b');
    await b.worker.running();
    await run.haveAllTasks(a, b);
    run.healed();
    const { evidence, findings } = await run.conclude();
    expect(findings).toBe('');
    const answers = evidence.stores.filter(({ moment, rows }) => moment === 'query' && rows.size > 0);
    for (const [store, subtopology] of Object.entries(STORES)) {
      for (let partition = 0; partition < run.ledger.partitions; partition++) {
        const taskId = `${subtopology}_${partition}`;
        const own = answers.filter((one) => one.store === store && one.taskId === taskId);
        expect(own.length, `${store} of ${taskId}`).toBeGreaterThanOrEqual(ANSWERS_MIN);
        expect(evidence.askedTasks).toContain(taskId);
      }
    }
  });
});
