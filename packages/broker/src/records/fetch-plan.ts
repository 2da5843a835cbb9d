import { ErrorCode, type FetchRequest, type IsolationLevel, type fetch, type ResponseInput } from '@millrace/wire';
import type { PartitionLog } from '../log/partition-log.ts';
import { readableBytes, readLog } from '../log/read-log.ts';
import type { LedLogs } from '../placement/led-logs.ts';
import { Refusal, refusalOf } from '../refusal.ts';
import { checkLeaderEpoch } from './leader-epoch.ts';

type AskedTopic = FetchRequest['topics'][number];
type AskedPartition = AskedTopic['partitions'][number];
type Responses = ResponseInput<typeof fetch>['responses'];
type PartitionResponse = Responses[number]['partitions'][number];

const NOTHING = Buffer.alloc(0);

/** What a Fetch asks for, read as often as it takes until there is enough. */
export class FetchPlan {
  readonly #request: FetchRequest;
  readonly #logs: LedLogs;
  readonly #nodeId: number;
  readonly #isolation: IsolationLevel;
  readonly #byId: boolean;

  /** @param byId whether topics are named by their ids, as from version 13 on */
  constructor(request: FetchRequest, logs: LedLogs, nodeId: number, byId: boolean) {
    this.#request = request;
    this.#logs = logs;
    this.#nodeId = nodeId;
    this.#byId = byId;
    this.#isolation = request.isolationLevel === 1 ? 'read_committed' : 'read_uncommitted';
  }

  /** The logs that are there, to be watched. */
  logs(): PartitionLog[] {
    return this.#request.topics.flatMap((asked) =>
      asked.partitions.flatMap(({ partition }) => this.#log(asked, partition) ?? []),
    );
  }

  /** Whether an answer makes sense now: enough bytes, or something that waiting does not change. */
  isSatisfied(): boolean {
    let bytes = 0;
    for (const topic of this.#request.topics) {
      for (const asked of topic.partitions) {
        bytes += this.#bytesOf(topic, asked);
        if (bytes >= this.#request.minBytes) return true;
      }
    }
    // A request for no partitions at all has nothing to wait for.
    return this.#request.topics.length === 0;
  }

  /** Looked up again while the request waits: a topic with another id may have taken the name in the meantime. */
  #nameOf({ topic, topicId }: AskedTopic): string | undefined {
    return this.#byId ? this.#logs.topicWithId(topicId) : topic;
  }

  #log(asked: AskedTopic, partition: number): PartitionLog | undefined {
    const topic = this.#nameOf(asked);
    return topic === undefined ? undefined : this.#logs.log(topic, partition, this.#nodeId);
  }

  #logOrThrow(asked: AskedTopic, partition: number): PartitionLog {
    const topic = this.#nameOf(asked);
    if (topic === undefined) throw new Refusal(ErrorCode.UNKNOWN_TOPIC_ID);
    return this.#logs.logOrThrow(topic, partition, this.#nodeId);
  }

  #bytesOf(topic: AskedTopic, asked: AskedPartition): number {
    const log = this.#log(topic, asked.partition);
    if (log === undefined || (asked.currentLeaderEpoch >= 0 && asked.currentLeaderEpoch !== log.leaderEpoch)) {
      return Number.POSITIVE_INFINITY;
    }
    const bytes = readableBytes(log, asked.fetchOffset, this.#isolation);
    return bytes === Number.POSITIVE_INFINITY ? bytes : Math.min(bytes, asked.partitionMaxBytes);
  }

  /** Reads every partition, in the order asked for, as far as the limits allow. */
  read(): Responses {
    let bytesLeft = this.#request.maxBytes;
    let isFirst = true;
    return this.#request.topics.map((topic) => ({
      topic: topic.topic,
      topicId: topic.topicId,
      partitions: topic.partitions.map((asked) => {
        const response = this.#readPartition(topic, asked, bytesLeft, isFirst);
        const length = response.records?.length ?? 0;
        bytesLeft = Math.max(0, bytesLeft - length);
        if (length > 0) isFirst = false;
        return response;
      }),
    }));
  }

  #readPartition(topic: AskedTopic, asked: AskedPartition, bytesLeft: number, atLeastOneBatch: boolean): PartitionResponse {
    const { partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch } = asked;
    try {
      const log = this.#logOrThrow(topic, partition);
      checkLeaderEpoch(log, currentLeaderEpoch);
      const maxBytes = Math.min(partitionMaxBytes, bytesLeft);
      const read = readLog(log, { offset: fetchOffset, maxBytes, isolation: this.#isolation, atLeastOneBatch });
      return {
        partitionIndex: partition,
        errorCode: ErrorCode.NONE,
        highWatermark: log.highWatermark,
        lastStableOffset: log.lastStableOffset,
        logStartOffset: log.logStartOffset,
        abortedTransactions: read.abortedTransactions,
        records: read.records,
      };
    } catch (error) {
      const { errorCode } = refusalOf(error);
      // What is not there at all is answered without asking for the isolation.
      const isUnknown = errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || errorCode === ErrorCode.UNKNOWN_TOPIC_ID;
      const abortedTransactions = isUnknown ? [] : undefined;
      return { partitionIndex: partition, errorCode, highWatermark: -1, abortedTransactions, records: NOTHING };
    }
  }
}
