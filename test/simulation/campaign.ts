/** Which runs a campaign makes, as the environment says. */
export interface Campaign {
  readonly seeds: readonly string[];
  /** Numbers of the faults that happen in each run; `undefined`: all that the seed has. */
  readonly faults: ReadonlySet<number> | undefined;
}

const DEFAULT_SEEDS = 40;

/**
 * `SIMULATION_SEEDS=N` runs that many seeds, from `SIMULATION_FROM=S` (default 1) on; `SIMULATION_FAULTS=0,3` leaves only these
 * faults of their plans, to find out which of them it takes, and may be empty.
 */
export function campaignOf(environment: Readonly<Record<string, string | undefined>>): Campaign {
  const { SIMULATION_SEEDS: count = DEFAULT_SEEDS, SIMULATION_FROM: from = '1', SIMULATION_FAULTS: faults } = environment;
  const first = BigInt(from);
  return {
    seeds: Array.from({ length: Number(count) }, (_, index) => String(BigInt.asUintN(64, first + BigInt(index)))),
    faults: faults === undefined ? undefined : new Set(faults.split(',').filter(Boolean).map(Number)),
  };
}
