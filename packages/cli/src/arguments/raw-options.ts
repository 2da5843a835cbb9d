import type { Host } from '../host/host.ts';
import { UsageError } from '../usage-error.ts';
import { runOptionTable, type OptionEntry } from './option-table.ts';

/** Options as commander gives them, with what is missing filled in from the environment. */
export interface RawOptions {
  readonly brokers?: string;
  readonly transport?: 'kafkajs' | 'socket';
  readonly tls?: boolean;
  readonly ca?: string;
  readonly saslMechanism?: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly saslUsername?: string;
  readonly saslPasswordFile?: string;
  readonly applicationId?: string;
  readonly stateDir?: string;
  readonly guarantee?: 'at_least_once' | 'exactly_once_v2';
  readonly commitIntervalMs?: string;
  readonly groupInstanceId?: string;
  readonly groupProtocol?: 'classic' | 'streams';
  readonly threads?: string;
  readonly standbyReplicas?: string;
  readonly clientTag?: readonly string[];
  readonly onTopologyMismatch?: 'wait' | 'refuse';
  readonly onMissingOffsets?: 'fail' | 'reset';
  readonly onRecreatedInput?: 'fail' | 'reset';
  readonly allowChangelogRebuild?: boolean;
  readonly onStateDiskFull?: 'wait' | 'fail';
  readonly processingTimeoutMs?: string;
  readonly deadLetterTopic?: string;
  readonly config?: readonly string[];
  readonly logLevel?: LogLevel;
  readonly view?: boolean;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/**
 * Adds what the environment has for options that were not given. An empty variable counts as not set.
 *
 * @throws UsageError when a variable holds a value that its option does not accept
 */
export function withEnvironment<Options extends object>(
  given: Options,
  env: Host['env'],
  table: readonly OptionEntry[] = runOptionTable,
): Options {
  const options: { [name: string]: unknown } = { ...(given as { readonly [name: string]: unknown }) };
  for (const entry of table) {
    const name = attributeOf(entry);
    const value = entry.env === undefined ? undefined : env[entry.env];
    if (options[name] !== undefined || value === undefined || value === '') continue;
    options[name] = entry.flags.includes('<') ? checkedChoice(entry, value) : isOn(value);
  }
  return options as Options;
}

/** `--state-dir <folder>` is `stateDir`. */
function attributeOf({ flags }: OptionEntry): string {
  const long = (flags.split(' ')[0] as string).slice(2);
  return long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function checkedChoice({ env, choices }: OptionEntry, value: string): string {
  if (choices === undefined || choices.includes(value)) return value;
  throw new UsageError(`${env}=${value}: give one of ${choices.join(', ')}`);
}

function isOn(value: string): boolean {
  return !['0', 'false', 'no', 'off'].includes(value.toLowerCase());
}
