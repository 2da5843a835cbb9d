import { groupOf, type LedgerEntry, repartitionOf } from '../ledger/ledger.ts';
import { inputsOf } from '../ledger/ledger-model.ts';
import type { Evidence, Finding } from '../evidence/evidence.ts';
import { committedRecords, partitionsOf } from '../evidence/log-view.ts';

/**
 * V7: what went into the repartition topic is the mapped input, each record once; and nothing was deleted from it before its
 * reader had committed it. Records that were purged rightly are taken from the reader that watched during the run.
 */
export function conservation(evidence: Evidence): Finding[] {
  const findings = evidence.purges.flatMap(({ topic, partition, logStartOffset, committedOffset }): Finding[] => {
    if (logStartOffset <= Math.max(0, committedOffset)) return [];
    const message = `records up to ${logStartOffset} were deleted when only ${committedOffset} was committed`;
    return [{ check: 'V7', where: `${topic}-${partition}`, message }];
  });
  const topic = repartitionOf(evidence.ledger);
  const found = new Map<string, number>();
  for (const [partition, log] of partitionsOf(evidence, topic).entries()) {
    if (log === undefined) continue;
    const purged = (evidence.live.get(`${topic}-${partition}`) ?? []).filter(({ offset }) => offset < log.logStartOffset);
    for (const { key = '', value = '' } of [...purged, ...committedRecords(log)]) {
      const name = `${key} ${(JSON.parse(value) as LedgerEntry).id}`;
      found.set(name, (found.get(name) ?? 0) + 1);
    }
  }
  findings.push(...compareMultiset(topic, evidence, found));
  return findings;
}

function compareMultiset(where: string, evidence: Evidence, found: Map<string, number>): Finding[] {
  const findings: Finding[] = [];
  for (const { key, entry } of inputsOf(evidence).flat()) {
    const name = `${groupOf(key)} ${entry.id}`;
    const times = found.get(name) ?? 0;
    found.delete(name);
    if (times === 0) findings.push({ check: 'V7', where, message: `${name} is missing` });
    if (times > 1 && evidence.ledger.guarantee === 'exactly_once_v2')
      findings.push({ check: 'V7', where, message: `${name} is there ${times} times` });
  }
  for (const name of found.keys()) findings.push({ check: 'V7', where, message: `${name} is none of the input's` });
  return findings;
}
