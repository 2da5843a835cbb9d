import type { Ledger } from '../ledger/ledger.ts';

/**
 * One thing in a partition, as it lies in the log: nothing is hidden, neither aborted records nor markers.
 *
 * Keys and values are the bytes as latin1 text, so that evidence can be compared, cloned and stored as it is.
 */
export interface LogEntry {
  readonly offset: number;
  readonly kind: 'record' | 'commit' | 'abort';
  /** −1 when the producer is not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly isTransactional: boolean;
  readonly timestamp: number;
  readonly key: string | undefined;
  readonly value: string | undefined;
  /** Last value of each header. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A whole partition after the run, read with both isolation levels. */
export interface PartitionLog {
  readonly topic: string;
  readonly partition: number;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly entries: readonly LogEntry[];
  /** Offsets of the records that the broker lets a read_committed consumer see. */
  readonly visible: ReadonlySet<number>;
}

/** What a read_committed consumer saw while the faults happened. */
export interface LiveRecord {
  readonly offset: number;
  readonly key: string | undefined;
  readonly value: string | undefined;
}

/** What a task had of one store: what its directory held, or what it said when it was asked. */
export interface StoreDump {
  readonly taskId: string;
  readonly store: string;
  /** Whose directory it was, or who was asked. */
  readonly worker: string;
  /**
   * `kill`: a copy made when its process had been killed; `end`: after everything had stopped. `query`: the answer to a query for all rows,
   * at any time while the application ran; `last-query`: the same when everything was drained and nobody had been told to stop yet.
   */
  readonly moment: 'kill' | 'end' | 'query' | 'last-query';
  /**
   * True for the worker that had the task last: its copy has to be complete. Of several, the copy that goes furthest. Of a `last-query`:
   * true for a worker that had the task when it was asked, and went on having it until all were told to stop.
   */
  readonly isOwner: boolean;
  /** The next changelog offset that the store would restore from. Always absent for queries, whose answers do not say it. */
  readonly changelogOffset: number | undefined;
  readonly rows: ReadonlyMap<string, string>;
}

/** Bounds of a repartition partition and the progress of its reader at one moment. */
export interface PurgeSample {
  readonly topic: string;
  readonly partition: number;
  readonly logStartOffset: number;
  /** −1 when nothing was committed. */
  readonly committedOffset: number;
}

export interface ResourceSample {
  readonly atMs: number;
  readonly rssBytes: number;
  readonly fileDescriptors: number;
}

/** One process from its start to its end. */
export interface WorkerEvidence {
  readonly name: string;
  /** How it had to end: `clean` with 0, `failed` with 1 and an error, `killed` by the test. */
  readonly expectedEnd: 'clean' | 'failed' | 'killed';
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** From the report that the application has ended to the end of the process. */
  readonly lingeredMs: number;
  /** Resources that were still in use after the application had closed. */
  readonly leftOpen: readonly string[];
  /** Rejections that nobody handled, and exceptions that nobody caught. */
  readonly unhandled: readonly string[];
  readonly samples: readonly ResourceSample[];
  /** Records that its metrics count as dropped. */
  readonly droppedRecords: number;
}

/** A record that was left out, and where that was said. */
export interface AnnouncedSkip {
  readonly partition: number;
  readonly offset: number;
  readonly by: 'log' | 'dead-letter';
}

export interface Recovery {
  /** From the end of the last fault to the moment when everything was committed. */
  readonly drainedAfterMs: number;
  readonly drainLimitMs: number;
  /** Rebalances of a single worker after the last fault: the most that any had. */
  readonly rebalancesAfter: number;
  /** Tasks that nobody had in the end. */
  readonly unassignedTasks: readonly string[];
}

/** Everything that is known about a run. Plain data: no broker is needed to judge it. */
export interface Evidence {
  readonly ledger: Ledger;
  /** By `topic-partition`: inputs, outputs, changelogs and repartition topics, each partition that has to be there. */
  readonly logs: ReadonlyMap<string, PartitionLog>;
  /** The group's next offset by `topic-partition`. */
  readonly committedOffsets: ReadonlyMap<string, number>;
  readonly groupMembers: number;
  readonly stores: readonly StoreDump[];
  /** Tasks whose owners were asked for all their stores in the end: an answer that is missing was not given. */
  readonly askedTasks: ReadonlySet<string>;
  /** By `topic-partition`; topics that nobody watched are not there. */
  readonly live: ReadonlyMap<string, readonly LiveRecord[]>;
  readonly purges: readonly PurgeSample[];
  readonly workers: readonly WorkerEvidence[];
  readonly skips: readonly AnnouncedSkip[];
  readonly recovery: Recovery;
}

/** The checks by their numbers in docs/reliability.md. */
export type CheckId = 'V1' | 'V2' | 'V3' | 'V4' | 'V5' | 'V6' | 'V7' | 'V8' | 'V9' | 'V10' | 'V11' | 'V12' | 'V13';

/** Something that must not be. */
export interface Finding {
  readonly check: CheckId;
  readonly where: string;
  readonly message: string;
}

/** Looks for one kind of defect. */
export type Check = (evidence: Evidence) => Finding[];
