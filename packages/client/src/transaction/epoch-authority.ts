import { FatalStreamsError, RetriableError, TaskMigratedError, type StreamsError } from '@millrace/core';
import { describeTransactions } from '@millrace/wire';
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
  /** Transactions v2 were in force when the id was taken over. */
  #isV2 = false;

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
      this.#isV2 = isV2;
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
    const next = (from: ProducerIdentity) => initialiseProducerId(this.#cluster, { ...this.#settings, current: from });
    return retrying({ ...this.#cluster.retryOptions(), forAtMostMs }, async () => {
      try {
        return await next(current);
      } catch (error) {
        const fencing = error instanceof TaskMigratedError && !this.#isV2 ? await this.#fencingEpoch(current) : undefined;
        if (fencing === undefined) throw error;
        return next(fencing);
      }
    });
  }

  /**
   * The epoch with which the coordinator itself has fenced the current one in order to abort its transaction, because the holder
   * asked for a new epoch or because of the timeout. Before Kafka 4.0 it does not know the holder again afterwards.
   *
   * Whoever takes the id over while a transaction is open gets the epoch after that one, and then nothing is found here. Only a
   * successor that found no open transaction, and has aborted one of its own since, works under this very epoch: it notices, and
   * takes the id over again.
   */
  async #fencingEpoch({ producerId, producerEpoch }: ProducerIdentity): Promise<ProducerIdentity | undefined> {
    const { transactionalId } = this.#settings;
    const to = { kind: 'transaction', key: transactionalId, lane: 'data' } as const;
    try {
      const answer = await this.#cluster.sendToCoordinator(describeTransactions, to, { transactionalIds: [transactionalId] });
      const found = answer.transactionStates[0];
      if (found?.transactionState !== 'CompleteAbort' || found.producerId !== producerId) return undefined;
      return found.producerEpoch === producerEpoch + 1 ? { producerId, producerEpoch: found.producerEpoch } : undefined;
    } catch (error) {
      // Before Kafka 3.0 nobody tells.
      if (error instanceof FatalStreamsError) return undefined;
      throw error;
    }
  }
}
