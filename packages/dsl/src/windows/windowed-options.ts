import { TopologyError } from '@millrace/core';

/** When results of windows go downstream: with every update, or once, when nothing can change them any more. */
export type Emit = 'on-window-update' | 'on-window-close';

export interface WindowedOptions {
  /**
   * `'on-window-update'` (default): each update of a window is a change of the table. `'on-window-close'`: one result per
   * window, once stream time has passed its end plus grace, in order of time, then key; nothing is emitted before, and windows
   * without aggregate give no result. Results come while a later record of the task is processed, at most every
   * `emitIntervalMs` of wall clock.
   *
   * Source: Kafka Streams `EmitStrategy` (KIP-825).
   */
  readonly emit?: Emit;
}

/**
 * When results go downstream, as the options say.
 *
 * @throws TopologyError `WINDOW_NEVER_CLOSES`
 */
export function resolveEmit(windows: { readonly kind: string }, { emit = 'on-window-update' }: WindowedOptions): Emit {
  if (emit === 'on-window-close' && windows.kind === 'unlimited') {
    throw new TopologyError(
      'WINDOW_NEVER_CLOSES',
      "an unlimited window never closes, so nothing would ever be emitted; leave out emit: 'on-window-close', or use windows with an end",
    );
  }
  return emit;
}
