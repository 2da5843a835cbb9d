import { type Clock, type Logger, type Random, silentLogger, systemClock, systemRandom } from '@millrace/core';

/** What the broker takes from outside. */
export interface BrokerComponents {
  /** Timers and timestamps. Default: the machine's. */
  readonly clock?: Clock;
  /** Ids and delays; a seeded one makes them repeatable. Default: the machine's. */
  readonly random?: Random;
  /** Default: silent. */
  readonly logger?: Logger;
}

export function resolveComponents(given: BrokerComponents): Required<BrokerComponents> {
  return {
    clock: given.clock ?? systemClock,
    random: given.random ?? systemRandom,
    logger: given.logger ?? silentLogger,
  };
}
