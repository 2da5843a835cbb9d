/** What is known of one worker about the tasks that it had. */
export interface Tenancy {
  /** The tasks that it had open when the workers were told to stop. */
  readonly ownedAtStop: ReadonlySet<string>;
  /** When it last opened each task that it ever had. */
  readonly openings: ReadonlyMap<string, number>;
}

/**
 * Who may have had a task last: whoever had it when the workers were told to stop, and whoever opened it afterwards; of these, the
 * one whose state goes furthest has had it. Who opened it last is not asked: a worker that was paused, slow or cut off may open a
 * task that it has lost already.
 */
export function lastOwners<T extends Tenancy>(taskId: string, workers: readonly T[], stoppedAtMs: number): T[] {
  return workers.filter(({ ownedAtStop, openings }) => ownedAtStop.has(taskId) || (openings.get(taskId) ?? -1) > stoppedAtMs);
}
