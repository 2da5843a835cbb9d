import { SOURCE_HEADER, topicOf } from '../ledger/ledger.ts';
import type { Evidence, Finding } from '../evidence/evidence.ts';
import { committedOf } from '../evidence/log-view.ts';

/**
 * V13: input = echo + what was announced as left out. Each omission stands in a log line or a dead-letter topic, and the metric
 * counts as many; and nothing that was announced as left out has come out all the same.
 */
export function honesty(evidence: Evidence): Finding[] {
  const { ledger, skips, workers } = evidence;
  const findings: Finding[] = [];
  const fail = (where: string, message: string): number => findings.push({ check: 'V13', where, message });
  const echoes = committedOf(evidence, topicOf(ledger, 'echo')).flat();
  const echoed = new Set(echoes.map(({ headers }) => headers[SOURCE_HEADER]));
  const announced = new Set(skips.map(({ partition, offset }) => `${partition}:${offset}`));
  for (const [partition, records] of committedOf(evidence, topicOf(ledger, 'in')).entries()) {
    for (const { offset } of records) {
      const place = `${partition}:${offset}`;
      if (!echoed.has(place) && !announced.has(place)) fail(place, 'was left out, and nobody says so');
      if (echoed.has(place) && announced.has(place)) fail(place, 'was announced as left out, but has come out');
    }
  }
  // What a killed worker has counted died with it, and its heir skips again what was not committed.
  const wasKilled = workers.some(({ expectedEnd }) => expectedEnd === 'killed');
  const counted = workers.reduce((sum, { droppedRecords }) => sum + droppedRecords, 0);
  if (!wasKilled && counted < announced.size)
    fail('metrics', `count ${counted} dropped records, but ${announced.size} were announced`);
  return findings;
}
