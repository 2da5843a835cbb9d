import { type Clock, type Logger, type Random, silentLogger, systemClock, systemRandom } from '@millrace/core';
import type { BrokerDisk } from './storage/broker-storage.ts';

/** What the broker takes from outside. */
export interface BrokerComponents {
  /** Timers and timestamps. Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** Ids and delays; a seeded one makes them repeatable. Default: the machine's. */
  readonly random?: Random | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
  /**
   * Where to keep what outlives the broker, such as a {@link MemoryDisk}. Default: the data directory, or nothing. Not together
   * with a data directory.
   */
  readonly disk?: BrokerDisk | undefined;
}

/** The same with nothing left open but the disk. */
export interface ResolvedComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly disk: BrokerDisk | undefined;
}

export function resolveComponents(given: BrokerComponents): ResolvedComponents {
  return {
    clock: given.clock ?? systemClock,
    random: given.random ?? systemRandom,
    logger: given.logger ?? silentLogger,
    disk: given.disk,
  };
}
