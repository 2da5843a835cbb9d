import type { Evidence, LogEntry } from '../evidence/evidence.ts';
import { committedOf, committedRecords, latestPerKey, partitionName, partitionsOf, jsonOf } from '../evidence/log-view.ts';
import {
  type CountValue,
  GRACE_MS,
  groupOf,
  JOIN_MS,
  type LedgerEntry,
  type LedgerStore,
  type PairValue,
  sideOf,
  type SumValue,
  topicOf,
  UID_KEY,
  WINDOW_MS,
  windowKey,
} from './ledger.ts';

/** A record of the input log, which is the truth. */
export interface Input {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly timestamp: number;
  readonly entry: LedgerEntry;
}

/** Evidence does not change while it is judged. */
const decoded = new WeakMap<Evidence, Input[][]>();

/** The input of each partition, without the records whose omission was announced. */
export function inputsOf(evidence: Evidence): Input[][] {
  const known = decoded.get(evidence);
  if (known !== undefined) return known;
  const inputs = decodeInputs(evidence);
  decoded.set(evidence, inputs);
  return inputs;
}

function decodeInputs(evidence: Evidence): Input[][] {
  const skipped = new Set(evidence.skips.map(({ partition, offset }) => `${partition}:${offset}`));
  return committedOf(evidence, topicOf(evidence.ledger, 'in')).map((entries, partition) =>
    entries.filter(({ offset }) => !skipped.has(`${partition}:${offset}`)).map((entry) => inputAt(partition, entry)),
  );
}

function inputAt(partition: number, entry: LogEntry): Input {
  const { offset, key = '', timestamp } = entry;
  return { partition, offset, key, timestamp, entry: jsonOf<LedgerEntry>(entry) as LedgerEntry };
}

/** Running sums per key, one for each record of the partition. */
export function sumsOf(inputs: readonly Input[]): Map<string, SumValue[]> {
  const folds = new Map<string, SumValue[]>();
  for (const { key, entry } of inputs) {
    const list = folds.get(key) ?? [];
    folds.set(key, list);
    const last = list.at(-1);
    list.push({ n: (last?.n ?? 0) + 1, sum: (last?.sum ?? 0) + entry.v, id: entry.id });
  }
  return folds;
}

/** Ids by group, over all partitions. */
export function idsByGroup(inputs: readonly Input[]): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const { key, entry } of inputs) {
    const group = groupOf(key);
    const ids = groups.get(group) ?? new Set();
    groups.set(group, ids.add(entry.id));
  }
  return groups;
}

/**
 * Counts per key and window of those windows that the partition has closed. A record is late when its window had closed before
 * it came; the ledger's input has none of these, but the rule is part of the model.
 */
export function windowsOf(inputs: readonly Input[]): Map<string, number> {
  const counts = new Map<string, number>();
  const ends = new Map<string, number>();
  let streamTime = -1;
  for (const { key, timestamp } of inputs) {
    streamTime = Math.max(streamTime, timestamp);
    const start = timestamp - (timestamp % WINDOW_MS);
    if (start + WINDOW_MS + GRACE_MS <= streamTime) continue;
    const name = windowKey(key, start);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    ends.set(name, start + WINDOW_MS);
  }
  for (const [name, end] of ends) if (end + GRACE_MS > streamTime) counts.delete(name);
  return counts;
}

/** What the join of a partition's two streams comes to, in no order: all pairs, and lefts without right whose wait is over. */
export function pairsOf(inputs: readonly Input[]): PairValue[] {
  const rights = new Map<string, Input[]>();
  let streamTime = -1;
  for (const input of inputs) {
    const side = sideOf(input.key, input.entry);
    if (side !== undefined) streamTime = Math.max(streamTime, input.timestamp);
    if (side === 'right') rights.set(input.key, [...(rights.get(input.key) ?? []), input]);
  }
  return inputs.flatMap(({ key, timestamp, entry }): PairValue[] => {
    if (sideOf(key, entry) !== 'left') return [];
    const partners = (rights.get(key) ?? []).filter((right) => Math.abs(right.timestamp - timestamp) <= JOIN_MS);
    if (partners.length > 0) return partners.map((right) => ({ left: entry.id, right: right.entry.id }));
    return timestamp + JOIN_MS + GRACE_MS < streamTime ? [{ left: entry.id, right: null }] : [];
  });
}

/** Rows that a task's copy of a store must have when everything has been processed. */
export function expectedRows(evidence: Evidence, store: LedgerStore, partition: number): Map<string, string> {
  const inputs = inputsOf(evidence)[partition] ?? [];
  if (store === 'group-counts') return groupRows(evidence, partition);
  if (store === 'rates') return ratesOf(evidence, partition);
  if (store === 'uids') return new Map(inputs.length === 0 ? [] : [[UID_KEY, String(inputs.length)]]);
  const rows = new Map<string, string>();
  for (const [key, folds] of sumsOf(inputs)) {
    const last = folds.at(-1) as SumValue;
    rows.set(key, JSON.stringify(store === 'sums' ? last : countOf(last)));
  }
  return rows;
}

/** What a key's rate was in the end. The table is complete before the first record of the input. */
export function ratesOf(evidence: Evidence, partition: number): Map<string, string> {
  const log = partitionsOf(evidence, topicOf(evidence.ledger, 'rates'))[partition];
  return log === undefined ? new Map() : latestPerKey(committedRecords(log));
}

export function countOf({ n, id }: SumValue): CountValue {
  return { n, id };
}

/** The order in which records of several partitions meet is the repartition topic's: the output says which came last. */
function groupRows(evidence: Evidence, partition: number): Map<string, string> {
  const log = evidence.logs.get(partitionName({ topic: topicOf(evidence.ledger, 'rcnt'), partition }));
  return log === undefined ? new Map() : latestPerKey(committedRecords(log));
}
