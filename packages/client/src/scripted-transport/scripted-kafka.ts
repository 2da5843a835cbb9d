import { seededRandom, silentLogger } from '@millrace/core';
import { findCoordinator, initProducerId, metadata, type produce, type ProduceRequest, type ResponseInput } from '@millrace/wire';
import { Cluster } from '../cluster/cluster.ts';
import { ManualClock } from './manual-clock.ts';
import { ScriptedTransport } from './scripted-transport.ts';

export interface ScriptedKafka {
  readonly transport: ScriptedTransport;
  readonly clock: ManualClock;
  readonly cluster: Cluster;
  /** Leaders of the partitions by topic; change it, and the next metadata says so. */
  readonly leaders: Map<string, number[]>;
}

const NODES = [1, 2];

/**
 * A cluster of two scripted brokers that answers what every client asks first. Node 1 coordinates everything, until a test
 * scripts something else.
 */
export function scriptedKafka(topics: Readonly<Record<string, number[]>> = { orders: [1, 1] }): ScriptedKafka {
  const transport = new ScriptedTransport();
  const clock = new ManualClock();
  const leaders = new Map(Object.entries(topics));
  let producers = 100;
  transport
    .on(metadata, ({ topics: asked }) => ({
      brokers: NODES.map((nodeId) => ({ nodeId, host: `broker-${nodeId}`, port: 9092 })),
      controllerId: 1,
      topics: (asked?.map(({ name }) => name ?? '') ?? [...leaders.keys()]).map((name) =>
        describedTopic(name, leaders.get(name)),
      ),
    }))
    .on(findCoordinator, ({ coordinatorKeys }) => ({
      coordinators: coordinatorKeys.map((key) => ({ key, nodeId: 1, host: 'broker-1', port: 9092, errorCode: 0 })),
    }))
    .on(initProducerId, ({ producerId, producerEpoch }) => ({
      errorCode: 0,
      producerId: producerId === -1 ? producers++ : producerId,
      producerEpoch: producerEpoch + 1,
    }));
  const cluster = new Cluster({
    transport,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    metrics: undefined,
    requestTimeoutMs: 30_000,
    metadataMaxAgeMs: 300_000,
  });
  return { transport, clock, cluster, leaders };
}

function describedTopic(name: string, leaders: readonly number[] | undefined) {
  const partitions = (leaders ?? []).map((leaderId, partitionIndex) => ({
    errorCode: 0,
    partitionIndex,
    leaderId,
    replicaNodes: [],
    isrNodes: [],
  }));
  return { name, errorCode: leaders === undefined ? 3 : 0, partitions };
}

/** Answers every batch of a Produce request alike. */
export function produceAnswer(
  request: ProduceRequest,
  errorCode: number,
  baseOffset = errorCode === 0 ? 0 : -1,
): ResponseInput<typeof produce> {
  return {
    responses: request.topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset })),
    })),
  };
}
