import { FatalStreamsError, RetriableError, type StreamsError } from '@millrace/core';

/** The request has certainly not reached the broker: sending it again can not repeat anything. */
export function connectionFailed(node: string, why: string, cause?: unknown): RetriableError {
  return new RetriableError('CONNECTION_FAILED', `not sent: ${why}`, { node, cause });
}

/** The request was handed to the network before the connection ended: the broker may have executed it. */
export function connectionLost(node: string, why: string, cause?: unknown): RetriableError {
  return new RetriableError('CONNECTION_LOST', `the connection ended before the answer came, so the outcome is unknown: ${why}`, {
    node,
    cause,
  });
}

export function requestTimedOut(node: string, apiKey: number, timeoutMs: number): RetriableError {
  return new RetriableError(
    'REQUEST_TIMEOUT',
    `no answer to the request with api key ${apiKey} within ${timeoutMs} ms, so the outcome is unknown`,
    { node },
  );
}

export function authenticationFailed(node: string, why: string, cause?: unknown): FatalStreamsError {
  return new FatalStreamsError('AUTHENTICATION_FAILED', why, { node, cause });
}

export function unsupportedVersion(node: string, why: string): FatalStreamsError {
  return new FatalStreamsError('UNSUPPORTED_VERSION', `${why}; use a broker that offers it (Kafka 2.8 or newer)`, { node });
}

/** The text of whatever was thrown; Node hides the reasons of several failed addresses in an AggregateError. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

/** True for errors that another attempt can not cure. */
export function isFatal(error: unknown): error is StreamsError {
  return error instanceof FatalStreamsError;
}
