import { systemClock } from '@millrace/core';
import {
  apiVersions,
  decodeResponse,
  encodeRequest,
  type FetchRequest,
  fetch,
  metadata,
  produce,
  RecordBatchBuilder,
} from '@millrace/wire';
import type { BrokerTarget, Lane, Transport, TransportRequest } from '../port/transport.ts';

/** The requests that the contract is tried with. */
type Options = Partial<Pick<TransportRequest, 'lane' | 'timeoutMs' | 'expectResponse'>>;

const patient = { lane: 'data', timeoutMs: 60_000 } as const;

/** Asks for the brokers only: the smallest flexible request that every broker answers. */
export function metadataRequest(options: Options = {}, topics: readonly string[] = []): TransportRequest {
  const body = encodeRequest(metadata, 12, { topics: topics.map((name) => ({ name })), allowAutoTopicCreation: false });
  return { ...patient, ...options, apiKey: metadata.key, apiVersion: 12, flexible: true, body };
}

/** The same in a version that is not flexible. */
export function oldMetadataRequest(options: Options = {}): TransportRequest {
  const body = encodeRequest(metadata, 8, { topics: [], allowAutoTopicCreation: false });
  return { ...patient, ...options, apiKey: metadata.key, apiVersion: 8, flexible: false, body };
}

export function apiVersionsRequest(version: 0 | 3): TransportRequest {
  const body = encodeRequest(
    apiVersions,
    version,
    version === 3 ? { clientSoftwareName: 'contract', clientSoftwareVersion: '1' } : {},
  );
  return { ...patient, apiKey: apiVersions.key, apiVersion: version, flexible: version === 3, body };
}

export function produceRequest(topic: string, records: Buffer, acks: -1 | 0): TransportRequest {
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }];
  const body = encodeRequest(produce, 9, { transactionalId: undefined, acks, timeoutMs: 10_000, topicData });
  return { ...patient, timeoutMs: 30_000, apiKey: produce.key, apiVersion: 9, flexible: true, body, expectResponse: acks !== 0 };
}

export interface FetchOptions {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
}

export function fetchRequest(
  topic: string,
  fetchOffset: number,
  { maxWaitMs, minBytes, maxBytes }: FetchOptions,
): TransportRequest {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: maxBytes }] satisfies Partial<
    FetchRequest['topics'][number]['partitions'][number]
  >[];
  const body = encodeRequest(fetch, 12, { maxWaitMs, minBytes, maxBytes, topics: [{ topic, partitions }] });
  return { lane: 'fetch', timeoutMs: 30_000, apiKey: fetch.key, apiVersion: 12, flexible: true, body };
}

/** A record set with one record. */
export function recordSet(value: Buffer): Buffer {
  const batch = new RecordBatchBuilder(value.length + 1024);
  batch.appendRecord({ timestamp: Math.floor(systemClock.nowMs()), key: undefined, value });
  return batch.finish();
}

/** Sends one request and gives the number of brokers in the answer: proof that the bytes were understood in both directions. */
export async function countBrokers(transport: Transport, broker: BrokerTarget, lane: Lane = 'data'): Promise<number> {
  return decodeResponse(metadata, 12, await transport.send(broker, metadataRequest({ lane }))).brokers.length;
}
