import { assert, CancelledError, FatalStreamsError, type Headers, type StreamsError } from '@millrace/core';
import type { EndTxnResponse } from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import type {
  GroupMetadata,
  OffsetCommit,
  Offsets,
  ProduceFailure,
  TopicHandle,
  TransactionalProducer,
  TransactionalProducerOptions,
} from '../port/kafka-client.ts';
import { FailureLog } from '../produce/failure-log.ts';
import type { PartitionQueue } from '../produce/partition-queue.ts';
import type { ProducerIdentity } from '../produce/producer-identity.ts';
import { settleCommit, type CommitOutcome } from './commit-outcome.ts';
import { CoordinatorSession } from './coordinator-session.ts';
import { EpochAuthority } from './epoch-authority.ts';
import { HeldRecords } from './held-records.ts';
import { OffsetWitness } from './offset-witness.ts';
import { aborted, isFinal, outcomeUnknown } from './transaction-errors.ts';
import { TransactionSequencing } from './transaction-sequencing.ts';
import { resolveTransactionSettings, type TransactionSettings } from './transaction-settings.ts';
import { TransactionStateMachine } from './transaction-state.ts';
import { PRODUCE_V2_MIN } from './transaction-version.ts';

/**
 * Exactly-once v2 (KIP-447): offsets are fenced by the group's generation, records by the producer's epoch.
 *
 * After anything but a clean commit the producer gets a new epoch from InitProducerId, which aborts what is open, before it
 * is used again. So neither a sequence range nor a stray copy of an old request can ever meet a later transaction.
 *
 * Source: Kafka `TransactionManager`; wire-facts §3 and §4.
 */
