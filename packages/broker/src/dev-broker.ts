import type { Faults } from './faults/fault-rule.ts';
import type { InProcessConnection } from './in-process/in-process-link.ts';
import type { InProcessOptions } from './in-process/transfer.ts';
import type { BrokerContents } from './inspection/broker-contents.ts';
import type { LogBatch } from './inspection/read-batches.ts';
import type { NodeAddress } from './placement/cluster-view.ts';
import type { CoordinatedKind } from './placement/placement.ts';

/** What is lost besides memory when a broker crashes. */
export interface CrashOptions {
  /**
   * True: also what was written but not yet put on the disk, as when the power fails (`fsync` says how much that can be).
   * Default false, as with SIGKILL: what was written is there.
   */
  readonly losesUnflushed?: boolean;
}

/** A running development broker. */
export interface DevBroker extends AsyncDisposable {
  /** `host:port` of every node, comma-separated, for the `brokers` of clients. */
  readonly bootstrapServers: string;
  readonly host: string;
  /** Port of the first node. */
  readonly port: number;
  readonly nodes: readonly NodeAddress[];
  /** Makes requests fail, wait or lose their answer. */
  readonly faults: Faults;
  /**
   * Connects within the process, without a port: for tests in virtual time, and for those that decide themselves when which
   * bytes arrive.
   *
   * @throws SettingsError UNKNOWN_NODE
   * @throws FatalStreamsError BROKER_STOPPED
   * @example
   * const { socket, cut } = broker.connect({ schedule: (transfer) => network.add(transfer) });
   */
  connect(options?: InProcessOptions): InProcessConnection;
  /** What lies in the broker now: topics, groups, transactions. A copy, which does not change any more. */
  inspect(): BrokerContents;
  /**
   * What lies in the log of a partition, control batches and aborted records included, from the log start on.
   *
   * @throws SettingsError UNKNOWN_PARTITION
   */
  readLog(topic: string, partition: number): LogBatch[];
  /**
   * Compacts a topic now, as far as that is possible, instead of when enough has come together.
   *
   * @returns how many partitions were cleaned
   */
  compactNow(topic: string): number;
  /** Deletes what is too old or too much in a topic now. */
  applyRetentionNow(topic: string): void;
  /** Another node leads the partition from now on: the one before answers NOT_LEADER_OR_FOLLOWER. */
  moveLeader(topic: string, partition: number, nodeId: number): void;
  /** Another node coordinates the group or transactional id from now on: the one before answers NOT_COORDINATOR. */
  moveCoordinator(kind: CoordinatedKind, key: string, nodeId: number): void;
  /** Closes all connections and lets go of port and directory. Does nothing the second time. */
  stop(): Promise<void>;
  /**
   * Ends the broker as its death would: at once, nothing is finished, nothing more is put on the disk. Resolves when its ports
   * are free. What is left is in its data directory or disk; start another broker on that, at the same port, and it recovers.
   */
  crash(options?: CrashOptions): Promise<void>;
}
