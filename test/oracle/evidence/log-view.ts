import type { Evidence, LogEntry, PartitionLog } from './evidence.ts';

/** What became of a record, judged by the markers that lie behind it in the same partition. */
export type Verdict = 'plain' | 'committed' | 'aborted' | 'open';

/** The records that a read_committed consumer gets, in order. */
export function committedRecords(log: PartitionLog): LogEntry[] {
  return log.entries.filter(({ kind, offset }) => kind === 'record' && log.visible.has(offset));
}

/** Of logs that were looked at: each check asks again, and evidence does not change while it is judged. */
const decided = new WeakMap<PartitionLog, ReadonlyMap<number, Verdict>>();

/** Decides by the markers alone; the broker's own list of aborted transactions has no say. */
export function verdicts(log: PartitionLog): ReadonlyMap<number, Verdict> {
  const known = decided.get(log);
  if (known !== undefined) return known;
  const result = decide(log);
  decided.set(log, result);
  return result;
}

function decide(log: PartitionLog): Map<number, Verdict> {
  const result = new Map<number, Verdict>();
  const open = new Map<number, number[]>();
  for (const { kind, offset, producerId, isTransactional } of log.entries) {
    if (kind === 'record') {
      result.set(offset, isTransactional ? 'open' : 'plain');
      if (!isTransactional) continue;
      const pending = open.get(producerId) ?? [];
      open.set(producerId, pending);
      pending.push(offset);
      continue;
    }
    for (const pending of open.get(producerId) ?? []) result.set(pending, kind === 'commit' ? 'committed' : 'aborted');
    open.delete(producerId);
  }
  return result;
}

export function partitionName({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}-${partition}`;
}

/** All partitions of a topic that should be there; one that is missing is `undefined`. */
export function partitionsOf(evidence: Evidence, topic: string): (PartitionLog | undefined)[] {
  return Array.from({ length: evidence.ledger.partitions }, (_, partition) =>
    evidence.logs.get(partitionName({ topic, partition })),
  );
}

/** The committed records of a topic, partition by partition. */
export function committedOf(evidence: Evidence, topic: string): LogEntry[][] {
  return partitionsOf(evidence, topic).map((log) => (log === undefined ? [] : committedRecords(log)));
}

/** Decoded JSON value; `undefined` for a tombstone. */
export function jsonOf<T>(entry: { readonly value: string | undefined }): T | undefined {
  return entry.value === undefined ? undefined : (JSON.parse(entry.value) as T);
}

/** The records of each key, in order. */
export function groupByKey(entries: readonly LogEntry[]): Map<string, LogEntry[]> {
  const groups = new Map<string, LogEntry[]>();
  for (const entry of entries) {
    const { key = '' } = entry;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return groups;
}

/** The last value of each key; a tombstone takes the key away. */
export function latestPerKey(entries: readonly LogEntry[]): Map<string, string> {
  const rows = new Map<string, string>();
  for (const { key = '', value } of entries) {
    if (value === undefined) rows.delete(key);
    else rows.set(key, value);
  }
  return rows;
}
