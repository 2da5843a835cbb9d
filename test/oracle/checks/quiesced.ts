import { writtenTopics } from '../ledger/ledger.ts';
import type { Evidence, Finding } from '../evidence/evidence.ts';
import { partitionsOf } from '../evidence/log-view.ts';

/** V1: the group is empty, every partition is there, and no transaction is open in any of them. */
export function quiesced(evidence: Evidence): Finding[] {
  const findings: Finding[] = [];
  const fail = (where: string, message: string): number => findings.push({ check: 'V1', where, message });
  if (evidence.groupMembers > 0) fail(evidence.ledger.applicationId, `the group still has ${evidence.groupMembers} members`);
  for (const topic of writtenTopics(evidence.ledger)) {
    for (const [partition, log] of partitionsOf(evidence, topic).entries()) {
      const where = `${topic}-${partition}`;
      if (log === undefined) fail(where, 'the partition is not there');
      else if (log.lastStableOffset !== log.highWatermark)
        fail(where, `a transaction hangs: last stable offset ${log.lastStableOffset}, high watermark ${log.highWatermark}`);
    }
  }
  return findings;
}
