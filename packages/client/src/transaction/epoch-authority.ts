import { RetriableError, TaskMigratedError, type StreamsError } from '@millrace/core';
import type { Cluster } from '../cluster/cluster.ts';
import { isOutcomeUnknown } from '../errors/transport-error.ts';
import type { ProducerIdentity } from '../produce/producer-identity.ts';
import { retrying } from '../retry/retrying.ts';
import type { SessionSettings } from './coordinator-session.ts';
import { initialiseProducerId } from './initialise-producer-id.ts';
import { unsettled } from './transaction-errors.ts';
import { usesTransactionsV2 } from './transaction-version.ts';

/** How long to try to get a new epoch before the transaction's fate is left to the next take-over. */
const RENEWAL_BOUND_MS = 300_000;
const RELEASE_BOUND_MS = 1_000;

/** Gets producer ids and epochs for a transactional id: with each new epoch the open transaction ends. */
export class EpochAuthority {
  readonly #cluster: Cluster;
  readonly #settings: SessionSettings;

  constructor(cluster: Cluster, settings: SessionSettings) {
    this.#cluster = cluster;
    this.#settings = settings;
  }

  /** Takes the id over from whoever holds it, and learns whether transactions v2 are in force. */
  takeOver(signal: AbortSignal | undefined): Promise<{ readonly identity: ProducerIdentity; readonly isV2: boolean }> {
    const { transactionalId } = this.#settings;
    let lostOne = false;
    return retrying(this.#cluster.retryOptions(signal ?? this.#cluster.closing), async () => {
      const nodeId = await this.#cluster.coordinators.find('transaction', transactionalId, signal);
      const isV2 = usesTransactionsV2(await this.#cluster.requests.features(nodeId));
      const request = { ...this.#settings, current: undefined };
      const taken = await initialiseProducerId(this.#cluster, request, signal).catch((error: unknown) => {
        lostOne ||= isOutcomeUnknown(error);
        throw error;
      });
      if (!lostOne) return { isV2, identity: taken };
      lostOne = false;
      return { isV2, identity: await this.#confirm(taken, signal) };
    });
  }

  /**
   * A request to take over that was not answered may be executed after the one that was: every such request takes the id, so
   * the answer that came would be of an epoch that is fenced already. To go on from it tells.
   */
  async #confirm(taken: ProducerIdentity, signal: AbortSignal | undefined): Promise<ProducerIdentity> {
    try {
      return await initialiseProducerId(this.#cluster, { ...this.#settings, current: taken }, signal);
    } catch (error) {
      if (!(error instanceof TaskMigratedError)) throw error;
      const { transactionalId } = this.#settings;
      const message = `transactional id ${transactionalId} was taken over by a request of which the answer was lost; taking it again`;
      throw new RetriableError('TAKEN_OVER_BY_ITSELF', message, { cause: error });
    }
  }

  /**
   * The next epoch for the holder of the current one. It succeeds when the transaction failed or timed out, and fails when
   * another incarnation took over: that is how the two are told apart.
   *
   * @throws TaskMigratedError when somebody else holds the id, or nobody answers; FatalStreamsError; CancelledError
   */
  async renew(current: ProducerIdentity): Promise<ProducerIdentity> {
    try {
      return await this.#renewFor(current, RENEWAL_BOUND_MS);
    } catch (error) {
      throw unsettled(error as StreamsError, this.#settings.transactionalId);
    }
  }

  /** Ends the open transaction when nobody will go on with it, so that readers need not wait for its timeout. */
  async release(current: ProducerIdentity): Promise<void> {
    try {
      await this.#renewFor(current, RELEASE_BOUND_MS);
    } catch (error) {
      const { transactionalId } = this.#settings;
      this.#cluster.logger.debug('the open transaction is left to its timeout', { transactionalId, error });
    }
  }

  #renewFor(current: ProducerIdentity, forAtMostMs: number): Promise<ProducerIdentity> {
    const request = { ...this.#settings, current };
    return retrying({ ...this.#cluster.retryOptions(), forAtMostMs }, () => initialiseProducerId(this.#cluster, request));
  }
}
