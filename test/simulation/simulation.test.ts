import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { judge } from '../oracle/judge.ts';
import { type Draft, MUTATIONS } from '../oracle/mutation/mutations.ts';
import { campaignOf } from './campaign.ts';
import { planRun } from './plan/run-plan.ts';
import { describeFailure, judgeRun } from './run/verdict.ts';

const { seeds, faults } = campaignOf(process.env);
const PER_TEST = 10;
const TIMEOUT_MS = 120_000;
/** Of 64 bits: seeds are not only small numbers. */
const REPLAYED = ['7', '18446744073709551615'];

function commit(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
}

describe('a simulated run', () => {
  it.each(REPLAYED)('does exactly the same again: seed %s', async (seed) => {
    const [first, again] = [await judgeRun(planRun(seed)), await judgeRun(planRun(seed))];
    expect([again.result.trace, again.result.events]).toEqual([first.result.trace, first.result.events]);
    expect(again.result.journal().replaceAll(/millrace-simulation-\w+/g, '')).toBe(
      first.result.journal().replaceAll(/millrace-simulation-\w+/g, ''),
    );
  });

  it('differs from that of another seed', async () => {
    const [one, other] = [await judgeRun(planRun('1')), await judgeRun(planRun('2'))];
    expect(other.result.trace).not.toBe(one.result.trace);
  });

  it('leaves evidence in which the oracle finds what is wrong', async () => {
    const { result } = await judgeRun(planRun('1', new Set()));
    const caught = MUTATIONS.map(({ name, check, apply }) => {
      const draft = structuredClone(result.evidence) as Draft;
      try {
        apply(draft);
      } catch {
        // Needs what did not happen in this run.
        return undefined;
      }
      return `${name}: ${judge(draft).some((finding) => finding.check === check)}`;
    });
    expect(caught.filter((line) => line?.endsWith('true')).length).toBeGreaterThan(20);
  });
});

describe('whatever goes wrong, exactly once is exact and at least once loses nothing', () => {
  const groups = Array.from({ length: Math.ceil(seeds.length / PER_TEST) }, (_, index) =>
    seeds.slice(index * PER_TEST, (index + 1) * PER_TEST),
  );
  it.each(groups.map((group) => ({ from: group[0], to: group.at(-1), group })))(
    'seeds $from to $to',
    async ({ group }) => {
      for (const seed of group) {
        const plan = planRun(seed, faults);
        const verdict = await judgeRun(plan);
        if (verdict.findings !== '') expect.fail(describeFailure(plan, verdict, commit()));
      }
    },
    TIMEOUT_MS,
  );
});
