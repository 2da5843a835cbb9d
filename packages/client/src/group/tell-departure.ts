import type { Cluster } from '../cluster/cluster.ts';
import { cancellable } from '../retry/cancellable.ts';

/** How long a member that leaves waits for an answer. */
export interface DepartureDeadline {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 1_000;

/**
 * Tells the group that a member leaves, so that the others take over at once. Never rejects, and gives up after a second: the
 * group notices by itself when the session ends.
 */
export async function tellDeparture(
  { clock, logger }: Cluster,
  about: { readonly groupId: string; readonly reason: string },
  send: (deadline: DepartureDeadline) => Promise<unknown>,
): Promise<void> {
  const deadline = new AbortController();
  const cancelTimer = clock.setTimer(TIMEOUT_MS, () => deadline.abort());
  try {
    await cancellable(send({ timeoutMs: TIMEOUT_MS, signal: deadline.signal }), deadline.signal);
    logger.debug('left the group', about);
  } catch (error) {
    logger.info('the group was not told of the departure; it will notice', { ...about, error });
  } finally {
    cancelTimer();
  }
}
