import { silentLogger, type Logger } from '@millrace/core';
import type { DeserializationErrorHandler, ProcessingErrorHandler, ProductionErrorHandler } from '@millrace/runtime';
import { memoryEngine, type StateEngine } from '@millrace/state';

/** How a driver runs a topology. */
export interface TopologyTestDriverOptions {
  /** Default `app`. */
  readonly applicationId?: string;
  /** Where the virtual wall clock starts, ms since the epoch · default 0. */
  readonly initialWallClockMs?: number;
  /** Keeps the state. Default: in memory. A persistent one needs `stateDir`. */
  readonly engine?: StateEngine;
  /** Directory for the state of a persistent engine; destroyed when the driver is closed. */
  readonly stateDir?: string;
  /**
   * Bytes of record caching · default 0, so that every update is seen. With caching, updates of one key within one input are
   * merged into the last, since a commit follows every input.
   */
  readonly cacheMaxBytes?: number;
  /** Wall clock between two emissions of closed windows and expired outer-join records · ms · default 0: none is held back. */
  readonly emitIntervalMs?: number;
  /** Kafka: `max.task.idle.ms` · default 0. All inputs count as caught up, so 0 and −1 never wait. */
  readonly maxTaskIdleMs?: number;
  /**
   * Commit after every input. Default true. False: only {@link TopologyTestDriver.commit} does, outputs and records of
   * repartition topics stay unseen until then, and a crash drops them.
   */
  readonly autoCommit?: boolean;
  /**
   * Where the built-in error handlers write what they cannot go on with, as in the application's settings. The topic need not be
   * made: read it with `driver.createOutputTopic(topic(name, { key: bytes(), value: bytes() }))`. Default none.
   */
  readonly deadLetterTopic?: string;
  /** How far timestamps may be ahead of the virtual wall clock · ms · default 0: without limit, as in the application's settings. */
  readonly maxTimestampAheadMs?: number;
  /** Default: fail. */
  readonly onDeserializationError?: DeserializationErrorHandler;
  /** Default: fail. */
  readonly onProcessingError?: ProcessingErrorHandler;
  /** Default: fail. */
  readonly onProductionError?: ProductionErrorHandler;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** Options with nothing left open, except what may be absent: the handlers, and a topic for dead letters. */
export type ResolvedDriverOptions = Required<Omit<TopologyTestDriverOptions, Optional>> &
  Pick<TopologyTestDriverOptions, Optional>;

type Optional = 'onDeserializationError' | 'onProcessingError' | 'onProductionError' | 'deadLetterTopic';

export function resolveDriverOptions(options: TopologyTestDriverOptions): ResolvedDriverOptions {
  return {
    applicationId: 'app',
    initialWallClockMs: 0,
    stateDir: 'topology-test-driver',
    cacheMaxBytes: 0,
    emitIntervalMs: 0,
    maxTaskIdleMs: 0,
    maxTimestampAheadMs: 0,
    autoCommit: true,
    logger: silentLogger,
    ...options,
    engine: options.engine ?? memoryEngine(),
  };
}
