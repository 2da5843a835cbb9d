import { type CountValue, type SumValue, topicOf, type WindowValue } from '../ledger/ledger.ts';
import { countOf, idsByGroup, inputsOf, sumsOf, windowsOf } from '../ledger/ledger-model.ts';
import type { Evidence, Finding, LogEntry } from '../evidence/evidence.ts';
import { committedOf, groupByKey, jsonOf } from '../evidence/log-view.ts';
import { pairs } from './pairs.ts';

/**
 * V4: aggregates are the folds of the input. Without cache every prefix comes out, in order; with it a strictly rising part of
 * them that ends with the last. Behind the repartition topic the order between partitions is free: counts are dense, and each
 * record is counted once. Closed windows have one result each, and the join of two streams has its pairs.
 */
export function folds(evidence: Evidence): Finding[] {
  if (evidence.ledger.guarantee === 'at_least_once') return [];
  return [...sums(evidence), ...counts(evidence), ...groups(evidence), ...windows(evidence), ...pairs(evidence)];
}

function sums(evidence: Evidence): Finding[] {
  const found = committedOf(evidence, topicOf(evidence.ledger, 'sum'));
  return inputsOf(evidence).flatMap((inputs, partition) =>
    compareKeys(found[partition] ?? [], sumsOf(inputs), (values, prefixes, fail) => {
      const wanted = prefixes.map((prefix) => JSON.stringify(prefix));
      const at = wanted.findIndex((value, index) => values[index] !== value);
      if (at >= 0) fail(`update ${at} is ${values[at] ?? 'missing'}, expected ${wanted[at]}`);
      else if (values.length > wanted.length) fail(`${values.length} updates for ${wanted.length} records`);
    }),
  );
}

function counts(evidence: Evidence): Finding[] {
  const { ledger } = evidence;
  const found = committedOf(evidence, topicOf(ledger, 'cnt'));
  return inputsOf(evidence).flatMap((inputs, partition) =>
    compareKeys(found[partition] ?? [], sumsOf(inputs), (values, prefixes, fail) => {
      const wanted = prefixes.map((prefix) => JSON.stringify(countOf(prefix)));
      if (values.at(-1) !== wanted.at(-1)) fail(`ends with ${values.at(-1) ?? 'nothing'}, expected ${wanted.at(-1)}`);
      const places = new Map(wanted.map((value, index) => [value, index]));
      let last = -1;
      for (const value of values) {
        const index = places.get(value) ?? -1;
        if (index < 0) return fail(`${value} is no prefix of the input`);
        if (index <= last) return fail(`${value} comes behind ${wanted[last]}`);
        last = index;
      }
      if (!ledger.cached && values.length !== wanted.length) fail(`${values.length} updates for ${wanted.length} records`);
      return undefined;
    }),
  );
}

type Comparison<T> = (values: readonly string[], prefixes: readonly T[], fail: (message: string) => void) => void;

/** Compares the updates of each key with its folds; keys that nobody expects are findings too. */
function compareKeys(records: readonly LogEntry[], wanted: Map<string, SumValue[]>, compare: Comparison<SumValue>): Finding[] {
  const findings: Finding[] = [];
  const found = groupByKey(records);
  for (const key of new Set([...wanted.keys(), ...found.keys()])) {
    const values = (found.get(key) ?? []).map(({ value = '' }) => value);
    compare(values, wanted.get(key) ?? [], (message) => findings.push({ check: 'V4', where: `key ${key}`, message }));
  }
  return findings;
}

function groups(evidence: Evidence): Finding[] {
  const wanted = idsByGroup(inputsOf(evidence).flat());
  const found = groupByKey(committedOf(evidence, topicOf(evidence.ledger, 'rcnt')).flat());
  const findings: Finding[] = [];
  for (const group of new Set([...wanted.keys(), ...found.keys()])) {
    const values = (found.get(group) ?? []).map((record) => jsonOf<CountValue>(record) as CountValue);
    const message = groupDefect(values, wanted.get(group) ?? new Set());
    if (message !== undefined) findings.push({ check: 'V4', where: `group ${group}`, message });
  }
  return findings;
}

function groupDefect(values: readonly CountValue[], wanted: ReadonlySet<string>): string | undefined {
  const gap = values.findIndex(({ n }, index) => n !== index + 1);
  if (gap >= 0) return `update ${gap} counts ${values[gap]?.n}`;
  const ids = new Set(values.map(({ id }) => id));
  const missing = [...wanted].find((id) => !ids.has(id));
  if (missing !== undefined) return `${missing} was not counted`;
  return values.length === wanted.size ? undefined : `${values.length} updates for ${wanted.size} records`;
}

function windows(evidence: Evidence): Finding[] {
  const wanted = new Map(inputsOf(evidence).flatMap((inputs) => [...windowsOf(inputs)]));
  const findings: Finding[] = [];
  const fail = (window: string, message: string): number => findings.push({ check: 'V4', where: `window ${window}`, message });
  const seen = new Set<string>();
  for (const record of committedOf(evidence, topicOf(evidence.ledger, 'win')).flat()) {
    const { key = '' } = record;
    const n = jsonOf<WindowValue>(record)?.n;
    if (seen.has(key)) fail(key, 'closed twice');
    if (n !== wanted.get(key)) fail(key, `has ${n} records, expected ${wanted.get(key) ?? 'no such window'}`);
    seen.add(key);
  }
  for (const window of wanted.keys()) if (!seen.has(window)) fail(window, 'never came out');
  return findings;
}
