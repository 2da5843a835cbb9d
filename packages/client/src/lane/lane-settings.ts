import type { Clock, Logger, Random } from '@millrace/core';
import type { BrokerEndpoint } from './broker-endpoint.ts';

/** What lanes need to know to reach brokers. */
export interface LaneSettings {
  readonly bootstrap: readonly BrokerEndpoint[];
  readonly reconnectBackoffMs: number;
  readonly reconnectBackoffMaxMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}
