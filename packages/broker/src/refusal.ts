import { errorName } from '@millrace/wire';

/**
 * A request, or a part of it, that the broker refuses with an error code of the protocol. Thrown by the domain, turned into
 * the response by the handler; never leaves the package.
 */
export class Refusal extends Error {
  readonly errorCode: number;

  constructor(errorCode: number, message: string = errorName(errorCode)) {
    super(message);
    this.name = 'Refusal';
    this.errorCode = errorCode;
  }
}

/** The refusal that was caught; anything else is a bug and thrown on. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  throw error;
}

/** The error code with which an action was refused, 0 when it was not. */
export function errorCodeOf(action: () => void): number {
  try {
    action();
    return 0;
  } catch (error) {
    return refusalOf(error).errorCode;
  }
}
