import { CancelledError, CorruptDataError, StreamsError, type Clock, type Random } from '@millrace/core';
import { ErrorCode, type EndTxnResponse } from '@millrace/wire';
import { passesByItself } from '../errors/consequence.ts';
import { isConnectionError, isOutcomeUnknown } from '../errors/transport-error.ts';
import { Backoff, MARKER_BACKOFF } from '../retry/backoff.ts';

const UNCERTAIN_CODES: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_SERVER_ERROR,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.NETWORK_EXCEPTION,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
]);

/**
 * What became of an EndTxn(commit).
 *
 * - `committed`
 * - `refused`: the coordinator says no, in a way that says nothing yet about who is to blame
 * - `unknown`: no answer within the bound, and an attempt may have been executed
 */
export type CommitOutcome =
  | { readonly kind: 'committed'; readonly response: EndTxnResponse; readonly wasUncertain: boolean }
  | { readonly kind: 'refused'; readonly errorCode: number; readonly wasUncertain: boolean }
  | { readonly kind: 'unknown'; readonly error: StreamsError; readonly wasUncertain: boolean };

export interface CommitOutcomeOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Sends the identical EndTxn(commit). */
  readonly send: () => Promise<EndTxnResponse>;
  /** How long to ask. Unit ms. */
  readonly forAtMostMs: number;
  /** The first attempt got lost: from now on only the answer to a repetition can tell. */
  readonly onUncertain: () => void;
}

/**
 * Commits and finds out whether that worked. An attempt without an answer is repeated as it is: the coordinator answers a
 * repetition of what it did with success, and of what it did not do with an error (wire-facts §3).
 *
 * @throws StreamsError that is neither the coordinator's verdict nor a connection failure; CancelledError
 */
export async function settleCommit(options: CommitOutcomeOptions): Promise<CommitOutcome> {
  const { clock, random, signal, send, forAtMostMs, onUncertain } = options;
  const startedAtMs = clock.monotonicMs();
  const connection = new Backoff(clock, random);
  const marker = new Backoff(clock, random, MARKER_BACKOFF);
  let wasUncertain = false;
  for (;;) {
    if (signal.aborted) throw new CancelledError();
    const answer = await attempt(send);
    if ('errorCode' in answer) {
      if (answer.errorCode === ErrorCode.NONE) return { kind: 'committed', response: answer, wasUncertain };
      if (!passesByItself(answer.errorCode) && !isUncertain(answer))
        return { kind: 'refused', errorCode: answer.errorCode, wasUncertain };
    }
    if (isUncertain(answer) && !wasUncertain) {
      wasUncertain = true;
      onUncertain();
    }
    if (clock.monotonicMs() - startedAtMs >= forAtMostMs) {
      return { kind: 'unknown', error: errorOf(answer), wasUncertain };
    }
    const isMarker = 'errorCode' in answer && answer.errorCode === ErrorCode.CONCURRENT_TRANSACTIONS;
    await (isMarker ? marker : connection).wait(signal);
  }
}

type Answer = EndTxnResponse | { readonly error: StreamsError };

async function attempt(send: () => Promise<EndTxnResponse>): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    if (!isConnectionError(error) && !(error instanceof CorruptDataError)) throw error;
    return { error: error as StreamsError };
  }
}

function errorOf(answer: Answer): StreamsError {
  if ('error' in answer) return answer.error;
  return new StreamsError('END_TXN_UNSETTLED', `EndTxn was still answered with error ${answer.errorCode} when its time was up`);
}

/**
 * True when the attempt may have been executed, now or later: no answer, one that cannot be read, or one by a coordinator that
 * could not finish. COORDINATOR_NOT_AVAILABLE is among these: it also answers when the verdict was written, but not yet replicated.
 */
function isUncertain(answer: Answer): boolean {
  if ('error' in answer) return isOutcomeUnknown(answer.error) || answer.error instanceof CorruptDataError;
  return UNCERTAIN_CODES.has(answer.errorCode);
}
