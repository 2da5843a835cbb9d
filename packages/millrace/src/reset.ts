import { MetricsRegistry, silentLogger, systemClock, systemRandom } from '@millrace/core';
import { ApplicationReset, type StreamsSettings } from '@millrace/runtime';
import type { Topology } from '@millrace/topology';
import { connect, connectionOf, type ConnectionOptions } from './connect.ts';
import type { StartOptions } from './start.ts';

/** What {@link createReset} takes; `applicationId` and `stateDir` as `start` takes them. */
export interface ResetOptions
  extends ConnectionOptions,
    Pick<StreamsSettings, 'applicationId' | 'stateDir' | 'requestTimeoutMs'>,
    Pick<StartOptions, 'logger' | 'clock'> {}

/**
 * Prepares the reset of an application: its committed offsets, internal topics and local state.
 *
 * Nothing is changed before `execute` is called with the plan that `plan` made. Close it (`await using`) when done.
 *
 * @throws SettingsError, TopologyError
 * @example
 * await using reset = createReset(buildTopology(), { applicationId: 'checkout', brokers: ['localhost:9092'] });
 * const plan = await reset.plan({ to: { kind: 'earliest' } });
 * await reset.execute(plan);
 */
export function createReset(topology: Topology, options: ResetOptions): ApplicationReset {
  const { applicationId, stateDir, requestTimeoutMs, clientId } = options;
  const clock = options.clock ?? systemClock;
  const client = connect({
    ...connectionOf(options),
    clientId: clientId ?? applicationId,
    requestTimeoutMs,
    clock,
    random: systemRandom,
    logger: options.logger ?? silentLogger,
    metrics: new MetricsRegistry(),
  });
  return new ApplicationReset(topology, { applicationId, ...(stateDir === undefined ? {} : { stateDir }) }, { client, clock });
}
