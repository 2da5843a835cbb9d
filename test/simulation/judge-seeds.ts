import { afterAll, describe, expect, it } from 'vitest';
import { campaignOf } from './campaign.ts';
import { planRun } from './plan/run-plan.ts';
import { describeFailure, judgeRun } from './run/verdict.ts';

const SEEDS_PER_TEST = 5;
/** A seed takes less than a second; on a machine that has other things to do, a few. */
const TIMEOUT_MS = 300_000;

/** Tests every second seed of the campaign: two files of tests run at the same time. */
export function judgeSeeds(which: 'even' | 'odd'): void {
  const { seeds, faults } = campaignOf(process.env);
  const own = seeds.filter((seed) => (BigInt(seed) % 2n === 0n) === (which === 'even'));
  const groups = Array.from({ length: Math.ceil(own.length / SEEDS_PER_TEST) }, (_, index) =>
    own.slice(index * SEEDS_PER_TEST, (index + 1) * SEEDS_PER_TEST),
  );
  const crashes: string[] = [];
  const seen = new Set<string>();
  afterAll(() => {
    const places = new Set(crashes);
    console.log(
      `${which} seeds: ${crashes.length} crashes at requests and steps, in ${places.size} places; ${seen.size} were come to`,
    );
  });
  describe('whatever goes wrong, exactly once is exact and at least once loses nothing', () => {
    it.each(groups)(
      `${which} seeds from %s on`,
      async (...group) => {
        const failures: string[] = [];
        for (const seed of group) {
          const plan = planRun(seed, faults);
          const verdict = await judgeRun(plan);
          crashes.push(...verdict.result.places.crashes);
          for (const place of verdict.result.places.seen) seen.add(place);
          if (verdict.findings !== '') failures.push(describeFailure(plan, verdict));
        }
        if (failures.length > 0) expect.fail(failures.join('\n\n'));
      },
      TIMEOUT_MS,
    );
    // A campaign of one seed leaves one of the two without any.
    if (groups.length === 0) it('has nothing to do here', () => expect(own).toEqual([]));
  });
}
