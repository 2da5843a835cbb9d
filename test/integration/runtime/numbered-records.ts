import type { InputRecord, OutputRecord } from './cluster.ts';

/** Records of several keys in turn; the values number the records of each key, from `first` on. */
export function numberedRecords(keys: number, perKey: number, first = 1): InputRecord[] {
  return Array.from({ length: keys * perKey }, (_, index) => ({
    key: `key-${index % keys}`,
    value: String(first + Math.floor(index / keys)),
  }));
}

/** The values of each key, in the order in which they stand in the topic. */
export function valuesByKey(records: readonly OutputRecord[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const { key, value } of records) {
    const list = values.get(key) ?? [];
    values.set(key, list);
    list.push(value?.toString('utf8') ?? 'null');
  }
  return values;
}

/** What the counting topology makes of {@link numberedRecords} when each is counted once and none is lost. */
export function countedOnce(keys: number, perKey: number): Map<string, string[]> {
  const counts = Array.from({ length: perKey }, (_, index) => `${index + 1}:${index + 1}`);
  return new Map(Array.from({ length: keys }, (_, key) => [`key-${key}`, counts]));
}

/** Map entries in a stable order, so that two maps can be compared with a readable difference. */
export function sorted(values: ReadonlyMap<string, readonly string[]>): [string, readonly string[]][] {
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1));
}
