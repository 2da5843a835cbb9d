import type { LogEntry, PartitionLog } from './evidence.ts';

/** From one commit to another, both included, by their numbers. */
type Span = readonly [first: number, last: number];
/** `undefined`: there is no row. */
type Value = string | undefined;

/**
 * What the rows of a changelog were after each of its commits. Number 0 is the beginning, when there were none.
 *
 * Why: rows that a query gave do not say of which commit they are. So each key says after which commits it was as the row is, and
 * what all of them have in common is left: one look per key, however many commits there were.
 */
export class CommitHistory {
  /** By key: after which commits it had which value. */
  readonly #spans = new Map<string, Map<Value, Span[]>>();
  readonly #latest = new Map<string, { readonly value: Value; readonly since: number }>();
  /** Of each commit, by the offset of its marker. */
  readonly #names = ['in the beginning'];

  /** @param log all of it, from its first record on */
  constructor(log: PartitionLog) {
    const open = new Map<number, LogEntry[]>();
    for (const entry of log.entries) {
      const { kind, producerId, isTransactional, offset } = entry;
      if (kind !== 'record') {
        if (kind === 'commit') this.#commit(offset, open.get(producerId) ?? []);
        open.delete(producerId);
      } else if (!isTransactional) this.#commit(offset, [entry]);
      else if (open.get(producerId)?.push(entry) === undefined) open.set(producerId, [entry]);
    }
    const last = this.#names.length - 1;
    for (const [key, { value, since }] of this.#latest) this.#add(key, value, [since, last]);
  }

  /** Why there is no commit after which these were the rows; `undefined`: there is one. */
  defectOf(rows: ReadonlyMap<string, string>): string | undefined {
    let common: readonly Span[] = [[0, this.#names.length - 1]];
    for (const key of new Set([...this.#spans.keys(), ...rows.keys()])) {
      const value = rows.get(key);
      const own = this.#spans.get(key)?.get(value) ?? [];
      const what = `row ${key} is ${value ?? 'absent'}`;
      if (own.length === 0) return `${what}, which was never committed`;
      const left = intersection(common, own);
      if (left.length === 0) return `${what}, as ${this.#name(own)}, but other rows are as ${this.#name(common)}`;
      common = left;
    }
    return undefined;
  }

  #commit(offset: number, records: readonly LogEntry[]): void {
    const number = this.#names.push(`after the commit at ${offset}`) - 1;
    const changed = new Map(records.map(({ key = '', value }) => [key, value]));
    for (const [key, value] of changed) {
      const { value: before, since } = this.#latest.get(key) ?? { value: undefined, since: 0 };
      this.#add(key, before, [since, number - 1]);
      this.#latest.set(key, { value, since: number });
    }
  }

  #add(key: string, value: Value, span: Span): void {
    const values = this.#spans.get(key) ?? new Map<Value, Span[]>();
    this.#spans.set(key, values);
    const spans = values.get(value);
    if (spans === undefined) values.set(value, [span]);
    else spans.push(span);
  }

  /** In words, the first ones. */
  #name(spans: readonly Span[]): string {
    const [[first, last] = [0, 0], ...others] = spans;
    const what = first === last ? this.#names[first] : `${this.#names[first]} until ${this.#names[last]}`;
    return others.length === 0 ? `${what}` : `${what} and at ${others.length} other times`;
  }
}

/** Both are in order, and neither overlaps itself. */
function intersection(some: readonly Span[], others: readonly Span[]): Span[] {
  const found: Span[] = [];
  for (let i = 0, j = 0; i < some.length && j < others.length; ) {
    const [one, other] = [some[i] as Span, others[j] as Span];
    const first = Math.max(one[0], other[0]);
    const last = Math.min(one[1], other[1]);
    if (first <= last) found.push([first, last]);
    if (one[1] < other[1]) i++;
    else j++;
  }
  return found;
}
