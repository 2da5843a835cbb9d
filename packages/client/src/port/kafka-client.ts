import type { Headers, TopicPartition } from '@millrace/core';
import type { RecordBatchHeader } from '@millrace/wire';
import type { Admin } from './admin.ts';
import type { BatchSpill } from './batch-spill.ts';
import type { GroupEndpoint, StreamsGroupMemberOptions } from './streams-group.ts';

/** Everything the runtime wants of Kafka. Implemented by `createKafkaClient` over a {@link Transport}. */
export interface KafkaClient {
  readonly admin: Admin;
  readonly offsets: Offsets;
  createGroupMember(options: GroupMemberOptions): GroupMember;
  /** A member of a group whose tasks the broker assigns (KIP-1071, Kafka ≥ 4.2). */
  createStreamsGroupMember(options: StreamsGroupMemberOptions): GroupMember;
  createFetcher(options?: FetcherOptions): Fetcher;
  createProducer(options?: ProducerOptions): Producer;
  createTransactionalProducer(options: TransactionalProducerOptions): TransactionalProducer;
  /** Closes everything it made and the transport. Idempotent. */
  close(): Promise<void>;
}

// ---- group membership ------------------------------------------------------------------------------------------------

export interface GroupMemberOptions {
  readonly groupId: string;
  /** `group.instance.id`: keeps its assignment over a restart. */
  readonly groupInstanceId?: string;
  /** Range: what the broker allows (default 6 s – 30 min); default 45 000 ms. */
  readonly sessionTimeoutMs?: number;
  /** How long the others wait for this member in a rebalance. Default 300 000 ms. */
  readonly rebalanceTimeoutMs?: number;
  /** Default: a third of the session timeout, at most 500 ms, so that others' rebalances are noticed at once. */
  readonly heartbeatIntervalMs?: number;
  readonly assignor: Assignor;
}

/** A member as the leader sees it. */
export interface MemberSubscription {
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
  readonly topics: readonly string[];
  readonly ownedPartitions: readonly TopicPartition[];
  readonly userData: Buffer | undefined;
  /** The generation that it was in when it joined; −1 when it was in none: what it says it owns may belong to others by now. */
  readonly generationId: number;
}

/** What the leader gives to a member. */
export interface MemberAssignment {
  readonly partitions: readonly TopicPartition[];
  readonly userData: Buffer | undefined;
}

/** What a join brings. */
export interface JoinedGroup extends MemberAssignment {
  /** False when the member was out of the group since its last assignment: others may have worked on what it had. */
  readonly isUnbroken: boolean;
}

/** Decides who gets what. The leader's copy is asked; every member's copy supplies the subscription. */
export interface Assignor {
  /** Protocol name; members with different names cannot form a group. */
  readonly name: string;
  /** Called for each JoinGroup. */
  subscription(): {
    readonly topics: readonly string[];
    readonly ownedPartitions: readonly TopicPartition[];
    readonly userData: Buffer | undefined;
  };
  /** Called on the leader only. May wait (to create internal topics). A rejection makes the leader leave and join again. */
  assign(members: readonly MemberSubscription[]): Promise<ReadonlyMap<string, MemberAssignment>>;
}

/** Names a member in commits: the broker refuses what comes from an older generation or another member. */
export interface GroupMetadata {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
}

/**
 * Membership in a classic consumer group, at the runtime's own pace: it never calls back into the runtime except through
 * the assignor. Heartbeats go by timer and do not depend on who polls.
 */
export interface GroupMember {
  /** Undefined before the first join and after `leave`. */
  readonly metadata: GroupMetadata | undefined;
  /**
   * `stable`: go on. `rejoin-needed`: the group rebalances; finish and commit what is in hand, then call `join`.
   * `lost`: the membership is gone (session expired, fenced): nothing can be committed any more; drop the work, then `join`.
   * `failed`: `error` says why (authorization, fenced instance id): stop.
   */
  readonly state: 'unjoined' | 'stable' | 'rejoin-needed' | 'lost' | 'failed';
  readonly error: Error | undefined;
  /**
   * Where the members of the group can be asked, as the broker says it with its newest answer; it may change without a rebalance.
   * The same array as long as nothing changes, kept when the membership is lost. Absent where the broker does not know it (classic groups).
   */
  readonly endpoints?: readonly GroupEndpoint[];
  /** Resolves as soon as `state` is not `stable`; so that a waiting loop wakes up. */
  changed(): Promise<void>;
  /**
   * Joins (again) and waits for the assignment, which takes as long as the slowest member. Work may go on meanwhile, but
   * nothing can be committed before the assignment is there. When the membership is lost in between, `state` says so.
   * Retries what passes by itself until the signal aborts.
   * @throws FatalStreamsError when it cannot join at all; CancelledError
   */
  join(signal?: AbortSignal): Promise<JoinedGroup>;
  /** Asks for a rebalance at the next opportunity (`state` becomes `rejoin-needed`). */
  requestRejoin(reason: string): void;
  /** Leaves the group so that the others take over at once. Never rejects; gives up after a second. */
  leave(reason: string): Promise<void>;
  /** Stops heartbeats without leaving (a static member that restarts). */
  close(): Promise<void>;
}

