/** At least once: after a crash some records are processed again. Exactly once: input, state and output commit together. */
export type Guarantee = 'at_least_once' | 'exactly_once_v2';

/** Where a partition without a committed offset is read from. */
export type OffsetReset = 'earliest' | 'latest' | 'none';

/** What to do when records would be processed a second time, on top of the state that they have made. */
export type MissingOffsetsPolicy = 'fail' | 'reset';
export type RecreatedInputPolicy = 'fail' | 'reset';

/** Whether a full disk is waited for. */
export type DiskFullPolicy = 'wait' | 'fail';

/**
 * How an application runs: plain data, without code. What is not data (clock, handlers, engines) is in the components.
 *
 * Kafka Streams' name of each setting stands in its comment.
 */
export interface StreamsSettings {
  /**
   * Names the application: its consumer group, the prefix of its internal topics and of its state.
   * 1–200 characters of `A–Z a–z 0–9 . _ -`. Kafka: `application.id`.
   */
  readonly applicationId: string;
  /**
   * `at_least_once` (default) or `exactly_once_v2`. Exactly once costs one transaction per commit interval; outputs become
   * visible to `read_committed` readers with the commit. Kafka: `processing.guarantee`.
   */
  readonly guarantee?: Guarantee;
  /**
   * How often progress is committed. Lower: less to redo after a crash and lower latency under exactly-once, more commits.
   * Unit ms · range 1–3 600 000 · default 30 000, or 100 under exactly-once. Kafka: `commit.interval.ms`.
   */
  readonly commitIntervalMs?: number;
  /**
   * Directory for local state; each process takes a free sub-directory of its own.
   * Default: `millrace` in the system's directory for temporary files. Kafka: `state.dir`.
   */
  readonly stateDir?: string;
  /**
   * Bytes of table and aggregate updates that are merged per key before they are forwarded; shared by the tasks of the worker.
   * 0 forwards every update. Cached rows count as uncommitted ones, see `uncommittedMaxBytes`. Unit bytes · default 10 485 760.
   * Kafka: `statestore.cache.max.bytes`.
   */
  readonly cacheMaxBytes?: number;
  /**
   * Rows written since the last commit that are kept in memory, record caches among them: beyond it a commit comes early. Lower:
   * less memory, more commits. What one record writes is not divided, and may exceed it.
   * Unit bytes · range ≥ 1 048 576 · default `cacheMaxBytes`, at least 16 777 216. Kafka: `statestore.uncommitted.max.bytes` (KIP-892).
   */
  readonly uncommittedMaxBytes?: number;
  /**
   * Bytes of unchanged rows kept in memory in front of the state engine, shared by the tasks of the worker. More: fewer reads
   * of LevelDB. Unit bytes · default 33 554 432. No counterpart in Kafka Streams (RocksDB's block cache comes closest).
   */
  readonly stateCacheBytes?: number;
  /**
   * Input kept per partition before fetching pauses. Unit bytes · range ≥ 1 024 · default 524 288.
   * Kafka: `buffered.records.per.partition`, counted in records there.
   */
  readonly bufferedBytesPerPartition?: number;
  /**
   * Input kept over all partitions of the worker before fetching pauses; partitions without any are fetched on, so that no task
   * waits in vain. Unit bytes · range ≥ 65 536 · default 536 870 912. Kafka: `input.buffer.max.bytes` (KIP-770).
   */
  readonly inputBufferMaxBytes?: number;
  /**
   * Outputs that wait in memory to be sent. From half of it on no further records are processed; what one record has beyond
   * it goes to a file in the state directory until it is its turn, and must be sent within `transactionTimeoutMs` under exactly-once.
   * Lower: less memory; records with many outputs use the disk sooner.
   * Unit bytes · range ≥ 1 048 576 · default 67 108 864. Kafka: `buffer.memory` (32 MiB there; the sender waits).
   */
  readonly outputBufferMaxBytes?: number;
  /**
   * One budget for what the settings above bound, divided equally among those of `uncommittedMaxBytes`, `stateCacheBytes`,
   * `inputBufferMaxBytes` and `outputBufferMaxBytes` that are not given, each of which needs 1 MiB. What the program itself holds,
   * and the state engine, come on top. With threads it is the budget of all of them.
   * Unit bytes · range ≥ 16 777 216, or 0 (default): each has its own default. No counterpart in Kafka Streams.
   */
  readonly memoryBudgetBytes?: number;
  /**
   * How long a task waits for records of an empty partition before it goes on with the others. 0: only while the broker is
   * known to hold more, or might. −1: never. Higher: better order between inputs, more latency when one is idle.
   * Unit ms · default 0. Kafka: `max.task.idle.ms`.
   */
  readonly maxTaskIdleMs?: number;
  /** Longest sleep of an idle worker. Unit ms · range 1–60 000 · default 100. Kafka: `poll.ms`. */
  readonly pollMs?: number;
  /**
   * A worker that is silent for this long loses its tasks. Lower: a killed worker is replaced sooner; a long pause of the event
   * loop costs the membership. Unit ms · the broker's own limits apply (6 000–1 800 000) · default 10 000.
   * Kafka: `session.timeout.ms` (45 000 there).
   */
  readonly sessionTimeoutMs?: number;
  /** Unit ms · range 50–`sessionTimeoutMs`/2 · default 500 or a sixth of the session timeout. Kafka: `heartbeat.interval.ms`. */
  readonly heartbeatIntervalMs?: number;
  /**
   * The event loop that has not turned for this long is reported, with the task that has its turn: by the main thread for a process
   * with threads, else by a small thread of its own, on standard error. Lower: told sooner, also of stops that do no harm.
   * Unit ms · 0: not reported · default 5 000, at most half of the session timeout. No counterpart in Kafka Streams.
   */
  readonly eventLoopStallWarningMs?: number;
  /** How long a rebalance waits for a member. Unit ms · default 60 000. Kafka: `max.poll.interval.ms`. */
  readonly rebalanceTimeoutMs?: number;
  /**
   * The broker aborts a transaction that stays open for longer. Must be ≥ the commit interval.
   * Unit ms · default 10 000. Kafka: `transaction.timeout.ms`.
   */
  readonly transactionTimeoutMs?: number;
  /** Unit ms · range 100–600 000 · default 30 000. Kafka: `request.timeout.ms`. */
  readonly requestTimeoutMs?: number;
  /** Keeps the assignment of this worker over a restart. Kafka: `group.instance.id`. */
  readonly groupInstanceId?: string;
  /** Default `earliest`. Kafka: `auto.offset.reset`. */
  readonly offsetReset?: OffsetReset;
  /**
   * What to do when the group has no committed offset for an input although local state or, under exactly-once, a changelog was
   * written from it: offsets have expired, or the group was deleted. `fail` (default) stops with an error; `reset` reads from
   * `offsetReset` on, so that records count twice in the state, as Kafka Streams does.
   */
  readonly onMissingOffsets?: MissingOffsetsPolicy;
  /**
   * What to do when an input topic was deleted and made again under its name, which its topic id tells: `fail` (default) stops with
   * an error; `reset` waits until it is there, reads it from `offsetReset` on and keeps the state, as Kafka Streams may do when the
   * old position does not exist in the new topic. Never is a position of the former topic used. Brokers before Kafka 2.8 know no
   * topic ids: only a position that does not exist is noticed then.
   */
  readonly onRecreatedInput?: RecreatedInputPolicy;
  /**
   * Whether a changelog that is missing although there is state, or are committed offsets, is made anew and empty: what it held is
   * lost then. Also for a store that is added to a sub-topology which runs already. Default false: stop with an error. Kafka
   * Streams makes it anew without a word.
   */
  readonly allowChangelogRebuild?: boolean;
  /**
   * What to do when the disk has no room for the local state: `wait` (default) until there is, and go on then; or `fail`. Who waits for
   * longer than a second leaves the group meanwhile, so that other workers go on with the tasks. Nothing is lost either way: state is
   * written after the commit, and what is missing comes from the changelog. No counterpart in Kafka Streams.
   */
  readonly onStateDiskFull?: DiskFullPolicy;
  /**
   * Copies of each state that other processes keep warm. One: a task whose worker dies goes on elsewhere without a restore; costs
   * as much disk and as much reading of changelogs again. Range 0–100 · default 0. Kafka: `num.standby.replicas`.
   */
  readonly numStandbyReplicas?: number;
  /**
   * A task may move to a worker whose copy of its state lacks no more than so many records. Higher: tasks move sooner, and pause
   * for longer when they do. Unit records · default 10 000. Kafka: `acceptable.recovery.lag`.
   */
  readonly acceptableRecoveryLag?: number;
  /**
   * States that are warmed up at one time in the whole application before their tasks move. Higher: a new worker gets its share
   * sooner, the changelogs are read by more at a time. Range ≥ 1 · default 2. Kafka: `max.warmup.replicas`.
   */
  readonly maxWarmupReplicas?: number;
  /**
   * The longest time until the group looks again whether tasks can move to where they should be; as a rule workers say so as soon
   * as a state is warm. Unit ms · range ≥ 1 000 · default 600 000. Kafka: `probing.rebalance.interval.ms` (≥ 60 000).
   */
  readonly probingRebalanceIntervalMs?: number;
  /**
   * Where this process runs, in words of your own: `{ zone: 'eu-1a', rack: '7' }`. At most 5 tags, names up to 20 and values up to
   * 30 characters. Default none. Kafka: prefix `client.tag.`.
   */
  readonly clientTags?: Readonly<{ [tag: string]: string }>;
  /**
   * Tags over whose values the copies of a state are spread. Give all workers the same. Default: the names of `clientTags`.
   * Kafka: `rack.aware.assignment.tags`.
   */
  readonly rackAwareAssignmentTags?: readonly string[];
  /**
   * When the workers that own the tasks run a topology that cannot share them with this one's: `wait` (default) without tasks until
   * they are gone, or `refuse` and end with `TOPOLOGY_MISMATCH`. The difference is logged either way. No counterpart in Kafka Streams.
   */
  readonly onTopologyMismatch?: TopologyMismatchPolicy;
  /**
   * Who assigns the tasks: `classic` (default), a worker of the application by Millrace's rules; `streams`, the broker (Kafka ≥ 4.2,
   * KIP-1071), which also makes the internal topics. With `streams` the session timeout, standbys and warm-ups are settings of the
   * group on the broker; a topology cannot change before its group has been deleted; sources cannot be patterns. All workers of an
   * application have the same. Kafka: `group.protocol`.
   */
  readonly groupProtocol?: GroupProtocol;
  /**
   * Where this process can be asked for its state: `host:port` as others reach it, IPv6 in brackets (`[fd00::7]:8080`). The workers of
   * the group learn it together with the tasks that are here, and name it to those who look for a state that they do not have;
   * Millrace itself neither listens nor connects there. All threads of a process have the same. Default: none, nobody is told.
   * Kafka: `application.server`.
   */
  readonly applicationServer?: string;
  /**
   * How long the local state of a task is kept on disk after the task has moved away from this process; until then it may come back
   * and restore only what is missing. Also how often the worker looks. Lower: less disk; more to restore when tasks return.
   * Unit ms · range ≥ 1 000 · default 600 000. Kafka: `state.cleanup.delay.ms`.
   */
  readonly stateCleanupDelayMs?: number;
  /** Replicas of internal topics; −1 (default) takes the broker's default. Kafka: `replication.factor`. */
  readonly replicationFactor?: number;
  /** Overrides for the configuration of internal topics, in Kafka's words. Kafka: prefix `topic.`. */
  readonly topicConfig?: Readonly<{ [name: string]: string }>;
  /** Time a batch waits for more records, at-least-once only. Unit ms · default 5. Kafka: `linger.ms`. */
  readonly lingerMs?: number;
  /** Compression of what is produced. Default `none`. Kafka: `compression.type`. */
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  /**
   * Wall clock between two emissions of expired records of left and outer stream joins. Unit ms · default 1 000.
   * Kafka: `__emit.interval.ms…`.
   */
  readonly emitIntervalMs?: number;
  /** How often consumed records are deleted from repartition topics. Unit ms · default 30 000. Kafka: `repartition.purge.interval.ms`. */
  readonly repartitionPurgeIntervalMs?: number;
  /**
   * How long calls of asynchronous operators may go on when the worker has to give up its tasks (a rebalance, a stop). Then their
   * signals fire, and what was not finished is processed again by the next owner. Higher: fewer calls made twice, but the other
   * workers wait as long with their rebalance. Unit ms · range 0–600 000 · default 2 000. No counterpart in Kafka Streams.
   */
  readonly asyncDrainMs?: number;
  /**
   * How long a promise that user code returns (`process`, a punctuator) may take; after it the worker fails with
   * `PROCESSING_TIMEOUT` and the place of the record. Asynchronous operators have limits of their own. Higher: slower calls are
   * possible, but one that hangs is noticed later.
   * Unit ms · range 100–2 147 483 647 · default 300 000. Kafka: `max.poll.interval.ms` comes closest.
   */
  readonly processingTimeoutMs?: number;
  /**
   * Where the built-in error handlers write the input records that they cannot go on with, as the bytes that they are, with headers
   * that say what failed (`ErrorDecision.deadLetters` says when). The topic has to exist; records that fail are larger there by
   * up to 20 KiB of headers, which its `max.message.bytes` should leave room for. Default none.
   * Kafka: `errors.dead.letter.queue.topic.name` (KIP-1034).
   */
  readonly deadLetterTopic?: string;
  /**
   * How far the timestamp of an input record may be ahead of the wall clock: one from the far future would advance stream time and
   * close all windows. What is further ahead goes to the deserialisation handler, which skips it or stops the worker (default).
   * Allow for clocks that are wrong. Unit ms · range ≥ 1, or 0 (default): without limit. No counterpart in Kafka Streams; brokers
   * have `message.timestamp.after.max.ms`, which does not see what a timestamp extractor returns.
   */
  readonly maxTimestampAheadMs?: number;
  /** Longest wait for a clean stop before the process gives up. Unit ms · default 20 000. */
  readonly shutdownTimeoutMs?: number;
}

/** What a worker does when the group runs another topology: wait without tasks until that version is gone, or end. */
export type TopologyMismatchPolicy = 'wait' | 'refuse';

/** Who assigns the tasks of an application: one of its workers, or the broker. */
export type GroupProtocol = 'classic' | 'streams';

/** Settings with nothing left open. */
export type ResolvedSettings = Required<Omit<StreamsSettings, 'groupInstanceId' | 'applicationServer' | 'deadLetterTopic'>> & {
  readonly groupInstanceId: string | undefined;
  readonly applicationServer: string | undefined;
  readonly deadLetterTopic: string | undefined;
};
