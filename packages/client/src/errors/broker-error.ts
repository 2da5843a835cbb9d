import {
  FatalStreamsError,
  RetriableError,
  TaskMigratedError,
  TransactionAbortedError,
  type ErrorContext,
  type StreamsError,
} from '@millrace/core';
import { errorName } from '@millrace/wire';
import { consequenceOf, type Consequence } from './consequence.ts';

/** What a request was about, for the message. */
export interface RequestContext {
  /** Name of the API, for example `Produce`. */
  readonly api: string;
  /** What it was for, when no topic says so: `group orders-app`, `transactional id orders-app-1`. */
  readonly subject?: string | undefined;
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  readonly offset?: number | undefined;
  /** Text that the broker sent along. */
  readonly brokerMessage?: string | undefined;
  readonly cause?: unknown;
}

type ErrorClass = new (code: string, message: string, context?: ErrorContext) => StreamsError;

const CLASSES: Readonly<Record<Consequence, ErrorClass>> = {
  retry: RetriableError,
  'refresh-metadata': RetriableError,
  'find-coordinator': RetriableError,
  fenced: TaskMigratedError,
  'fenced-by-group': TaskMigratedError,
  abort: TransactionAbortedError,
  refused: FatalStreamsError,
  fatal: FatalStreamsError,
};

/** What to do, for codes where the consequence alone does not say it. */
const WAYS_OUT: Readonly<Record<number, string>> = {
  3: 'create the topic, or check its name',
  10: 'raise max.message.bytes of the topic, or make the record smaller',
  17: 'use 1 to 249 characters of A-Z a-z 0-9 . _ -',
  23: 'give all members of the group the same assignor name; another application may be using this group id',
  26: 'choose a session timeout between the group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers',
  29: 'grant the principal READ, WRITE or DESCRIBE on the topic, whichever this API needs',
  30: 'grant the principal READ on the group',
  31: 'grant the principal the operation on the cluster',
  32: "the record's timestamp is outside of what message.timestamp.before.max.ms and after.max.ms of the topic allow",
  35: 'use a broker of version 2.5 or newer',
  36: 'it exists already',
  50: 'choose a transaction timeout up to transaction.max.timeout.ms of the brokers',
  53: 'grant the principal WRITE and DESCRIBE on the transactional id',
  81: 'raise group.max.size of the brokers',
  82: 'another process runs with the same group instance id: give each its own',
  87: 'the broker does not accept the record as it is, for example without key in a compacted topic',
};

const NEXT: Readonly<Record<Consequence, string>> = {
  retry: 'it passes by itself; retrying',
  'refresh-metadata': 'leadership is moving or the topic is new; retrying with fresh metadata',
  'find-coordinator': 'the coordinator is moving; looking it up again',
  fenced: 'another instance with this transactional id took over; give up the tasks and join again',
  'fenced-by-group': 'the group went on without this member; give up the tasks and join again',
  abort: 'the transaction is aborted; go back to the last commit and go on',
  refused: 'the broker will never accept these records; skip them or fix what produces them',
  fatal: 'the client cannot go on',
};

/** The error for a code that the broker answered: its class says what happens next, its `code` is Kafka's name for it. */
export function brokerError(errorCode: number, context: RequestContext): StreamsError {
  const consequence = consequenceOf(errorCode);
  return new CLASSES[consequence](errorName(errorCode), describe(errorCode, consequence, context), context);
}

/** The same answer as an error of another class, where the caller knows better what happens next. */
export function brokerErrorAs(ErrorClass: ErrorClass, errorCode: number, context: RequestContext): StreamsError {
  return new ErrorClass(errorName(errorCode), describe(errorCode, consequenceOf(errorCode), context), context);
}

function describe(errorCode: number, consequence: Consequence, context: RequestContext): string {
  const subject = context.subject === undefined ? '' : ` for ${context.subject}`;
  const said = context.brokerMessage == null || context.brokerMessage === '' ? '' : ` "${context.brokerMessage}"`;
  return `${context.api}${subject} was answered with ${errorName(errorCode)} (${errorCode})${said}: ${WAYS_OUT[errorCode] ?? NEXT[consequence]}`;
}
