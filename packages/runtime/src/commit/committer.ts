import type { BatchAppender, GroupMetadata, OffsetCommit } from '@millrace/client';

/**
 * How a worker makes progress durable: one implementation per guarantee, chosen once at the start.
 *
 * The order around it is the worker's (ARCHITECTURE.md, "The way of a commit"): tasks have put their changelog records and
 * outputs into `appender` before `commit` is called, and write their local batches after it resolved.
 */
export interface Committer {
  /** Where the tasks of the worker append outputs and changelog records. */
  readonly appender: BatchAppender;
  /** Makes ready: under exactly-once this fences what an earlier incarnation left behind. */
  start(signal: AbortSignal): Promise<void>;
  /**
   * Makes everything appended so far and these offsets durable.
   *
   * @throws TransactionAbortedError nothing of it counts: roll back to the last commit and go on
   * @throws TaskMigratedError the tasks belong to somebody else by now
   */
  commit(group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void>;
  /** Gives up what was appended since the last commit, as far as the guarantee allows. */
  rollback(): Promise<void>;
  /** After a TaskMigratedError: ready for new tasks. */
  restart(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** A committer that need not wait for what it can never send. */
export interface AbandonableCommitter extends Committer {
  /** Ends without sending what has not been sent. */
  abandon(): Promise<void>;
}
