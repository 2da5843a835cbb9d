import { ProcessingError } from '@millrace/core';
import type { ErrorHandlerContext } from './error-handler-context.ts';

/**
 * Asks a handler. What the handler itself throws is fatal, and must not look like an error of the node above.
 *
 * @param error what the handler is asked about: the cause of the error that is thrown when the handler fails
 */
export function consultHandler<D>(kind: string, context: ErrorHandlerContext, error: unknown, ask: () => D): D {
  try {
    return ask();
  } catch (failure) {
    const { taskId, topic, partition, offset, node } = context;
    const where = topic === undefined ? {} : { topic, partition, offset };
    const reason = failure instanceof Error ? failure.message : String(failure);
    throw new ProcessingError(
      'ERROR_HANDLER_FAILED',
      `the ${kind} error handler failed itself: ${reason}; make it return a decision`,
      {
        taskId,
        ...where,
        node,
        cause: error,
      },
    );
  }
}
