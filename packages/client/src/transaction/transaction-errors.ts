import { CancelledError, FatalStreamsError, TaskMigratedError, TransactionAbortedError, type StreamsError } from '@millrace/core';
import { isRefusal } from '../errors/consequence.ts';

/** Codes with which the group, not the producer, fences: no new epoch helps against them. */
const FENCED_BY_GROUP: ReadonlySet<string> = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
  'REBALANCE_IN_PROGRESS',
  'MEMBER_ID_REQUIRED',
]);

/** True when a new epoch would not help: the group fences, or the brokers refuse the producer as such. */
export function isFinal(error: StreamsError): boolean {
  if (error instanceof TaskMigratedError) return FENCED_BY_GROUP.has(error.code);
  return error instanceof FatalStreamsError && !isRefusal(error.code);
}

/** The transaction is gone, and a new epoch has been taken. */
export function aborted(cause: StreamsError, transactionalId: string): TransactionAbortedError {
  if (cause instanceof TransactionAbortedError) return cause;
  return new TransactionAbortedError(
    'TRANSACTION_ABORTED',
    `the transaction of ${transactionalId} was aborted, nothing of it is visible (${cause.message}); go back to the last commit and go on`,
    { topic: cause.topic, partition: cause.partition, cause },
  );
}

/** Neither the coordinator nor the offsets tell what became of a commit. */
export function outcomeUnknown(cause: StreamsError, transactionalId: string): TaskMigratedError {
  return new TaskMigratedError(
    'OUTCOME_UNKNOWN',
    `whether the transaction of ${transactionalId} was committed cannot be found out; give up the tasks and join again: ` +
      'the committed offsets and the changelogs agree with each other',
    { cause },
  );
}

/** No new epoch was to be had: somebody else holds the id, or nobody knows; either way the tasks are given up. */
export function unsettled(cause: StreamsError, transactionalId: string): StreamsError {
  if (cause instanceof CancelledError || cause instanceof TaskMigratedError || cause instanceof FatalStreamsError) return cause;
  return new TaskMigratedError(
    'TRANSACTION_UNSETTLED',
    `transactional id ${transactionalId} could not be taken back (${cause.message}); give up the tasks and join again`,
    { cause },
  );
}