export class ExactlyOnceProducer implements TransactionalProducer {
  readonly #cluster: Cluster;
  readonly #settings: TransactionSettings;
  readonly #session: CoordinatorSession;
  readonly #epochs: EpochAuthority;
  readonly #sequencing: TransactionSequencing;
  readonly #records: HeldRecords;
  readonly #failures = new FailureLog();
  readonly #machine = new TransactionStateMachine();
  readonly #witness: OffsetWitness;
  #dirty = false;
  /** True while a record may be appended without a further look. */
  #isOpen = false;
  /** Why the open transaction cannot be committed any more. */
  #broken: StreamsError | undefined;
  /** Why the producer cannot be used before the next `init`. */
  #failed: StreamsError | undefined = new FatalStreamsError(
    'NOT_INITIALISED',
    'the transactional producer is used before init(); await that first',
  );
  #recovery: Promise<void> | undefined;

  constructor(cluster: Cluster, offsets: Offsets, options: TransactionalProducerOptions) {
    const settings = resolveTransactionSettings(options);
    this.#cluster = cluster;
    this.#witness = new OffsetWitness(offsets);
    this.#settings = settings;
    this.#session = new CoordinatorSession(cluster, settings);
    this.#epochs = new EpochAuthority(cluster, settings);
    this.#sequencing = new TransactionSequencing({
      addPartitions: (identity, queues) => this.#session.addPartitions(identity, queues),
      onAdmitted: () => this.#records.kick(),
      onFailed: (queue, error) => this.#onBroken(queue, error),
    });
    this.#records = new HeldRecords({
      cluster,
      settings,
      policy: this.#sequencing,
      versionMax: () => (this.#session.isV2 ? PRODUCE_V2_MIN : PRODUCE_V2_MIN - 1),
    });
  }

  get transactionalId(): string {
    return this.#settings.transactionalId;
  }

  get dirty(): boolean {
    return this.#dirty;
  }

  // ---- init ------------------------------------------------------------------------------------------------------------

  async init(signal?: AbortSignal): Promise<void> {
    await this.#recovery?.catch(() => undefined);
    this.#machine.to('initialising');
    this.#dropTransaction();
    this.#witness.forget();
    try {
      const { identity, isV2 } = await this.#epochs.takeOver(signal);
      this.#session.isV2 = isV2;
      this.#begin(identity);
    } catch (error) {
      throw this.#fail(error as StreamsError);
    }
    this.#failed = undefined;
    this.#machine.to('ready');
  }

  #begin(identity: ProducerIdentity): void {
    this.#sequencing.begin(identity, !this.#session.isV2);
    this.#session.sawUnknownOutcome = false;
  }

  #identity(): ProducerIdentity {
    const { identity } = this.#sequencing;
    assert(identity !== undefined, 'a transaction request was made without a producer id');
    return identity;
  }

  // ---- appending -------------------------------------------------------------------------------------------------------

  topic(name: string): Promise<TopicHandle> {
    return this.#records.topics.find(name);
  }

  knownTopic(name: string): TopicHandle | undefined {
    return this.#records.topics.known(name);
  }

  append(
    topic: TopicHandle,
    partition: number,
    timestamp: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
    headers: Headers,
  ): void {
    if (!this.#isOpen) this.#open();
    if (this.#records.append(topic, partition, timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd, headers))
      this.#release();
  }

  #open(): void {
    if (this.#failed !== undefined) throw this.#failed;
    if (this.#broken !== undefined) throw this.#startOver(this.#broken);
    assert(
      this.#machine.is('ready', 'in-transaction', 'recovering'),
      `append in state ${this.#machine.state}: await commit() first`,
    );
    if (this.#machine.is('ready')) this.#machine.to('in-transaction');
    this.#dirty = true;
    this.#isOpen = true;
  }

  /** Too much to hold back: it goes out now, or as soon as there is an epoch to send it with. */
  #release(): void {
    this.#records.release(this.#machine.is('in-transaction'));
  }

  get backPressure(): boolean {
    return this.#records.backPressure;
  }

  get bufferedBytes(): number {
    return this.#records.bufferedBytes;
  }

  async drained(signal?: AbortSignal): Promise<void> {
    await this.#recovery?.catch(() => undefined);
    if (this.backPressure && this.#broken === undefined && this.#failed === undefined) {
      this.#release();
      await this.#records.drained(signal);
    }
  }

  endOffset(topic: string, partition: number): number {
    return this.#records.topics.endOffset(topic, partition);
  }

  takeFailure(): ProduceFailure | undefined {
    return this.#failures.take();
  }

  // ---- commit ----------------------------------------------------------------------------------------------------------

  async commit(group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    await this.#usable();
    if (!this.#dirty && offsets.length === 0) return;
    this.#isOpen = false;
    this.#machine.to('committing');
    try {
      await this.#sendEverything(group, offsets);
    } catch (error) {
      throw await this.#giveUp(error as StreamsError);
    }
    await this.#finish(await this.#end(), group, offsets);
  }

  /** Waits for a recovery, and throws what stands in the way. */
  async #usable(): Promise<void> {
    await this.#recovery;
    if (this.#failed !== undefined) throw this.#failed;
    if (this.#broken !== undefined) throw await this.#giveUp(this.#broken);
  }

  async #sendEverything(group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    const commitOffsets = async (): Promise<void> => {
      if (offsets.length > 0) await this.#session.commitOffsets(this.#identity(), group, offsets);
    };
    if (this.#session.isV2) {
      await Promise.all([this.#produceAll(), commitOffsets()]);
      return;
    }
    // Two requests that change the transaction at the same time would only make each other wait.
    await this.#produceAll();
    await commitOffsets();
  }

  async #produceAll(): Promise<void> {
    if (!this.#dirty) return;
    await this.#records.sendAll();
    if (this.#broken !== undefined) throw this.#broken;
  }

  async #end(): Promise<CommitOutcome> {
    const { clock, random, closing, requests } = this.#cluster;
    const identity = this.#identity();
    try {
      return await settleCommit({
        clock,
        random,
        signal: closing,
        send: () => this.#session.endTransaction(identity),
        forAtMostMs: 2 * this.#settings.transactionTimeoutMs + requests.requestTimeoutMs,
        onUncertain: () => {
          this.#machine.to('settling');
          this.#cluster.logger.warn('the outcome of a commit is unknown; asking again', {
            transactionalId: this.transactionalId,
          });
        },
      });
    } catch (error) {
      throw await this.#giveUp(error as StreamsError);
    }
  }

  async #finish(outcome: CommitOutcome, group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    if (outcome.kind === 'committed') return this.#onCommitted(outcome.response, offsets);
    const error = outcome.kind === 'refused' ? this.#session.errorOf(outcome.errorCode, 'EndTxn') : outcome.error;
    // Without a doubt about an earlier attempt a refusal is a plain no.
    if (!outcome.wasUncertain) throw await this.#giveUp(error);
    await this.#settleByOffsets(outcome, error, group, offsets);
  }

  /** Settles an unknown outcome: a new epoch ends the transaction either way, then the group's offsets tell which way. */
  async #settleByOffsets(
    outcome: CommitOutcome,
    error: StreamsError,
    group: GroupMetadata,
    offsets: readonly OffsetCommit[],
  ): Promise<void> {
    await this.#recover();
    const verdict = await this.#witness.testify(group.groupId, offsets, this.#cluster.closing);
    if (verdict === 'committed') return this.#witness.remember(offsets);
    // A coordinator that had committed would have said so to the repetition.
    if (verdict === 'not-committed' || (verdict === 'inconclusive' && outcome.kind === 'refused'))
      throw aborted(error, this.transactionalId);
    throw this.#fail(outcomeUnknown(error, this.transactionalId));
  }

  async #onCommitted(response: EndTxnResponse, offsets: readonly OffsetCommit[]): Promise<void> {
    this.#witness.remember(offsets);
    this.#dirty = false;
    this.#records.startOver();
    this.#failures.takeForFlush();
    if (this.#session.isV2) {
      const { producerId, producerEpoch } = response;
      this.#begin({ producerId, producerEpoch });
      this.#machine.to('ready');
    } else if (this.#session.sawUnknownOutcome) {
      // A stray copy of an unanswered request would otherwise act on the next transaction, which has the same epoch.
      await this.#recover().catch(() => undefined);
    } else {
      this.#begin(this.#identity());
      this.#machine.to('ready');
    }
  }

  // ---- abort and recovery ----------------------------------------------------------------------------------------------

  async abort(): Promise<void> {
    await this.#recovery;
    if (this.#failed !== undefined) throw this.#failed;
    if (!this.#dirty && this.#broken === undefined) return;
    await this.#recover();
  }

  /** A batch was refused, or partitions could not be added, while the transaction goes on. */
  #onBroken(queue: PartitionQueue | undefined, error: StreamsError): void {
    if (queue !== undefined) this.#failures.record({ topic: queue.topic, partition: queue.partition, error });
    this.#broken ??= error;
    this.#isOpen = false;
    this.#records.drop();
  }

  /** For a caller that cannot wait: recovery goes on behind the error that it gets. */
  #startOver(error: StreamsError): StreamsError {
    if (isFinal(error)) return this.#fail(error);
    this.#recover().catch(() => undefined);
    return aborted(error, this.transactionalId);
  }

  /** Ends the transaction that cannot be committed; returns what to throw. */
  async #giveUp(error: StreamsError): Promise<StreamsError> {
    if (error instanceof CancelledError) return error;
    if (isFinal(error)) return this.#fail(error);
    try {
      await this.#recover();
    } catch (failure) {
      return failure as StreamsError;
    }
    return aborted(error, this.transactionalId);
  }

  #recover(): Promise<void> {
    const current = this.#identity();
    this.#machine.to('recovering');
    this.#dropTransaction();
    const recovery = this.#renewEpoch(current).finally(() => {
      if (this.#recovery === recovery) this.#recovery = undefined;
    });
    this.#recovery = recovery;
    return recovery;
  }

  async #renewEpoch(current: ProducerIdentity): Promise<void> {
    try {
      this.#begin(await this.#epochs.renew(current));
    } catch (error) {
      throw this.#fail(error as StreamsError);
    }
    this.#machine.to(this.#dirty ? 'in-transaction' : 'ready');
    // What was appended meanwhile may be more than is to be held back.
    if (this.#records.exceedsHoldBack) this.#release();
  }

  /** Forgets all that belongs to the open transaction. Until the next epoch nothing can be sent. */
  #dropTransaction(): void {
    this.#sequencing.begin(undefined, false);
    this.#isOpen = false;
    this.#dirty = false;
    this.#broken = undefined;
    this.#records.drop();
  }

  #fail(error: StreamsError): StreamsError {
    this.#dropTransaction();
    this.#failed = error;
    if (!this.#machine.is('closed', 'failed')) this.#machine.to('failed');
    return error;
  }

  async close(): Promise<void> {
    if (this.#machine.is('closed')) return;
    const { identity, touched } = this.#sequencing;
    const isPending = touched && identity !== undefined && this.#dirty && this.#failed === undefined;
    this.#machine.to('closed');
    this.#failed = new CancelledError('the producer is closed');
    this.#isOpen = false;
    this.#records.close();
    try {
      if (isPending) await this.#epochs.release(identity);
    } finally {
      this.#cluster.openParts.delete(this);
    }
  }
}
