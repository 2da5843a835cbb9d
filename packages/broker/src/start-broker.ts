import { ErrorCode } from '@millrace/wire';
import { type BrokerComponents, resolveComponents } from './broker-components.ts';
import { type BrokerState, openBrokerState } from './broker-state.ts';
import { Chores } from './chores.ts';
import { FaultPlan } from './faults/fault-plan.ts';
import type { Faults } from './faults/fault-rule.ts';
import { createHandlers } from './handlers.ts';
import type { NodeAddress } from './placement/cluster-view.ts';
import type { CoordinatedKind } from './placement/placement.ts';
import { cleanLog } from './log/cleaner.ts';
import { applyRetention } from './log/retention.ts';
import { RequestRouter } from './server/request-router.ts';
import { TcpServer } from './server/tcp-server.ts';
import type { BrokerSettings, ResolvedBrokerSettings } from './settings/broker-settings.ts';
import { resolveBrokerSettings } from './settings/resolve-broker-settings.ts';
import type { BrokerStorage } from './storage/broker-storage.ts';
import { DirectoryStorage } from './storage/directory-storage.ts';
import { MemoryStorage } from './storage/memory-storage.ts';

/** How often `fsync=interval` puts appends on the disk, as long as a power failure may cost. */
const FLUSH_INTERVAL_MS = 1000;
/** How long a producer that writes nothing is remembered. Kafka: `producer.id.expiration.ms`. */
const PRODUCER_EXPIRATION_MS = 24 * 60 * 60 * 1000;

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
}

/**
 * Starts a broker that speaks the Kafka protocol, in this process, on a loopback port. For development and tests only: it
 * asks nobody who he is, and all its nodes are this process.
 *
 * @throws SettingsError INVALID_SETTINGS
 * @throws FatalStreamsError ADDRESS_UNAVAILABLE, DIRECTORY_IN_USE, CORRUPT_SEGMENT
 * @example
 * await using broker = await startBroker();
 * const app = await start(topology, { applicationId: 'test', brokers: broker.bootstrapServers.split(',') });
 */
export async function startBroker(options: BrokerSettings & BrokerComponents = {}): Promise<DevBroker> {
  const { clock, random, logger, ...given } = options;
  const settings = resolveBrokerSettings(given);
  const components = resolveComponents({
    ...(clock === undefined ? {} : { clock }),
    ...(random === undefined ? {} : { random }),
    ...(logger === undefined ? {} : { logger }),
  });
  const broker = openBroker(settings, components);
  try {
    await broker.listen();
    return broker;
  } catch (error) {
    await broker.stop();
    throw error;
  }
}

function openBroker(settings: ResolvedBrokerSettings, components: Required<BrokerComponents>): RunningBroker {
  const storage = openStorage(settings);
  try {
    return new RunningBroker(settings, components, storage);
  } catch (error) {
    storage.close();
    throw error;
  }
}

function openStorage({ dataDirectory, fsync }: ResolvedBrokerSettings): BrokerStorage {
  return dataDirectory === undefined ? new MemoryStorage() : new DirectoryStorage(dataDirectory, fsync);
}

class RunningBroker implements DevBroker {
  readonly faults: Faults;
  readonly #settings: ResolvedBrokerSettings;
  readonly #components: Required<BrokerComponents>;
  readonly #storage: BrokerStorage;
  readonly #state: BrokerState;
  readonly #servers: readonly TcpServer[];
  readonly #chores: Chores;
  readonly #clusterId: string;
  #nodes: readonly NodeAddress[] = [];
  #stopped: Promise<void> | undefined;

  constructor(settings: ResolvedBrokerSettings, components: Required<BrokerComponents>, storage: BrokerStorage) {
    const { clock, random, logger } = components;
    this.#settings = settings;
    this.#components = components;
    this.#storage = storage;
    this.#clusterId = settings.clusterId ?? storage.clusterId ?? random.uuid();
    storage.saveClusterId(this.#clusterId);
    this.#state = openBrokerState(storage, settings, components);
    const faults = new FaultPlan(clock);
    this.faults = faults;
    const handlers = createHandlers({
      state: this.#state,
      settings,
      components,
      cluster: () => ({ clusterId: this.#clusterId, nodes: this.#nodes }),
    });
    const router = new RequestRouter(handlers, faults, logger);
    this.#servers = this.#state.placement.nodeIds.map((nodeId, index) => {
      const port = settings.port === 0 ? 0 : settings.port + index;
      return new TcpServer({ ...settings, port, handle: (exchange) => router.handle(exchange, nodeId) });
    });
    this.#chores = new Chores(clock);
  }

  get nodes(): readonly NodeAddress[] {
    return this.#nodes;
  }

  get host(): string {
    return this.#settings.host;
  }

  get port(): number {
    return this.#nodes[0]?.port ?? 0;
  }

  get bootstrapServers(): string {
    return this.#nodes.map(({ host, port }) => `${host}:${port}`).join(',');
  }

  async listen(): Promise<void> {
    this.#nodes = await this.#listenAll();
    this.#startChores();
    this.#components.logger.info('a broker for development only is ready', { bootstrapServers: this.bootstrapServers });
  }

  compactNow(topic: string): number {
    const nowMs = this.#components.clock.nowMs();
    const logs = this.#state.topics.get(topic)?.partitions ?? [];
    return logs.filter((log) => {
      log.segments.roll(log.highWatermark);
      return cleanLog(log, nowMs, true);
    }).length;
  }

  applyRetentionNow(topic: string): void {
    const nowMs = this.#components.clock.nowMs();
    for (const log of this.#state.topics.get(topic)?.partitions ?? []) applyRetention(log, nowMs);
  }

  moveLeader(topic: string, partition: number, nodeId: number): void {
    this.#state.placement.moveLeader(topic, partition, nodeId);
    this.#state.topics.log(topic, partition)?.beginLeaderEpoch();
  }

  moveCoordinator(kind: CoordinatedKind, key: string, nodeId: number): void {
    this.#state.placement.moveCoordinator(kind, key, nodeId);
    if (kind === 'group') this.#state.groups.get(key)?.refuseWaiting(ErrorCode.NOT_COORDINATOR);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.#chores.stop();
    this.#state.markers.stop();
    await Promise.all(this.#servers.map((server) => server.close()));
    this.#storage.flush();
    this.#state.topics.close();
    this.#storage.close();
  }

  #startChores(): void {
    const { topics, coordinator, groups } = this.#state;
    const { clock } = this.#components;
    const settings = this.#settings;
    this.#chores.every(settings.transactionAbortIntervalMs, () => coordinator.abortTimedOut());
    this.#chores.every(settings.retentionCheckIntervalMs, () => {
      const nowMs = clock.nowMs();
      for (const { partitions } of topics.all) {
        for (const log of partitions) {
          applyRetention(log, nowMs);
          log.producers.expire(nowMs, PRODUCER_EXPIRATION_MS);
        }
      }
      groups.expire(nowMs, settings.offsetsRetentionMs);
    });
    this.#chores.every(settings.compactionIntervalMs, () => {
      const nowMs = clock.nowMs();
      for (const { partitions } of topics.all) for (const log of partitions) cleanLog(log, nowMs);
    });
    this.#chores.every(FLUSH_INTERVAL_MS, () => this.#storage.flush());
  }

  async #listenAll(): Promise<NodeAddress[]> {
    const { placement } = this.#state;
    const ports = await Promise.all(this.#servers.map((server) => server.listen()));
    return placement.nodeIds.map((nodeId, index) => ({ nodeId, host: this.host, port: ports[index] as number }));
  }
}
