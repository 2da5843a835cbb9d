/**
 * A broker for development and tests that speaks the Kafka protocol: in this process or as one of its own, in memory or in a
 * directory. One node, loopback only, nobody is asked for a password.
 *
 * @module
 */
export type { BrokerComponents } from './broker-components.ts';
export type { CrashOptions, DevBroker } from './dev-broker.ts';
export type { Fault, FaultRule, Faults } from './faults/fault-rule.ts';
export type { InProcessConnection } from './in-process/in-process-link.ts';
export type { InProcessOptions, Transfer, TransferSchedule } from './in-process/transfer.ts';
export type {
  BrokerContents,
  CommittedOffset,
  GroupContents,
  PartitionContents,
  TopicContents,
  TransactionContents,
} from './inspection/broker-contents.ts';
export type { LogBatch, LogRecord } from './inspection/read-batches.ts';
export type { NodeAddress } from './placement/cluster-view.ts';
export type { CoordinatedKind } from './placement/placement.ts';
export type { BrokerSettings } from './settings/broker-settings.ts';
export { startBroker } from './start-broker.ts';
export type { BrokerDisk, BrokerStorage, FsyncPolicy, StoredTopic, Survivors } from './storage/broker-storage.ts';
export { MemoryDisk } from './storage/memory-disk.ts';
