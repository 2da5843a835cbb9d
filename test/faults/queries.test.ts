import { systemClock } from '@millrace/core';
import { describe, expect, inject, it } from 'vitest';
import { STORES } from '../oracle/ledger/ledger.ts';
import type { StoreAnswer } from './ledger/store-asker.ts';
import { FaultRun, type Seat } from './rig/fault-run.ts';

const brokers = inject('faultBrokers');
const PER_SECOND = 400;
const ASK_INTERVAL_MS = 10;
/** Of each store and partition, with rows in it: fewer would mean that what was asked for was hardly ever there. */
const ANSWERS_MIN = 3;

/** All stores of all tasks. */
function placesOf({ ledger }: FaultRun): string[] {
  const partitions = Array.from({ length: ledger.partitions }, (_, partition) => partition);
  return Object.entries(STORES).flatMap(([store, subtopology]) =>
    partitions.map((partition) => `${store} ${subtopology}_${partition}`),
  );
}

/** How many answers with rows there were while everything went on, by place. */
function countAnswers(
  answers: readonly (Pick<StoreAnswer, 'store' | 'taskId'> & { moment: string; size: number })[],
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { moment, store, taskId, size } of answers) {
    if (moment !== 'query' || size === 0) continue;
    const place = `${store} ${taskId}`;
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return counts;
}

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
    // Both have rows of everything that they have, and some time to say so.
    await Promise.any(
      [a, b].map(({ worker }) =>
        worker.until('asked with the others for everything', () => {
          const heard = countAnswers(
            [a, b].flatMap((seat) => seat.worker.answers).map((one) => ({ ...one, size: one.rows.length })),
          );
          return placesOf(run).every((place) => (heard.get(place) ?? 0) >= ANSWERS_MIN);
        }),
      ),
    );
    run.healed();
    const { evidence, findings } = await run.conclude();
    expect(findings).toBe('');
    const heard = countAnswers(evidence.stores.map((one) => ({ ...one, size: one.rows.size })));
    for (const place of placesOf(run)) {
      expect(heard.get(place) ?? 0, place).toBeGreaterThanOrEqual(ANSWERS_MIN);
      expect(evidence.askedTasks).toContain(place.split(' ')[1]);
    }
  });
});
