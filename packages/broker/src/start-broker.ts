import { type BrokerComponents, resolveComponents } from './broker-components.ts';
import { type BrokerState, openBrokerState } from './broker-state.ts';
import { Chores } from './chores.ts';
import { FaultPlan } from './faults/fault-plan.ts';
import type { Faults } from './faults/fault-rule.ts';
import { createHandlers } from './handlers.ts';
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

/** A running development broker. */
export interface DevBroker extends AsyncDisposable {
  /** `host:port`, for the `brokers` of clients. */
  readonly bootstrapServers: string;
  readonly host: string;
  readonly port: number;
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
  /** Closes all connections and lets go of port and directory. Does nothing the second time. */
  stop(): Promise<void>;
}

/**
 * Starts a broker that speaks the Kafka protocol, in this process, on a loopback port. For development and tests only: it
 * asks nobody who he is, and has one node.
 *
 * @throws SettingsError INVALID_SETTINGS
 * @throws FatalStreamsError ADDRESS_UNAVAILABLE, DIRECTORY_IN_USE, CORRUPT_SEGMENT
 * @example
 * await using broker = await startBroker();
 * const app = await start(topology, { applicationId: 'test', brokers: [broker.bootstrapServers] });
 */
export async function startBroker(options: BrokerSettings & BrokerComponents = {}): Promise<DevBroker> {
  const { clock, random, logger, ...given } = options;
  const settings = resolveBrokerSettings(given);
  const components = resolveComponents({
    ...(clock === undefined ? {} : { clock }),
    ...(random === undefined ? {} : { random }),
    ...(logger === undefined ? {} : { logger }),
  });
  const storage = openStorage(settings);
  try {
    const broker = new RunningBroker(settings, components, storage);
    await broker.listen();
    return broker;
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
  readonly #server: TcpServer;
  readonly #chores: Chores;
  readonly #clusterId: string;
  #port = 0;
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
    const handlers = createHandlers({ state: this.#state, settings, components, node: () => this.#node() });
    const router = new RequestRouter(handlers, faults, logger);
    const { host, port, requestBytesMax, connectionsMax } = settings;
    this.#server = new TcpServer({ host, port, requestBytesMax, connectionsMax, handle: (one) => router.handle(one) });
    this.#chores = new Chores(clock);
  }

  get host(): string {
    return this.#settings.host;
  }

  get port(): number {
    return this.#port;
  }

  get bootstrapServers(): string {
    return `${this.host}:${this.#port}`;
  }

  async listen(): Promise<void> {
    this.#port = await this.#server.listen();
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
    await this.#server.close();
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
      for (const { partitions } of topics.all) for (const log of partitions) applyRetention(log, nowMs);
      groups.expire(nowMs, settings.offsetsRetentionMs);
    });
    this.#chores.every(settings.compactionIntervalMs, () => {
      const nowMs = clock.nowMs();
      for (const { partitions } of topics.all) for (const log of partitions) cleanLog(log, nowMs);
    });
    this.#chores.every(FLUSH_INTERVAL_MS, () => this.#storage.flush());
  }

  #node() {
    const { nodeId } = this.#settings;
    return { clusterId: this.#clusterId, nodeId, host: this.host, port: this.#port };
  }
}
