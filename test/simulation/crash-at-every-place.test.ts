import { describe, expect, it } from 'vitest';
import { campaignOf } from './campaign.ts';
import { planRun, type RunPlan } from './plan/run-plan.ts';
import { describeFailure, judgeRun } from './run/verdict.ts';

/** Exactly once, with a copy of each state on another worker. */
const SEED = '2';
/** Enough for everything that happens in peace, so that the runs are short. */
const FAULTS_MS = 5000;
/** A campaign of so many seeds leaves out no place, a smaller one takes every n-th. */
const SEEDS_FOR_ALL = 200;
/** Fewer would mean that places are not told apart. */
const PLACES_MIN = 25;
/** A run takes less than a second; on a machine that has other things to do, many times as long. */
const TIMEOUT_MS = 1_800_000;

function crashAt(place: number): RunPlan {
  const when = { atMs: 0, step: { place, visit: 1 } };
  const crash = { kind: 'crash', downMs: 200, disk: 'same', losesSent: place % 2 === 0, number: 0, worker: 0, when } as const;
  return { ...planRun(SEED, new Set()), faultsMs: FAULTS_MS, faults: [crash] };
}

describe('a worker that crashes', () => {
  it(
    'may do so wherever its code waits for anything',
    async () => {
      const { seeds } = campaignOf(process.env);
      const stride = Math.max(1, Math.ceil(SEEDS_FOR_ALL / seeds.length));
      const places: string[] = [];
      for (let place = 1; ; place += stride) {
        const plan = crashAt(place);
        const verdict = await judgeRun(plan);
        expect(verdict.findings === '' ? '' : describeFailure(plan, verdict)).toBe('');
        const { crashes } = verdict.result.places;
        if (crashes.length === 0) break;
        places.push(...crashes);
      }
      console.log(`crashed once at each of ${places.length} places:\n  ${places.join('\n  ')}`);
      expect(new Set(places).size).toBe(places.length);
      expect(places.length).toBeGreaterThanOrEqual(Math.floor(PLACES_MIN / stride));
    },
    TIMEOUT_MS,
  );
});
