import type { StartOptions } from 'millrace';
import type { Host } from '../host/host.ts';
import { UsageError } from '../usage-error.ts';
import { parseConfig } from './config-values.ts';
import { withEnvironment, type LogLevel, type RawOptions } from './raw-options.ts';
import { securityOf } from './security.ts';

/** What `millrace run` was asked to do. */
export interface RunRequest {
  readonly module: string;
  /** Settings and connection, as `start` takes them. */
  readonly start: StartOptions;
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
      ...property('allowChangelogRebuild', options.allowChangelogRebuild),
      ...property('onStateDiskFull', options.onStateDiskFull),
      ...securityOf(options, host),
      applicationId: required(options.applicationId, '--application-id', 'MILLRACE_APPLICATION_ID'),
      brokers: brokersOf(required(options.brokers, '--brokers', 'KAFKA_BROKERS')),
    },
    logLevel: options.logLevel ?? 'info',
    view: options.view ?? true,
  };
}

function required(value: string | undefined, option: string, variable: string): string {
  if (value !== undefined && value !== '') return value;
  throw new UsageError(`${option} is missing; give it, or set ${variable}`);
}

function brokersOf(list: string): string[] {
  const brokers = list
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  if (brokers.length === 0) throw new UsageError(`--brokers ${JSON.stringify(list)}: give host:port, or several with commas`);
  return brokers;
}

function wholeNumber(option: string, text: string | undefined, ofWhat: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${option} ${text}: give a whole number ${ofWhat}`);
  return Number(text);
}

function clientTags(pairs: readonly string[]): string[] {
  for (const pair of pairs) {
    if (!/^[^=]+=./.test(pair)) throw new UsageError(`--client-tag ${JSON.stringify(pair)}: give name=value, such as zone=a`);
  }
  return pairs.map((pair) => `clientTags.${pair}`);
}

/** The property, unless its value is absent: an explicit `undefined` would hide a default. */
function property<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [N in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: Value };
}
