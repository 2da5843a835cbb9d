import { topicOf, type UidValue } from '../ledger/ledger.ts';
import { inputsOf } from '../ledger/ledger-model.ts';
import type { Evidence, Finding } from '../evidence/evidence.ts';
import { committedOf, jsonOf } from '../evidence/log-view.ts';

/** V6: the ids that the workload gave are distinct, and dense in each partition: a counter was neither lost nor used twice. */
export function uniqueIds(evidence: Evidence): Finding[] {
  const { ledger } = evidence;
  if (ledger.guarantee === 'at_least_once') return [];
  const findings: Finding[] = [];
  const owner = new Map<number, string>();
  for (const [partition, records] of committedOf(evidence, topicOf(ledger, 'uid')).entries()) {
    const where = `${topicOf(ledger, 'uid')}-${partition}`;
    const values = records.map((record) => jsonOf<UidValue>(record) as UidValue);
    for (const { id, uid } of values) {
      const other = owner.get(uid);
      if (other !== undefined) findings.push({ check: 'V6', where, message: `${id} and ${other} have the same uid ${uid}` });
      owner.set(uid, id);
    }
    const gap = values.findIndex(({ uid }, index) => uid !== index * ledger.partitions + partition);
    if (gap >= 0) findings.push({ check: 'V6', where, message: `record ${gap} has uid ${values[gap]?.uid}` });
    const inputs = inputsOf(evidence)[partition]?.length ?? 0;
    if (values.length !== inputs) findings.push({ check: 'V6', where, message: `${values.length} ids for ${inputs} records` });
  }
  return findings;
}
