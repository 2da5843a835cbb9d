import type { Cancel, Clock } from '@millrace/core';
import { ErrorCode, produce, type ProduceRequest, type ResponseInput } from '@millrace/wire';
import { checkIsOneBatch } from '../log/batch-checks.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { RecordsRefusal } from '../log/record-checks.ts';
import type { LedLogs } from '../placement/led-logs.ts';
import { Refusal, refusalOf } from '../refusal.ts';
import { type Call, deferring, type Handler, type Reply } from '../server/handler.ts';
import { isInternalTopic } from '../topics/topic-name.ts';
import { isTransactional, transactionOf } from './batch-transaction.ts';
import type { ProduceGate } from './produce-gate.ts';

type PartitionResult = ResponseInput<typeof produce>['responses'][number]['partitionResponses'][number];

/** Versions from here on add the partition to the transaction; then the broker itself waits for the one before to end. */
const IMPLICIT_ADD_VERSION = 12;
const ADD_RETRY_MS = 20;
const ADD_RETRY_MS_MAX = 100;
/** A log that refuses a batch for another reason than these says where it starts. */
const hidesLogStart: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
]);

export interface ProduceOptions {
  readonly logs: LedLogs;
  readonly gate: ProduceGate;
  readonly clock: Clock;
  readonly versionMax: number;
}

/** Produce: each partition by itself. Kafka checks with the coordinator before it lets a transaction begin in a partition. */
export function produceHandler(options: ProduceOptions): Handler {
  return deferring(produce, (request, call, reply) => new ProduceAttempt(options, request, call, reply).start(), {
    // Announced from 0 on, as Kafka does for the sake of old libraries; 0 to 2 are refused.
    min: 0,
    max: options.versionMax,
  });
}

/** One request until all its partitions are settled. */
class ProduceAttempt {
  readonly #options: ProduceOptions;
  readonly #request: ProduceRequest;
  readonly #call: Call;
  readonly #reply: Reply<typeof produce>;
  readonly #results = new Map<string, PartitionResult>();
  readonly #startedMs: number;
  #cancel: Cancel | undefined;

  constructor(options: ProduceOptions, request: ProduceRequest, call: Call, reply: Reply<typeof produce>) {
    this.#options = options;
    this.#request = request;
    this.#call = call;
    this.#reply = reply;
    this.#startedMs = options.clock.monotonicMs();
  }

  start(): void {
    this.#call.onDisconnect(() => this.#cancel?.());
    this.#attempt();
  }

  #attempt(): void {
    let mustWait = false;
    for (const { name, partitionData } of this.#request.topicData) {
      for (const { index, records } of partitionData) {
        const key = `${name}-${index}`;
        if (this.#results.has(key)) continue;
        const result = this.#append(name, index, records);
        if (result.errorCode === ErrorCode.CONCURRENT_TRANSACTIONS && this.#mayWait()) mustWait = true;
        else this.#results.set(key, result);
      }
    }
    if (mustWait) this.#cancel = this.#options.clock.setTimer(ADD_RETRY_MS, () => this.#attempt());
    else this.#finish();
  }

  #mayWait(): boolean {
    const waitedMs = this.#options.clock.monotonicMs() - this.#startedMs;
    return this.#call.apiVersion >= IMPLICIT_ADD_VERSION && waitedMs < ADD_RETRY_MS_MAX;
  }

  #append(topic: string, index: number, records: Buffer | undefined): PartitionResult {
    let reached: PartitionLog | undefined;
    try {
      this.#checkTransactionalId();
      if (isInternalTopic(topic)) throw new Refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, `${topic} is internal`);
      const log = this.#options.logs.logOrThrow(topic, index, this.#call.nodeId);
      checkIsOneBatch(records);
      const transaction = transactionOf(records);
      if (transaction !== undefined) {
        const { transactionalId } = this.#request;
        const { apiVersion } = this.#call;
        log.producers.announced(transaction, apiVersion >= IMPLICIT_ADD_VERSION);
        this.#options.gate.admit({ ...transaction, transactionalId, topic, partition: index, log, apiVersion });
      }
      this.#checkAcks();
      reached = log;
      const { baseOffset, logAppendTimeMs } = log.appendProduced(records);
      return { index, errorCode: ErrorCode.NONE, baseOffset, logAppendTimeMs, logStartOffset: log.logStartOffset };
    } catch (error) {
      const refusal = refusalOf(error);
      const { errorCode, message } = refusal;
      const recordErrors = refusal instanceof RecordsRefusal ? refusal.recordErrors : [];
      const logStartOffset = reached === undefined || hidesLogStart.has(errorCode) ? -1 : reached.logStartOffset;
      return { index, errorCode, baseOffset: -1, logStartOffset, recordErrors, errorMessage: message };
    }
  }

  /** Kafka refuses the whole request: nobody may write in the name of a transactional id that was not given. */
  #checkTransactionalId(): void {
    const { transactionalId, topicData } = this.#request;
    if (transactionalId !== undefined) return;
    const mustNot = topicData.some(({ partitionData }) => partitionData.some(({ records }) => isTransactional(records)));
    if (mustNot) throw new Refusal(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
  }

  #checkAcks(): void {
    const { acks } = this.#request;
    if (acks < -1 || acks > 1) throw new Refusal(ErrorCode.INVALID_REQUIRED_ACKS);
  }

  #finish(): void {
    const results = this.#results;
    if (this.#request.acks === 0) {
      // There is no response that could tell it.
      if ([...results.values()].some(({ errorCode }) => errorCode !== ErrorCode.NONE)) this.#call.disconnect();
      this.#reply(undefined);
      return;
    }
    this.#reply({
      responses: this.#request.topicData.map(({ name, partitionData }) => ({
        name,
        partitionResponses: partitionData.map(({ index }) => results.get(`${name}-${index}`) as PartitionResult),
      })),
    });
  }
}
