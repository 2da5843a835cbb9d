import { FatalStreamsError } from '@millrace/core';

/** A worker of the application has failed and its policy is that all workers stop. */
export class ShutdownRequestedError extends FatalStreamsError {
  constructor() {
    super('SHUTDOWN_REQUESTED', 'another worker of the application failed and asked all of them to stop; its own log says why');
  }
}
