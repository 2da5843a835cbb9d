/** What is known of one worker about the tasks that it had. */
export interface Tenancy {
  /** The tasks that it had open when the workers were told to stop. */
  readonly ownedAtStop: ReadonlySet<string>;
  /** When it last opened each task that it ever had. */
  readonly openings: ReadonlyMap<string, number>;
}

/**
 * Who had a task last: whoever opened it while the workers stopped, else who had it before. Who opened it last of all is not
 * asked: a worker that was paused, or cut off, may open a task that it has lost already.
 */
export function lastOwner<T extends Tenancy>(taskId: string, workers: readonly T[], stoppedAtMs: number): T | undefined {
  const openedMs = ({ openings }: T): number => openings.get(taskId) ?? -1;
  const heirs = workers.filter((worker) => openedMs(worker) > stoppedAtMs);
  const candidates = heirs.length > 0 ? heirs : workers.filter(({ ownedAtStop }) => ownedAtStop.has(taskId));
  return candidates.toSorted((one, other) => openedMs(other) - openedMs(one))[0];
}
