/**
 * How a development broker behaves. Everything has a default; times are in milliseconds, sizes in bytes.
 *
 * The defaults are awkward on purpose: markers come late, a coordinator is not there at first, topics appear after they were
 * asked for. What a test wants to have easier it says here.
 */
export interface BrokerSettings {
  /** Loopback address to listen on. Default `127.0.0.1`; another one than loopback is refused. */
  readonly host?: string;
  /** Port, 0 (default) for any that is free. */
  readonly port?: number;
  /**
   * False: no port at all, only connections within the process (`broker.connect()`); nodes are then said to be at `port`, or
   * 9092 and what follows. Default true.
   */
  readonly listen?: boolean;
  /** Directory that keeps everything over a restart, also after SIGKILL. Default: nothing is kept. */
  readonly dataDirectory?: string;
  /**
   * When to make appends survive a power failure; SIGKILL they survive anyway. `interval` (default) once a second,
   * `always` before each answer, `never`. Only with a data directory.
   */
  readonly fsync?: 'never' | 'interval' | 'always';
  /** Id of the first node. Default 1. */
  readonly nodeId?: number;
  /**
   * How many nodes the cluster pretends to have: listeners of this process, on ports that follow one another (or on any,
   * if `port` is 0), each leading its part of the partitions and groups. Default 1.
   */
  readonly nodes?: number;
  /** Default: random, and kept in the data directory. */
  readonly clusterId?: string;
  /**
   * 2 offers transactions of version 2 as Kafka ≥ 4.0 does by default: the epoch rises with every end, partitions are added
   * by Produce (KIP-890). Default 1. Kafka: the feature `transaction.version`.
   */
  readonly transactionVersion?: 1 | 2;
  /** Whether Metadata creates topics that are asked for. Default true. Kafka: `auto.create.topics.enable`. */
  readonly autoCreateTopics?: boolean;
  /** Partitions of a topic that does not say how many. Default 1. Kafka: `num.partitions`. */
  readonly defaultPartitions?: number;
  /** Configurations of topics that set nothing themselves, in the names of topics: `{ 'retention.ms': '60000' }`. */
  readonly topicDefaults?: Readonly<Record<string, string>>;
  /** False allows segments below 1 MB, for tests of compaction and retention. Default true. */
  readonly strictConfigs?: boolean;
  /** How late a marker may come after EndTxn was answered; the time is random. 0: at once. Default 20. */
  readonly markerDelayMaxMs?: number;
  /** Default 0, as in Kafka's development configuration. Kafka: `group.initial.rebalance.delay.ms`. */
  readonly groupInitialRebalanceDelayMs?: number;
  /** Default 6000. Kafka: `group.min.session.timeout.ms`. */
  readonly groupMinSessionTimeoutMs?: number;
  /** Default 1 800 000. Kafka: `group.max.session.timeout.ms`. */
  readonly groupMaxSessionTimeoutMs?: number;
  /** How long offsets of a group without members are kept. Default 7 days. Kafka: `offsets.retention.minutes`. */
  readonly offsetsRetentionMs?: number;
  /** Default 900 000. Kafka: `transaction.max.timeout.ms`. */
  readonly transactionMaxTimeoutMs?: number;
  /** How often to look for transactions that have timed out. Default 10 000. */
  readonly transactionAbortIntervalMs?: number;
  /** How long a transactional id without an open transaction is remembered. Default 7 days. Kafka: `transactional.id.expiration.ms`. */
  readonly transactionalIdExpirationMs?: number;
  /**
   * How often to look for transactional ids to forget. Default 3 600 000.
   * Kafka: `transaction.remove.expired.transaction.cleanup.interval.ms`.
   */
  readonly transactionalIdCheckIntervalMs?: number;
  /** How often to look for segments to delete. Default 300 000. Kafka: `log.retention.check.interval.ms`. */
  readonly retentionCheckIntervalMs?: number;
  /** How often to look for logs to compact. Default 15 000. Kafka: `log.cleaner.backoff.ms`. */
  readonly compactionIntervalMs?: number;
  /** Largest request. Default 100 MiB. Kafka: `socket.request.max.bytes`. */
  readonly requestBytesMax?: number;
  /** Most connections at a time. Default 2000. */
  readonly connectionsMax?: number;
}

/** {@link BrokerSettings} with nothing left open. */
export type ResolvedBrokerSettings = {
  readonly [Name in keyof Required<BrokerSettings>]: Name extends 'dataDirectory' | 'clusterId'
    ? string | undefined
    : Required<BrokerSettings>[Name];
};
