/**
 * The error family. A class says what happens next, its `code` says what happened, its fields say where.
 *
 * Switch on `code` across package borders: two copies of a package in one process have two classes, but one code.
 */

/** Where an error happened; every field that is known is filled in. */
export interface ErrorContext {
  readonly taskId?: string | undefined;
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  readonly offset?: number | undefined;
  /** Name of the topology node, or of the broker as `host:port`, that was at work. */
  readonly node?: string | undefined;
  readonly store?: string | undefined;
  readonly cause?: unknown;
}

/**
 * Base of all errors that Millrace throws.
 *
 * The message says what failed, where, and what to do about it.
 */
export class StreamsError extends Error {
  readonly code: string;
  readonly taskId: string | undefined;
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly offset: number | undefined;
  readonly node: string | undefined;
  readonly store: string | undefined;

  constructor(code: string, message: string, context: ErrorContext = {}) {
    super(message + describeContext(context), context.cause === undefined ? undefined : { cause: context.cause });
    this.name = new.target.name;
    this.code = code;
    this.taskId = context.taskId;
    this.topic = context.topic;
    this.partition = context.partition;
    this.offset = context.offset;
    this.node = context.node;
    this.store = context.store;
  }
}

function describeContext(context: ErrorContext): string {
  const parts: string[] = [];
  if (context.taskId !== undefined) parts.push(`task ${context.taskId}`);
  if (context.topic !== undefined) {
    parts.push(context.partition === undefined ? `topic ${context.topic}` : `${context.topic}-${context.partition}`);
  }
  if (context.offset !== undefined) parts.push(`offset ${context.offset}`);
  if (context.node !== undefined) parts.push(`node ${context.node}`);
  if (context.store !== undefined) parts.push(`store ${context.store}`);
  return parts.length === 0 ? '' : ` [${parts.join(', ')}]`;
}

/** The topology cannot be built or planned; thrown before anything runs. Fix the program. */
export class TopologyError extends StreamsError {}

/** One or more settings are wrong; thrown before anything runs. Fix the configuration. */
export class SettingsError extends StreamsError {}

/** The operation failed for a reason that passes by itself (leader moving, broker restarting): wait and retry. */
export class RetriableError extends StreamsError {}

/** Somebody else owns the task now (fenced, new generation): close it without committing, then join the group again. */
export class TaskMigratedError extends StreamsError {}

/** The open transaction can only be aborted; state and positions go back to the last commit, then work goes on. */
export class TransactionAbortedError extends StreamsError {}

/** The local state of a task can no longer be trusted: put it aside and restore it from the changelog. */
export class TaskCorruptedError extends StreamsError {}

/** User code, a serde or a handler failed on a record and the handler said `fail`: the worker stops. */
export class ProcessingError extends StreamsError {}

/** Nothing that the framework can do helps (authorization, unsupported broker, bug): the worker stops. */
export class FatalStreamsError extends StreamsError {}

/** The wait was cancelled because its owner is closing. */
export class CancelledError extends StreamsError {
  constructor(message = 'cancelled') {
    super('CANCELLED', message);
  }
}

/** Bytes from outside (a broker, a topic, a file) are not what the format allows. */
export class CorruptDataError extends StreamsError {}

/** Throws when something that the code itself guarantees is not so: a bug, not an operating condition. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new FatalStreamsError('BUG', `internal invariant broken: ${message}; please report this`);
}
