import { changelogOf, type LedgerStore, OTHER_STORES, STORES, writtenTopics } from '../ledger/ledger.ts';
import type { Evidence, Finding, PartitionLog } from '../evidence/evidence.ts';
import { partitionName, partitionsOf, verdicts } from '../evidence/log-view.ts';

/**
 * V9: no zombie has written. In each partition the epoch of a producer never goes back: not from one record to the next, and
 * not behind a marker that a newer epoch has set. In a changelog, which only the owner of the task writes, the committed
 * transactions of two producers never overlap.
 */
export function fencing(evidence: Evidence): Finding[] {
  if (evidence.ledger.guarantee === 'at_least_once') return [];
  const { ledger } = evidence;
  const changelogs = new Set(
    [...(Object.keys(STORES) as LedgerStore[]), ...OTHER_STORES].map((store) => changelogOf(ledger, store)),
  );
  const findings: Finding[] = [];
  for (const topic of writtenTopics(ledger)) {
    for (const log of partitionsOf(evidence, topic)) {
      if (log === undefined) continue;
      findings.push(...epochs(log));
      if (changelogs.has(topic)) findings.push(...owners(log));
    }
  }
  return findings;
}

function epochs(log: PartitionLog): Finding[] {
  const findings: Finding[] = [];
  const newest = new Map<number, number>();
  for (const { kind, offset, producerId, producerEpoch } of log.entries) {
    const epoch = newest.get(producerId) ?? -1;
    if (kind === 'record' && producerEpoch < epoch) {
      const message = `producer ${producerId} wrote with epoch ${producerEpoch} behind epoch ${epoch}`;
      findings.push({ check: 'V9', where: `${partitionName(log)}@${offset}`, message });
    }
    newest.set(producerId, Math.max(epoch, producerEpoch));
  }
  return findings;
}

/**
 * What a zombie writes before it hears that the group went on without it is aborted, and may lie between the records of the
 * new owner: committed are only one owner's at a time.
 */
function owners(log: PartitionLog): Finding[] {
  const decided = verdicts(log);
  let writing: number | undefined;
  for (const { kind, offset, producerId } of log.entries) {
    if (kind !== 'record') writing = writing === producerId ? undefined : writing;
    else if (decided.get(offset) !== 'committed') continue;
    else if (writing !== undefined && writing !== producerId) {
      const message = `producer ${producerId} wrote within a transaction of producer ${writing}, and both were committed`;
      return [{ check: 'V9', where: `${partitionName(log)}@${offset}`, message }];
    } else writing = producerId;
  }
  return [];
}