// ---- fetching ----------------------------------------------------------------------------------------------------------

export interface FetcherOptions {
  /** Default `read_committed`. */
  readonly isolation?: 'read_committed' | 'read_uncommitted';
  /** Lane of its requests. Default `fetch`. */
  readonly lane?: 'fetch' | 'restore' | 'global';
  /** The broker answers after this time even if nothing came. Default 100 ms. */
  readonly maxWaitMs?: number;
  /** Default 1. */
  readonly minBytes?: number;
  /** Per partition and request. Default 1 MiB. */
  readonly partitionMaxBytes?: number;
  /** Per request. Default 16 MiB. */
  readonly maxBytes?: number;
  /** Fetched bytes not yet taken, over all partitions; no more is asked for beyond it. Default 32 MiB. */
  readonly maxBufferedBytes?: number;
  /** Bound of one decompressed batch. Default 64 MiB. */
  readonly maxDecompressedBytes?: number;
}

/** One data batch that may be read: complete, CRC checked, not aborted, uncompressed. */
export interface FetchedBatch {
  /** Holds the records from `recordsStart` to `recordsEnd`. */
  readonly buffer: Buffer;
  readonly recordsStart: number;
  readonly recordsEnd: number;
  readonly header: RecordBatchHeader;
}

/** What arrived for one partition. */
export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  /** Records below it in the first batch are to be skipped. */
  readonly fetchOffset: number;
  /** Visible batches in offset order; may be empty while the position still advances. */
  readonly batches: readonly FetchedBatch[];
  /** The next offset to read, beyond everything in this response (control, aborted and empty batches included). */
  readonly nextOffset: number;
  /** True when offsets are missing between `fetchOffset` and `nextOffset`: compaction has removed records. */
  readonly hasGaps: boolean;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly byteLength: number;
}

/** A partition that cannot be fetched any more until somebody does something about it. */
export interface FetchFailure {
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly reason: 'offset-out-of-range' | 'corrupt' | 'unauthorized' | 'unknown-topic' | 'topic-recreated';
  readonly error: Error;
}

/**
 * Reads assigned partitions in the background into a bounded buffer. Each partition is independent: a slow or paused one
 * never holds up another.
 */
