import { describe, expect, inject, it } from 'vitest';
import { describeFindings, judge } from '../oracle/judge.ts';
import type { Draft } from '../oracle/mutation/draft.ts';
import { MUTATIONS } from '../oracle/mutation/mutations.ts';
import { FaultRun } from './rig/fault-run.ts';

const brokers = inject('faultBrokers');
/** Seeded defects that need what this run did not have: an aborted transaction, a killed worker, long samples. */
const NEEDS_FAULTS = /aborted record|fenced producer|old epoch|killed worker|memory grows|descriptors grow|count(s)? fewer/;

describe('the ledger without a fault', () => {
  it('F0 two workers process it exactly once, and the oracle finds each seeded defect in what they leave', async () => {
    await using run = await FaultRun.start({ brokers });
    await run.workers('a', 'b');
    await run.source.write(1500);
    await run.drained();
    run.healed();
    const { evidence, findings } = await run.conclude();
    expect(findings).toBe('');
    for (const { name, check, apply } of MUTATIONS.filter((one) => !NEEDS_FAULTS.test(one.name))) {
      const draft = structuredClone(evidence) as Draft;
      apply(draft);
      const found = judge(draft);
      expect(
        found.map((finding) => finding.check),
        `${name}: ${describeFindings(found)}`,
      ).toContain(check);
    }
  });

  it('F0 at least once nothing is lost, and nothing comes twice without a fault', async () => {
    await using run = await FaultRun.start({ brokers, guarantee: 'at_least_once', cached: false });
    await run.workers('a', 'b');
    await run.source.write(600);
    await run.drained();
    run.healed();
    expect(await run.verdict()).toBe('');
  });
});
