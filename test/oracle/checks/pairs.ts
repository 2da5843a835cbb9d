import type { Evidence, Finding } from '../evidence/evidence.ts';
import { committedOf, jsonOf } from '../evidence/log-view.ts';
import { type PairValue, topicOf } from '../ledger/ledger.ts';
import { inputsOf, pairsOf } from '../ledger/ledger-model.ts';

/** The join of two streams: each pair of records once, and each record that found no partner once, in any order. */
export function pairs(evidence: Evidence): Finding[] {
  const found = committedOf(evidence, topicOf(evidence.ledger, 'pairs'));
  return inputsOf(evidence).flatMap((inputs, partition) => {
    const open = new Set(pairsOf(inputs).map(nameOf));
    const seen = new Set<string>();
    const findings: Finding[] = [];
    const fail = (where: string, message: string): number => findings.push({ check: 'V4', where: `pair ${where}`, message });
    for (const record of found[partition] ?? []) {
      const name = nameOf(jsonOf<PairValue>(record) as PairValue);
      if (seen.has(name)) fail(name, 'came out twice');
      else if (!open.delete(name)) fail(name, `is none: at offset ${record.offset}`);
      seen.add(name);
    }
    for (const name of open) fail(name, 'never came out');
    return findings;
  });
}

function nameOf({ left, right }: PairValue): string {
  return `${left} with ${right ?? 'nothing'}`;
}
