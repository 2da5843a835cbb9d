import { describe, expect, it } from 'vitest';
import type { Evidence } from '../oracle/evidence/evidence.ts';
import { judge } from '../oracle/judge.ts';
import type { Draft } from '../oracle/mutation/draft.ts';
import { MUTATIONS } from '../oracle/mutation/mutations.ts';
import { campaignOf } from './campaign.ts';
import { planRun } from './plan/run-plan.ts';
import { judgeRun } from './run/verdict.ts';

/** Seeded defects that need what a run without faults does not have, see the baseline of the fault tests. */
const NEEDS_FAULTS = /aborted record|fenced producer|old epoch|killed worker|memory grows|descriptors grow|count(s)? fewer/;
const TIMEOUT_MS = 300_000;

describe('a simulated run', () => {
  it.each(['7', '18446744073709551615'])(
    'does exactly the same again: seed %s',
    async (seed) => {
      const [first, again] = [await judgeRun(planRun(seed)), await judgeRun(planRun(seed))];
      expect([again.result.trace, again.result.events]).toEqual([first.result.trace, first.result.events]);
      expect(again.result.evidence?.logs).toEqual(first.result.evidence?.logs);
      const other = await judgeRun(planRun(String(BigInt(seed) / 2n)));
      expect(other.result.trace).not.toBe(first.result.trace);
    },
    TIMEOUT_MS,
  );

  it('leaves evidence in which the oracle finds every defect that is planted there', async () => {
    const { result, findings } = await judgeRun(planRun('2', new Set()));
    expect(findings).toBe('');
    const evidence = result.evidence as Evidence;
    expect(evidence.ledger.guarantee).toBe('exactly_once_v2');
    for (const { name, check, apply } of MUTATIONS.filter((one) => !NEEDS_FAULTS.test(one.name))) {
      const draft = structuredClone(evidence) as Draft;
      apply(draft);
      expect(
        judge(draft).map((finding) => finding.check),
        name,
      ).toContain(check);
    }
  });
});

describe('a campaign', () => {
  it('is what the environment says', () => {
    expect(campaignOf({ SIMULATION_SEEDS: '2', SIMULATION_FROM: '18446744073709551615', SIMULATION_FAULTS: '0,3' })).toEqual({
      seeds: ['18446744073709551615', '0'],
      faults: new Set([0, 3]),
    });
    expect(campaignOf({ SIMULATION_FAULTS: '' }).faults).toEqual(new Set());
    expect(campaignOf({}).faults).toBeUndefined();
  });
});
