import { parseArgs } from 'node:util';
import type { StartOptions } from 'millrace';

/** What a workload needs to know to build its topology. */
export interface WorkloadOptions {
  readonly workload: string;
  /** Topic of the results; the C workloads have theirs by name. */
  readonly output: string;
  /** C2: how far an order and its payment may be apart, ms. */
  readonly windowMs: number;
  /** C2: how long the left join waits beyond that, ms. */
  readonly graceMs: number;
}

export interface BenchOptions {
  readonly workload: WorkloadOptions;
  readonly start: StartOptions;
  /** `undefined`: one loop on the main thread. */
  readonly threads: number | undefined;
  readonly verbose: boolean;
}

type Environment = Readonly<{ [name: string]: string | undefined }>;

/**
 * Options of the command line; what the chaos kit puts into the environment stands in for those that are missing.
 *
 * @throws TypeError for an unknown option, Error for a missing or wrong one
 */
export function parseOptions(args: readonly string[], env: Environment): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workload: { type: 'string', default: env.CHAOS_WORKLOAD ?? '' },
      brokers: { type: 'string', default: env.CHAOS_BROKERS ?? '' },
      'app-id': { type: 'string', default: env.CHAOS_APP_ID ?? '' },
      output: { type: 'string' },
      guarantee: { type: 'string', default: env.CHAOS_GUARANTEE ?? 'at_least_once' },
      'commit-ms': { type: 'string', default: env.CHAOS_COMMIT_MS ?? '' },
      'state-dir': { type: 'string', default: env.CHAOS_STATE_DIR ?? '' },
      instance: { type: 'string', default: env.CHAOS_INSTANCE ?? '0' },
      'cache-bytes': { type: 'string' },
      'linger-ms': { type: 'string' },
      standbys: { type: 'string' },
      transport: { type: 'string' },
      threads: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  });
  const needed = (name: 'workload' | 'brokers' | 'app-id'): string => {
    if (values[name] === '') throw new Error(`--${name} is missing`);
    return values[name];
  };
  const workload = needed('workload');
  const applicationId = needed('app-id');
  const guarantee = oneOf('guarantee', values.guarantee, ['at_least_once', 'exactly_once_v2']);
  const transport = values.transport === undefined ? undefined : oneOf('transport', values.transport, ['kafkajs', 'socket']);
  return {
    workload: {
      workload,
      output: values.output ?? `${applicationId}-out`,
      windowMs: number('CHAOS_WINDOW_MS', env.CHAOS_WINDOW_MS) ?? 5000,
      graceMs: number('CHAOS_GRACE_MS', env.CHAOS_GRACE_MS) ?? 60_000,
    },
    start: {
      applicationId,
      brokers: needed('brokers').split(','),
      clientId: `${applicationId}-i${values.instance}`,
      guarantee,
      commitIntervalMs: number('--commit-ms', values['commit-ms']) ?? (guarantee === 'at_least_once' ? 1000 : 100),
      replicationFactor: 1,
      ...optional('transport', transport),
      ...optional('stateDir', values['state-dir'] === '' ? undefined : values['state-dir']),
      // The chaos kit's checker needs every update of a table.
      ...optional('cacheMaxBytes', number('--cache-bytes', values['cache-bytes']) ?? (workload.startsWith('c') ? 0 : undefined)),
      ...optional('lingerMs', number('--linger-ms', values['linger-ms'])),
      ...optional('numStandbyReplicas', number('--standbys', values.standbys)),
      ...optional('sessionTimeoutMs', number('CHAOS_SESSION_TIMEOUT_MS', env.CHAOS_SESSION_TIMEOUT_MS)),
      ...optional('requestTimeoutMs', number('CHAOS_REQUEST_TIMEOUT_MS', env.CHAOS_REQUEST_TIMEOUT_MS)),
      ...optional('transactionTimeoutMs', number('CHAOS_TRANSACTION_TIMEOUT_MS', env.CHAOS_TRANSACTION_TIMEOUT_MS)),
    },
    threads: number('--threads', values.threads),
    verbose: values.verbose,
  };
}

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`${name} ${text}: give a whole number`);
  return Number(text);
}

function oneOf<Choice extends string>(name: string, value: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((one) => one === value);
  if (choice === undefined) throw new Error(`--${name} ${value}: give one of ${choices.join(', ')}`);
  return choice;
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [N in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: Value };
}
