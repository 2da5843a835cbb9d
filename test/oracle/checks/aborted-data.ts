import { writtenTopics } from '../ledger/ledger.ts';
import type { Evidence, Finding, LogEntry, PartitionLog } from '../evidence/evidence.ts';
import { committedRecords, partitionName, partitionsOf, verdicts } from '../evidence/log-view.ts';

/**
 * V8: committed readers see no aborted record and miss no committed one. The markers in the log decide what was aborted, the
 * broker's answers what a reader saw, and a reader that was there during the faults must have seen what one sees afterwards.
 */
export function abortedData(evidence: Evidence): Finding[] {
  const findings: Finding[] = [];
  for (const topic of writtenTopics(evidence.ledger)) {
    for (const log of partitionsOf(evidence, topic)) {
      if (log === undefined) continue;
      findings.push(...againstMarkers(evidence, log), ...againstReader(evidence, log));
    }
  }
  return findings;
}

function againstMarkers(evidence: Evidence, log: PartitionLog): Finding[] {
  const findings: Finding[] = [];
  const isExact = evidence.ledger.guarantee === 'exactly_once_v2';
  const decided = verdicts(log);
  for (const { kind, offset } of log.entries) {
    if (kind !== 'record') continue;
    const verdict = decided.get(offset);
    const shouldShow = verdict === 'committed' || verdict === 'plain';
    const where = `${partitionName(log)}@${offset}`;
    if (shouldShow !== log.visible.has(offset)) {
      const message = shouldShow ? `a ${verdict} record is hidden` : `an ${verdict} record is visible to committed readers`;
      findings.push({ check: 'V8', where, message });
    }
    if (isExact && verdict === 'plain') findings.push({ check: 'V8', where, message: 'written outside of any transaction' });
  }
  return findings;
}

function againstReader(evidence: Evidence, log: PartitionLog): Finding[] {
  const seen = evidence.live.get(partitionName(log));
  if (seen === undefined) return [];
  const first = log.logStartOffset;
  const wanted = committedRecords(log).map(textOf);
  const found = seen.filter(({ offset }) => offset >= first).map(textOf);
  const at = Math.max(wanted.length, found.length);
  for (let index = 0; index < at; index++) {
    if (wanted[index] === found[index]) continue;
    const message = `a reader during the run saw ${found[index] ?? 'nothing'} where ${wanted[index] ?? 'nothing'} is now`;
    return [{ check: 'V8', where: partitionName(log), message }];
  }
  return [];
}

function textOf({ offset, key, value }: Pick<LogEntry, 'offset' | 'key' | 'value'>): string {
  return `${offset}: ${key}=${value}`;
}
