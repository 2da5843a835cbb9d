import { type Ledger, STORES, taskIdsOf } from '../../oracle/ledger/ledger.ts';
import type { LedgerWorker } from '../ledger/ledger-worker.ts';

/** The tasks that a worker has had all the while since it opened them before it was asked. */
export function keptTasks(
  { openings }: LedgerWorker,
  opened: ReadonlyMap<string, number> = new Map(),
  ownedAtStop: ReadonlySet<string> = new Set(),
): Set<string> {
  return new Set(
    [...opened].filter(([taskId, atMs]) => ownedAtStop.has(taskId) && openings.get(taskId) === atMs).map(([id]) => id),
  );
}

/**
 * True when each task has stayed with its worker since before that was asked, and each store has been answered for.
 *
 * @param opened the tasks that each worker had when it was asked, and since when
 */
export function haveAnswered(ledger: Ledger, opened: ReadonlyMap<LedgerWorker, ReadonlyMap<string, number>>): boolean {
  const kept = new Set<string>();
  const answered = new Set<string>();
  for (const [worker, tasks] of opened) {
    const own = keptTasks(worker, tasks, new Set(worker.openTasks.keys()));
    for (const taskId of own) kept.add(taskId);
    for (const { moment, store, taskId } of worker.answers)
      if (moment === 'last-query' && own.has(taskId)) answered.add(`${store} ${taskId}`);
  }
  const stores = Object.entries(STORES).flatMap(([store, subtopology]) =>
    Array.from({ length: ledger.partitions }, (_, partition) => `${store} ${subtopology}_${partition}`),
  );
  return taskIdsOf(ledger).every((taskId) => kept.has(taskId)) && stores.every((one) => answered.has(one));
}
