import type { BrokerAddress, BrokerTarget, Transport } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { silentLogger } from '@millrace/core';
import {
  type Api,
  CommittedBatches,
  decodeResponse,
  encodeRequest,
  fetch,
  type FetchResponse,
  isFlexible,
  listOffsets,
  metadata,
  readControlMarker,
  RecordBatchIterator,
  RecordCursor,
  type RequestInput,
  type ResponseOf,
} from '@millrace/wire';
import type { LogEntry, PartitionLog } from '../evidence/evidence.ts';
import { partitionName } from '../evidence/log-view.ts';

const FETCH_VERSION = 12;
const METADATA_VERSION = 9;
const LIST_OFFSETS_VERSION = 5;
const EARLIEST = -2;
const FETCH_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 10_000;

type FetchedPartition = FetchResponse['responses'][number]['partitions'][number];

/**
 * Reads whole partitions as they lie in the log: aborted records, markers and all, and apart from that what the broker would
 * show to a committed reader. Below every consumer, which would hide what the oracle is looking for.
 */
export class RawLogReader implements AsyncDisposable {
  readonly #transport: Transport;

  /** @param transport default: sockets; the reader closes it with itself */
  constructor(
    brokers: string,
    transport = createSocketTransport({ brokers: brokers.split(','), clientId: 'oracle', logger: silentLogger }),
  ) {
    this.#transport = transport;
  }

  /** Every partition of these topics, by `topic-partition`. Topics that do not exist are left out. */
  async read(topics: readonly string[]): Promise<Map<string, PartitionLog>> {
    const described = await this.#send('any', metadata, METADATA_VERSION, {
      topics: topics.map((name) => ({ name })),
      allowAutoTopicCreation: false,
    });
    this.#transport.updateBrokers(described.brokers.map(({ nodeId, host, port }): BrokerAddress => ({ nodeId, host, port })));
    const logs = new Map<string, PartitionLog>();
    for (const { name, errorCode, partitions } of described.topics) {
      if (errorCode !== 0 || name === undefined) continue;
      for (const { partitionIndex, leaderId } of partitions) {
        const log = await this.#readPartition(leaderId, name, partitionIndex);
        logs.set(partitionName(log), log);
      }
    }
    return logs;
  }

  async #readPartition(leader: number, topic: string, partition: number): Promise<PartitionLog> {
    const start = await this.#startOffset(leader, topic, partition);
    const entries: LogEntry[] = [];
    const bounds = await this.#readAll(leader, topic, partition, start, 0, ({ records }, from) => {
      const added = entriesIn(records ?? Buffer.alloc(0), from);
      // One by one: a fetch may hold more records than a call takes arguments.
      for (const entry of added.entries) entries.push(entry);
      return added.next;
    });
    const visible = new Set<number>();
    await this.#readAll(leader, topic, partition, start, 1, (fetched, from) => addVisible(fetched, from, visible));
    return { topic, partition, ...bounds, entries, visible };
  }

  async #startOffset(leader: number, topic: string, partition: number): Promise<number> {
    const answer = await this.#send(leader, listOffsets, LIST_OFFSETS_VERSION, {
      isolationLevel: 0,
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: EARLIEST }] }],
    });
    return answer.topics[0]?.partitions[0]?.offset ?? 0;
  }

  /** Fetches until the end; `take` says where to go on. */
  async #readAll(
    leader: number,
    topic: string,
    partition: number,
    start: number,
    isolationLevel: 0 | 1,
    take: (fetched: FetchedPartition, from: number) => number,
  ): Promise<Pick<PartitionLog, 'logStartOffset' | 'highWatermark' | 'lastStableOffset'>> {
    for (let from = start; ; ) {
      const one = { partition, fetchOffset: from, partitionMaxBytes: FETCH_BYTES };
      const answer = await this.#send(leader, fetch, FETCH_VERSION, {
        maxWaitMs: 0,
        minBytes: 0,
        isolationLevel,
        topics: [{ topic, partitions: [one] }],
      });
      const fetched = answer.responses[0]?.partitions[0];
      if (fetched === undefined || fetched.errorCode !== 0)
        throw new Error(`${topic}-${partition} cannot be read: error ${fetched?.errorCode ?? answer.errorCode}`);
      const { highWatermark, lastStableOffset, logStartOffset } = fetched;
      const next = take(fetched, from);
      if (next <= from || next >= (isolationLevel === 0 ? highWatermark : lastStableOffset))
        return { logStartOffset, highWatermark, lastStableOffset };
      from = next;
    }
  }

  async #send<A extends Api>(broker: BrokerTarget, api: A, apiVersion: number, request: RequestInput<A>): Promise<ResponseOf<A>> {
    const body = encodeRequest(api, apiVersion, request);
    const flexible = isFlexible(api, apiVersion);
    const options = { apiKey: api.key, apiVersion, body, flexible, lane: 'admin', timeoutMs: TIMEOUT_MS } as const;
    return decodeResponse(api, apiVersion, await this.#transport.send(broker, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport.close();
  }
}

function entriesIn(records: Buffer, from: number): { readonly entries: LogEntry[]; readonly next: number } {
  const iterator = new RecordBatchIterator();
  const cursor = new RecordCursor();
  const entries: LogEntry[] = [];
  let next = from;
  iterator.open(records);
  while (iterator.next()) {
    const { header } = iterator;
    next = header.lastOffset + 1;
    if (next <= from) continue;
    const { producerId, producerEpoch, isTransactional } = header;
    const common = { producerId, producerEpoch, isTransactional };
    if (header.isControl) {
      const kind = readControlMarker(records, header);
      const nothing = { timestamp: header.maxTimestamp, key: undefined, value: undefined, headers: {} };
      if (kind === 'commit' || kind === 'abort') entries.push({ offset: header.baseOffset, kind, ...common, ...nothing });
      continue;
    }
    for (cursor.open(records, header, from); cursor.next(); ) entries.push({ kind: 'record', ...common, ...recordAt(cursor) });
  }
  return { entries, next };
}

function recordAt(cursor: RecordCursor): Pick<LogEntry, 'offset' | 'timestamp' | 'key' | 'value' | 'headers'> {
  const { offset, timestamp, buffer, keyStart, keyEnd, valueStart, valueEnd } = cursor;
  const headers: Record<string, string> = {};
  for (const { key, value } of cursor.headers()) headers[key] = value === undefined ? '' : Buffer.from(value).toString('latin1');
  return {
    offset,
    timestamp,
    key: keyStart < 0 ? undefined : buffer.toString('latin1', keyStart, keyEnd),
    value: valueStart < 0 ? undefined : buffer.toString('latin1', valueStart, valueEnd),
    headers,
  };
}

/** @returns where to fetch next */
function addVisible(fetched: FetchedPartition, fetchOffset: number, visible: Set<number>): number {
  const records = fetched.records ?? Buffer.alloc(0);
  const { abortedTransactions } = fetched;
  const batches = new CommittedBatches();
  const cursor = new RecordCursor();
  batches.open({ records, fetchOffset, isolationLevel: 'read_committed', abortedTransactions });
  while (batches.next()) for (cursor.open(records, batches.header, fetchOffset); cursor.next(); ) visible.add(cursor.offset);
  return batches.nextPosition;
}