export interface Fetcher {
  /**
   * Adds a partition that is to be read from `offset`.
   *
   * @param topicId the topic to which the offset belongs: of another one of the same name nothing is read, it is reported as
   * `topic-recreated`. Without it the name decides.
   */
  assign(topic: string, partition: number, offset: number, topicId?: string): void;
  /** Removes it and what is buffered of it. */
  unassign(topic: string, partition: number): void;
  /**
   * Continues from another offset; what is buffered is dropped.
   *
   * @param topicId as for `assign`; without it the one that was given before stays
   */
  seek(topic: string, partition: number, offset: number, topicId?: string): void;
  pause(topic: string, partition: number): void;
  resume(topic: string, partition: number): void;
  /** Offset after the last one handed out by `take`. */
  position(topic: string, partition: number): number;
  /** Bounds of the partition by its last response; undefined before the first since `assign`/`seek`, and after a failed request. */
  bounds(
    topic: string,
    partition: number,
  ): { readonly highWatermark: number; readonly lastStableOffset: number; readonly logStartOffset: number } | undefined;
  /** True when something can be taken. */
  readonly available: boolean;
  /** Resolves when something is available, or after `timeoutMs`, or on abort (without rejecting). */
  wait(timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /** Hands out what has arrived, oldest first, one entry per response and partition; undefined when there is nothing. */
  take(): FetchedPartition | undefined;
  /** Partitions that failed since the last call. They stay assigned but silent until `seek` or `unassign`. */
  takeFailures(): FetchFailure[];
  close(): Promise<void>;
}

// ---- producing ---------------------------------------------------------------------------------------------------------

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export interface ProducerOptions {
  /** Time that a batch waits for more records. Default 5 ms. */
  readonly lingerMs?: number;
  /** A batch is closed at this size. Default 128 KiB. */
  readonly batchBytes?: number;
  /** Bound of all unsent and unacknowledged bytes; `append` still takes more, `backPressure` says so. Default 32 MiB. */
  readonly bufferBytes?: number;
  /**
   * Where complete batches go when more than `memoryBytes` wait, as the outputs of one record can: nothing is sent while it is
   * processed. The producer closes it with itself. Default none: everything stays in memory.
   */
  readonly spill?: BatchSpill;
  /** Most that waits in memory while there is a `spill`. Default twice `bufferBytes`, so that it is for exceptions only. */
  readonly memoryBytes?: number;
  readonly compression?: Compression;
  /** −1 all in-sync replicas (default), 1 leader, 0 none. Idempotence needs −1. */
  readonly acks?: -1 | 0 | 1;
  /** Default true. */
  readonly idempotent?: boolean;
  /** A record that is not acknowledged after this time fails. Default 120 000 ms. */
  readonly deliveryTimeoutMs?: number;
  /** In-flight requests per broker, 1–5. Default 5. */
  readonly maxInFlight?: number;
}

/** A topic whose partition count is known: what a sink holds on to. */
export interface TopicHandle {
  readonly topic: string;
  readonly partitions: number;
}

/** A record (or batch) that the broker refused for good. */
export interface ProduceFailure {
  readonly topic: string;
  readonly partition: number;
  readonly error: Error;
}

/** Appending, common to both producers: synchronous, straight into the open batch, without an object per record. */
export interface BatchAppender {
  /** Looks up the topic. @throws RetriableError / FatalStreamsError `UNKNOWN_TOPIC` */
  topic(name: string): Promise<TopicHandle>;
  /** The handle, if it is known already. */
  knownTopic(name: string): TopicHandle | undefined;
  /**
   * Appends a record. Ranges are copied before it returns. `keyStart`/`valueStart` −1 is null.
   * @throws TransactionAbortedError, TaskMigratedError or FatalStreamsError once the producer has failed
   */
  append(
    topic: TopicHandle,
    partition: number,
    timestamp: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
    headers: Headers,
  ): void;
  /** True while more is buffered than `bufferBytes`, or something is not in memory: stop appending until `flush` or `drained`. */
  readonly backPressure: boolean;
  readonly bufferedBytes: number;
  /** Resolves when `backPressure` is false again. */
  drained(signal?: AbortSignal): Promise<void>;
  /** The offset after the last record that the broker acknowledged for the partition; −1 when there was none. */
  endOffset(topic: string, partition: number): number;
  /** The first record refused for good since the last call, for the production error handler; undefined when none. */
  takeFailure(): ProduceFailure | undefined;
}

/** The producer of at-least-once. */
export interface Producer extends BatchAppender {
  /** Resolves when everything appended so far is acknowledged; rejects with the first failure since the last flush. */
  flush(): Promise<void>;
  /** Flushes, then closes; `abandon` drops what is unsent. */
  close(abandon?: boolean): Promise<void>;
}

export interface TransactionalProducerOptions extends Omit<ProducerOptions, 'acks' | 'idempotent' | 'lingerMs'> {
  readonly transactionalId: string;
  /** After this the broker aborts an open transaction. Default 10 000 ms. */
  readonly transactionTimeoutMs?: number;
  /** Records are held back until the commit, or until this many bytes are waiting. Default 4 MiB. */
  readonly holdBackBytes?: number;
}

/** Offsets that a commit carries. `offset` is the next one to read. */
export interface OffsetCommit {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
}

/**
 * One transaction after another, exactly-once v2. TV2 (KIP-890) when the broker's finalized feature says so.
 *
 * Whatever it throws names what happens next: TransactionAbortedError — nothing of the transaction is visible, `reset` was
 * done, go back to the last commit and go on; TaskMigratedError — fenced, give up the tasks and join again (a new `init` is
 * needed); FatalStreamsError — stop.
 */
export interface TransactionalProducer extends BatchAppender {
  readonly transactionalId: string;
  /** Fences earlier incarnations of the id and finishes what they left open. */
  init(signal?: AbortSignal): Promise<void>;
  /** True when something was appended since the last commit or abort. */
  readonly dirty: boolean;
  /**
   * Sends what is held back, waits for every acknowledgement, adds the offsets to the transaction and commits it.
   * Resolves only when the transaction is committed; an unknown outcome is settled first: the outcome
   * is settled by reading the stable committed offsets of the partitions in `offsets`.
   */
  commit(group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void>;
  /** Aborts the open transaction and drops what is held back. Afterwards the producer is ready again. */
  abort(): Promise<void>;
  close(): Promise<void>;
}

// ---- offsets -----------------------------------------------------------------------------------------------------------

export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  /** −1 when nothing is committed. */
  readonly offset: number;
  readonly metadata: string;
}

export interface Offsets {
  /** Committed offsets, waiting while a transaction that touches them is undecided (requireStable). */
  committed(groupId: string, partitions: readonly TopicPartition[], signal?: AbortSignal): Promise<CommittedOffset[]>;
  /** Plain OffsetCommit of at-least-once. @throws TaskMigratedError when the generation is not current */
  commit(group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void>;
  /** First offsets, high watermarks (`latest`), last stable offsets, or the first ones at or after a time. */
  list(partitions: readonly TopicPartition[], which: OffsetPosition, signal?: AbortSignal): Promise<Map<string, number>>;
}

/**
 * A place in a partition. `atMs`, in ms since 1970: the first record with that timestamp or a later one; −1 when there is none.
 */
export type OffsetPosition = 'earliest' | 'latest' | 'latest-stable' | { readonly atMs: number };
