import { type JoinedValue, type LedgerEntry, SOURCE_HEADER, topicOf } from '../ledger/ledger.ts';
import { type Input, inputsOf, ratesOf } from '../ledger/ledger-model.ts';
import type { Evidence, Finding, LogEntry } from '../evidence/evidence.ts';
import { committedOf, jsonOf } from '../evidence/log-view.ts';

/**
 * V3: per input partition the echo is the input: the same ids in the same order, as many, in the same partition, with the
 * key, value and timestamp that they had; and the join has one result for each of them. At least once, records may come again.
 */
export function bijection(evidence: Evidence): Finding[] {
  const inputs = inputsOf(evidence);
  const echoes = committedOf(evidence, topicOf(evidence.ledger, 'echo'));
  const findings: Finding[] = echoes.flatMap((records, partition) => strays(evidence, records, partition));
  const bySource = groupBySource(echoes.flat());
  for (const [partition, expected] of inputs.entries()) {
    const name = `echo of ${topicOf(evidence.ledger, 'in')}-${partition}`;
    const found = bySource.get(partition) ?? [];
    findings.push(...compareSequence(name, expected, found, evidence.ledger.guarantee === 'at_least_once'));
    findings.push(...joined(evidence, expected, partition));
  }
  return findings;
}

function strays(evidence: Evidence, records: readonly LogEntry[], partition: number): Finding[] {
  const topic = topicOf(evidence.ledger, 'echo');
  return records
    .filter(({ headers }) => Number(headers[SOURCE_HEADER]?.split(':')[0] ?? -1) !== partition)
    .map(({ offset, key, headers }) => ({
      check: 'V3' as const,
      where: `${topic}-${partition}@${offset}`,
      message: `the record of ${key} came from input ${headers[SOURCE_HEADER] ?? 'nowhere'}: it is in the wrong partition`,
    }));
}

function groupBySource(records: readonly LogEntry[]): Map<number, LogEntry[]> {
  const groups = new Map<number, LogEntry[]>();
  for (const record of records) {
    const source = Number(record.headers[SOURCE_HEADER]?.split(':')[0] ?? -1);
    const group = groups.get(source) ?? [];
    groups.set(source, group);
    group.push(record);
  }
  return groups;
}

function compareSequence(where: string, expected: readonly Input[], found: readonly LogEntry[], mayRepeat: boolean): Finding[] {
  const sequence = mayRepeat ? firstAppearances(found) : found;
  const fail = (message: string): Finding[] => [{ check: 'V3', where, message }];
  for (const [index, input] of expected.entries()) {
    const record = sequence[index];
    if (record === undefined) return fail(`ends after ${sequence.length} of ${expected.length} records`);
    const id = jsonOf<LedgerEntry>(record)?.id;
    if (id !== input.entry.id) return fail(`record ${index} is ${id} at offset ${record.offset}, expected ${input.entry.id}`);
    if (JSON.stringify(input.entry) !== record.value || input.key !== record.key || input.timestamp !== record.timestamp)
      return fail(`${id} came out with another key, value or timestamp: ${record.key} ${record.value} ${record.timestamp}`);
  }
  return sequence.length > expected.length ? fail(`${sequence.length} records, but the input has ${expected.length}`) : [];
}

function firstAppearances(records: readonly LogEntry[]): LogEntry[] {
  const seen = new Set<string | undefined>();
  return records.filter(({ value }) => !seen.has(value) && seen.add(value));
}

function joined(evidence: Evidence, expected: readonly Input[], partition: number): Finding[] {
  const where = `${topicOf(evidence.ledger, 'joined')}-${partition}`;
  const rates = ratesOf(evidence, partition);
  const records = committedOf(evidence, topicOf(evidence.ledger, 'joined'))[partition] ?? [];
  const mayRepeat = evidence.ledger.guarantee === 'at_least_once';
  const values = (mayRepeat ? firstAppearances(records) : records).map(({ value }) => value);
  const wanted = expected.map(({ key, entry }): string => {
    const rate = rates.get(key);
    return JSON.stringify({ id: entry.id, rate: rate === undefined ? null : Number(rate) } satisfies JoinedValue);
  });
  const at = wanted.findIndex((value, index) => values[index] !== value);
  if (at < 0 && values.length === wanted.length) return [];
  const index = at < 0 ? wanted.length : at;
  return [
    { check: 'V3', where, message: `record ${index} is ${values[index] ?? 'missing'}, expected ${wanted[index] ?? 'no more'}` },
  ];
}
