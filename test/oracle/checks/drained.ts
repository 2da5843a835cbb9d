import { barrierPrefix, consumedTopics, topicOf } from '../ledger/ledger.ts';
import type { Evidence, Finding, PartitionLog } from '../evidence/evidence.ts';
import { committedOf, committedRecords, partitionName, partitionsOf } from '../evidence/log-view.ts';

/** V2: everything was consumed: the group has committed past the last record of each input, and the barriers have come out. */
export function drained(evidence: Evidence): Finding[] {
  const { ledger } = evidence;
  const findings: Finding[] = [];
  for (const topic of consumedTopics(ledger)) {
    for (const log of partitionsOf(evidence, topic)) if (log !== undefined) findings.push(...behind(evidence, log));
  }
  const echoed = committedOf(evidence, topicOf(ledger, 'echo')).flat();
  for (let partition = 0; partition < ledger.partitions; partition++) {
    const barrier = barrierPrefix(partition);
    if (!echoed.some(({ key }) => key?.startsWith(barrier) === true))
      findings.push({ check: 'V2', where: barrier, message: 'the barrier has not come out of the echo' });
  }
  return findings;
}

function behind(evidence: Evidence, log: PartitionLog): Finding[] {
  const last = committedRecords(log).at(-1);
  if (last === undefined) return [];
  const where = partitionName(log);
  const committed = evidence.committedOffsets.get(where) ?? -1;
  if (committed > log.highWatermark)
    return [{ check: 'V2', where, message: `committed offset ${committed} lies behind the end, ${log.highWatermark}` }];
  if (committed > last.offset) return [];
  return [{ check: 'V2', where, message: `committed offset ${committed}, but the last record is at ${last.offset}` }];
}
