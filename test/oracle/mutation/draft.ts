import { type LedgerStore, type Output, topicOf } from '../ledger/ledger.ts';
import type { CheckId, Evidence, LogEntry, PartitionLog, StoreDump, WorkerEvidence } from '../evidence/evidence.ts';

/** Evidence that may be damaged. */
type Mutable<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? Map<K, Mutable<V>>
    : T extends ReadonlySet<infer V>
      ? Set<V>
      : T extends readonly (infer V)[]
        ? Mutable<V>[]
        : T extends object
          ? { -readonly [P in keyof T]: Mutable<T[P]> }
          : T;
export type Draft = Mutable<Evidence>;
export type DraftLog = Mutable<PartitionLog>;
export type DraftEntry = Mutable<LogEntry>;

/** A defect that is put into healthy evidence, and the check that has to find it. */
export interface Mutation {
  readonly name: string;
  readonly check: CheckId;
  readonly apply: (draft: Draft) => void;
}

export function logOf(draft: Draft, topic: string, partition = 1): DraftLog {
  return draft.logs.get(`${topic}-${partition}`) as DraftLog;
}

export function output(draft: Draft, name: Output, partition = 1): DraftLog {
  return logOf(draft, topicOf(draft.ledger, name), partition);
}

/** The n-th committed record; negative: from the end. */
export function visibleAt(log: DraftLog, n: number): DraftEntry {
  return log.entries.filter(({ offset }) => log.visible.has(offset)).at(n) as DraftEntry;
}

/** Takes a record away as if it had never been written; a reader during the run has not seen it either. */
export function drop(draft: Draft, log: DraftLog, n: number): void {
  const { offset } = visibleAt(log, n);
  log.entries = log.entries.filter((entry) => entry.offset !== offset);
  log.visible.delete(offset);
  const name = `${log.topic}-${log.partition}`;
  draft.live.set(
    name,
    (draft.live.get(name) ?? []).filter((seen) => seen.offset !== offset),
  );
}

/** Puts a copy behind the last record; the reader during the run saw it too. */
export function repeat(draft: Draft, log: DraftLog, entry: DraftEntry): void {
  const offset = log.highWatermark;
  log.entries.push({ ...entry, offset });
  log.entries.push({ ...entry, offset: offset + 1, kind: 'commit', key: undefined, value: undefined });
  log.visible.add(offset);
  log.highWatermark = log.lastStableOffset = offset + 2;
  draft.live.get(`${log.topic}-${log.partition}`)?.push({ offset, key: entry.key, value: entry.value });
}

export function swap(draft: Draft, log: DraftLog, n: number, m: number): void {
  const [one, other] = [visibleAt(log, n), visibleAt(log, m)];
  const { key, value, timestamp, headers } = one;
  Object.assign(one, { key: other.key, value: other.value, timestamp: other.timestamp, headers: other.headers });
  Object.assign(other, { key, value, timestamp, headers });
  resee(draft, log);
}

/** What was changed in the log was like this for the reader during the run, too. */
export function resee(draft: Draft, log: DraftLog): void {
  const seen = log.entries.filter(({ offset }) => log.visible.has(offset));
  draft.live.set(
    `${log.topic}-${log.partition}`,
    seen.map(({ offset, key, value }) => ({ offset, key, value })),
  );
}

export function rewrite(draft: Draft, log: DraftLog, n: number, change: (value: Record<string, number>) => void): void {
  const entry = visibleAt(log, n);
  const value = JSON.parse(entry.value ?? '') as Record<string, number>;
  change(value);
  entry.value = JSON.stringify(value);
  resee(draft, log);
}

export function dumpOf(draft: Draft, store: LedgerStore, moment: StoreDump['moment'], partition = 1): Mutable<StoreDump> {
  const suffix = `_${partition}`;
  const found = draft.stores.filter((dump) => dump.store === store && dump.moment === moment && dump.taskId.endsWith(suffix));
  // Another worker may have had the task for a moment, and what is left of that on its disk is nobody's state.
  return (found.find(({ isOwner }) => isOwner) ?? found[0]) as Mutable<StoreDump>;
}

export function survivor(draft: Draft): Mutable<WorkerEvidence> {
  return draft.workers.find(({ expectedEnd }) => expectedEnd === 'clean') as Mutable<WorkerEvidence>;
}
