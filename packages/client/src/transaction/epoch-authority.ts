import type { StreamsError } from '@millrace/core';
import type { Cluster } from '../cluster/cluster.ts';
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
    return retrying(this.#cluster.retryOptions(signal ?? this.#cluster.closing), async () => {
      const nodeId = await this.#cluster.coordinators.find('transaction', transactionalId, signal);
      const isV2 = usesTransactionsV2(await this.#cluster.requests.features(nodeId));
      return { isV2, identity: await initialiseProducerId(this.#cluster, { ...this.#settings, current: undefined }, signal) };
    });
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
