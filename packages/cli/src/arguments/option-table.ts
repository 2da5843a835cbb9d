/** One option of a command: how it is written, where it may come from, what it means. */
export interface OptionEntry {
  /** As commander writes it. */
  readonly flags: string;
  /** Read when the option is not given. */
  readonly env?: string;
  readonly description: string;
  readonly choices?: readonly string[];
  /** May be given several times; the values add up. */
  readonly repeatable?: boolean;
}

/** How to reach the cluster. */
export const connectionOptions: readonly OptionEntry[] = [
  { flags: '--brokers <host:port,…>', env: 'KAFKA_BROKERS', description: 'addresses to begin with' },
  {
    flags: '--transport <name>',
    env: 'MILLRACE_TRANSPORT',
    description: 'what carries the bytes',
    choices: ['kafkajs', 'socket'],
  },
  { flags: '--tls', env: 'MILLRACE_TLS', description: 'encrypt; also implied by --ca' },
  { flags: '--ca <file>', env: 'MILLRACE_CA', description: 'PEM file of the authority that vouches for the brokers' },
  {
    flags: '--sasl-mechanism <name>',
    env: 'MILLRACE_SASL_MECHANISM',
    description: 'how to authenticate',
    choices: ['plain', 'scram-sha-256', 'scram-sha-512'],
  },
  { flags: '--sasl-username <name>', env: 'MILLRACE_SASL_USERNAME', description: 'who to authenticate as' },
  {
    flags: '--sasl-password-file <file>',
    env: 'MILLRACE_SASL_PASSWORD_FILE',
    description: 'file with the password; or put the password itself into MILLRACE_SASL_PASSWORD',
  },
];

/** Whose work it is, and where it lies. */
export const identityOptions: readonly OptionEntry[] = [
  {
    flags: '--application-id <id>',
    env: 'MILLRACE_APPLICATION_ID',
    description: 'consumer group, and prefix of internal topics and state',
  },
  { flags: '--state-dir <folder>', env: 'MILLRACE_STATE_DIR', description: 'where local state lives' },
];

/** How to work. */
const settingOptions: readonly OptionEntry[] = [
  {
    flags: '--guarantee <name>',
    env: 'MILLRACE_GUARANTEE',
    description: 'default at_least_once',
    choices: ['at_least_once', 'exactly_once_v2'],
  },
  {
    flags: '--commit-interval-ms <ms>',
    env: 'MILLRACE_COMMIT_INTERVAL_MS',
    description: 'default 30000, or 100 under exactly_once_v2',
  },
  {
    flags: '--group-instance-id <id>',
    env: 'MILLRACE_GROUP_INSTANCE_ID',
    description: 'keeps the assignment of this worker over a restart',
  },
  {
    flags: '--group-protocol <name>',
    env: 'MILLRACE_GROUP_PROTOCOL',
    description: 'who assigns the tasks: a worker (classic, default) or the broker (streams, Kafka 4.2 or newer)',
    choices: ['classic', 'streams'],
  },
  {
    flags: '--threads <count>',
    env: 'MILLRACE_THREADS',
    description: 'threads with a loop each, or auto for as many as there are processors; default one loop on the main thread',
  },
  {
    flags: '--standby-replicas <count>',
    env: 'MILLRACE_STANDBY_REPLICAS',
    description: 'copies of each state that other processes keep warm; default 0',
  },
  {
    flags: '--client-tag <name=value>',
    description: 'where this process runs, such as zone=a; may be repeated',
    repeatable: true,
  },
  {
    flags: '--on-topology-mismatch <policy>',
    env: 'MILLRACE_ON_TOPOLOGY_MISMATCH',
    description: 'when the group runs another topology: wait until that is gone (default), or refuse',
    choices: ['wait', 'refuse'],
  },
  {
    flags: '--on-missing-offsets <policy>',
    env: 'MILLRACE_ON_MISSING_OFFSETS',
    description: 'when committed offsets are gone although there is state: fail (default), or reset and count again',
    choices: ['fail', 'reset'],
  },
  {
    flags: '--on-recreated-input <policy>',
    env: 'MILLRACE_ON_RECREATED_INPUT',
    description: 'when an input topic was deleted and made again: fail (default), or reset and read it anew',
    choices: ['fail', 'reset'],
  },
  {
    flags: '--allow-changelog-rebuild',
    description: 'makes a missing changelog anew, empty; also for a store that is added to tasks which run already',
  },
  {
    flags: '--on-state-disk-full <policy>',
    env: 'MILLRACE_ON_STATE_DISK_FULL',
    description: 'when the disk has no room for state: wait until it has, while others have the tasks (default), or fail',
    choices: ['wait', 'fail'],
  },
  {
    flags: '--processing-timeout-ms <ms>',
    env: 'MILLRACE_PROCESSING_TIMEOUT_MS',
    description: 'how long a promise of user code may take before the worker fails; default 300000',
  },
  {
    flags: '--dead-letter-topic <topic>',
    env: 'MILLRACE_DEAD_LETTER_TOPIC',
    description: 'where built-in error handlers write what they cannot go on with; has to exist; default none',
  },
  { flags: '--config <name=value>', description: 'any other setting; may be repeated', repeatable: true },
];

const outputOptions: readonly OptionEntry[] = [
  {
    flags: '--log-level <level>',
    env: 'MILLRACE_LOG_LEVEL',
    description: 'default info',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
  },
  { flags: '--no-view', description: 'log lines instead of the live view on a terminal' },
];

/** Every option of `millrace run`, in the order of the help text. */
export const runOptionTable: readonly OptionEntry[] = [
  ...connectionOptions,
  ...identityOptions,
  ...settingOptions,
  ...outputOptions,
];
