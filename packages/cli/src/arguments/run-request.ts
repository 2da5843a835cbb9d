import type { StartOptions } from 'millrace';
import type { Host } from '../host/host.ts';
import { UsageError } from '../usage-error.ts';
import { parseConfig } from './config-values.ts';
import { brokersOf, property, required } from './option-values.ts';
import { withEnvironment, type LogLevel, type RawOptions } from './raw-options.ts';
import { securityOf } from './security.ts';

/** What `millrace run` was asked to do. */
export interface RunRequest {
  readonly module: string;
  /** Settings and connection, as `start` takes them. */
  readonly start: StartOptions;
  /** `undefined`: one loop on the main thread. */
  readonly threads: number | 'auto' | undefined;
  readonly logLevel: LogLevel;
  /** False when the live view was declined. */
  readonly view: boolean;
}

/**
 * Makes the request out of the command line and the environment.
 *
 * @throws UsageError
 */
export function resolveRunRequest(module: string, given: RawOptions, host: Host): RunRequest {
  const options = withEnvironment(given, host.env);
  return {
    module,
    start: {
      ...parseConfig([...(options.config ?? []), ...clientTags(options.clientTag ?? [])]),
      ...property('transport', options.transport),
      ...property('stateDir', options.stateDir),
      ...property('guarantee', options.guarantee),
      ...property('groupInstanceId', options.groupInstanceId),
      ...property('groupProtocol', options.groupProtocol),
      ...property('commitIntervalMs', wholeNumber('--commit-interval-ms', options.commitIntervalMs, 'of milliseconds')),
      ...property('numStandbyReplicas', wholeNumber('--standby-replicas', options.standbyReplicas, 'of copies')),
      ...property('onTopologyMismatch', options.onTopologyMismatch),
      ...property('onMissingOffsets', options.onMissingOffsets),
      ...property('onRecreatedInput', options.onRecreatedInput),
      ...property('allowChangelogRebuild', options.allowChangelogRebuild),
      ...property('onStateDiskFull', options.onStateDiskFull),
      ...property('deadLetterTopic', options.deadLetterTopic),
      ...property('processingTimeoutMs', wholeNumber('--processing-timeout-ms', options.processingTimeoutMs, 'of milliseconds')),
      ...securityOf(options, host),
      applicationId: required(options.applicationId, '--application-id', 'MILLRACE_APPLICATION_ID'),
      brokers: brokersOf(required(options.brokers, '--brokers', 'KAFKA_BROKERS')),
    },
    threads: threadsOf(options.threads),
    logLevel: options.logLevel ?? 'info',
    view: options.view ?? true,
  };
}

function wholeNumber(option: string, text: string | undefined, ofWhat: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${option} ${text}: give a whole number ${ofWhat}`);
  return Number(text);
}

function threadsOf(text: string | undefined): number | 'auto' | undefined {
  if (text === undefined || text === 'auto') return text;
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError(`--threads ${text}: give a whole number from 1 on, or auto`);
  return Number(text);
}

function clientTags(pairs: readonly string[]): string[] {
  for (const pair of pairs) {
    if (!/^[^=]+=./.test(pair)) throw new UsageError(`--client-tag ${JSON.stringify(pair)}: give name=value, such as zone=a`);
  }
  return pairs.map((pair) => `clientTags.${pair}`);
}
