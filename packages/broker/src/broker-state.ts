import type { ResolvedComponents } from './broker-components.ts';
import { GroupOffsets } from './groups/group-offsets.ts';
import { GroupRegistry } from './groups/group-registry.ts';
import { OffsetsLog } from './groups/offsets-log.ts';
import { Rebalancer } from './groups/rebalancer.ts';
import { Placement } from './placement/placement.ts';
import { ProducerIds } from './producers/producer-ids.ts';
import type { ResolvedBrokerSettings } from './settings/broker-settings.ts';
import type { BrokerStorage } from './storage/broker-storage.ts';
import { InternalTopic } from './topics/internal-topic.ts';
import { internalTopics } from './topics/topic-name.ts';
import { TopicRegistry } from './topics/topic-registry.ts';
import { MarkerWriter } from './transactions/marker-writer.ts';
import { TransactionCoordinator } from './transactions/transaction-coordinator.ts';
import { TransactionLog } from './transactions/transaction-log.ts';

/** Everything that the broker knows: what the handlers of requests work on. */
export interface BrokerState {
  readonly topics: TopicRegistry;
  readonly offsetsTopic: InternalTopic;
  readonly transactionsTopic: InternalTopic;
  readonly groups: GroupRegistry;
  readonly rebalancer: Rebalancer;
  readonly producerIds: ProducerIds;
  readonly coordinator: TransactionCoordinator;
  readonly markers: MarkerWriter;
  readonly placement: Placement;
}

/** Puts the state together, out of what the storage remembers. Transactions that were being ended are ended. */
export function openBrokerState(
  storage: BrokerStorage,
  settings: ResolvedBrokerSettings,
  { clock, random, logger }: ResolvedComponents,
): BrokerState {
  const topics = new TopicRegistry({ storage, clock, random, topicDefaults: settings.topicDefaults });
  const offsetsTopic = new InternalTopic(internalTopics.offsets, topics, clock);
  const transactionsTopic = new InternalTopic(internalTopics.transactions, topics, clock);
  const offsets = new GroupOffsets();
  const groups = new GroupRegistry(offsets, new OffsetsLog(offsetsTopic, offsets, clock), clock);
  const producerIds = new ProducerIds(storage);
  const markers = new MarkerWriter({ topics, clock, random, logger, delayMaxMs: settings.markerDelayMaxMs });
  const coordinator = new TransactionCoordinator({
    log: new TransactionLog(transactionsTopic, clock),
    producerIds,
    markers,
    clock,
    coordinatorEpoch: storage.leaderEpoch,
  });
  topics.onDeletion(({ name }) => groups.forgetTopic(name));
  return {
    topics,
    offsetsTopic,
    transactionsTopic,
    groups,
    rebalancer: new Rebalancer(clock, groups, settings.groupInitialRebalanceDelayMs),
    producerIds,
    coordinator,
    markers,
    placement: new Placement(settings.nodeId, settings.nodes),
  };
}
