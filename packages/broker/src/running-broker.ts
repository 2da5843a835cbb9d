import { ErrorCode } from '@millrace/wire';
import { startBrokerChores } from './broker-chores.ts';
import type { ResolvedComponents } from './broker-components.ts';
import { BrokerNodes } from './broker-nodes.ts';
import { type BrokerState, openBrokerState } from './broker-state.ts';
import type { Chores } from './chores.ts';
import type { CrashOptions, DevBroker } from './dev-broker.ts';
import { FaultPlan } from './faults/fault-plan.ts';
import type { Faults } from './faults/fault-rule.ts';
import { createHandlers } from './handlers.ts';
import type { InProcessConnection } from './in-process/in-process-link.ts';
import type { InProcessOptions } from './in-process/transfer.ts';
import { type BrokerContents, contentsOf } from './inspection/broker-contents.ts';
import { type LogBatch, readBatches } from './inspection/read-batches.ts';
import { LifetimeClock } from './lifetime-clock.ts';
import { cleanLog } from './log/cleaner.ts';
import { applyRetention } from './log/retention.ts';
import type { NodeAddress } from './placement/cluster-view.ts';
import type { CoordinatedKind } from './placement/placement.ts';
import { RequestRouter } from './server/request-router.ts';
import type { ResolvedBrokerSettings } from './settings/broker-settings.ts';
import type { BrokerStorage } from './storage/broker-storage.ts';

/** A broker on its storage, until it is stopped or crashes. */
export class RunningBroker implements DevBroker {
  readonly host: string;
  readonly faults: Faults;
  readonly #settings: ResolvedBrokerSettings;
  readonly #components: ResolvedComponents;
  readonly #storage: BrokerStorage;
  readonly #clock: LifetimeClock;
  readonly #state: BrokerState;
  readonly #nodes: BrokerNodes;
  #chores: Chores | undefined;
  #ended: Promise<void> | undefined;

  constructor(settings: ResolvedBrokerSettings, given: ResolvedComponents, storage: BrokerStorage) {
    this.host = settings.host;
    this.#settings = settings;
    this.#clock = new LifetimeClock(given.clock);
    this.#components = { ...given, clock: this.#clock };
    this.#storage = storage;
    const clusterId = settings.clusterId ?? storage.clusterId ?? given.random.uuid();
    storage.saveClusterId(clusterId);
    this.#state = openBrokerState(storage, settings, this.#components);
    const faults = new FaultPlan(this.#clock);
    this.faults = faults;
    const handlers = createHandlers({
      state: this.#state,
      settings,
      components: this.#components,
      cluster: () => ({ clusterId, nodes: this.nodes }),
    });
    const router = new RequestRouter(handlers, faults, given.logger);
    const { nodeIds } = this.#state.placement;
    const handle = router.handle.bind(router);
    this.#nodes = new BrokerNodes({ settings, nodeIds, clock: given.clock, handle });
  }

  get nodes(): readonly NodeAddress[] {
    return this.#nodes.addresses;
  }

  get port(): number {
    return this.nodes[0]?.port ?? 0;
  }

  get bootstrapServers(): string {
    return this.nodes.map(({ host, port }) => `${host}:${port}`).join(',');
  }

  /** Opens its ports and begins its chores. */
  async open(): Promise<void> {
    await this.#nodes.open();
    const { logger } = this.#components;
    this.#chores = startBrokerChores({
      state: this.#state,
      settings: this.#settings,
      storage: this.#storage,
      clock: this.#clock,
    });
    logger.info('a broker for development only is ready', { bootstrapServers: this.bootstrapServers });
  }

  connect(options: InProcessOptions = {}): InProcessConnection {
    return this.#nodes.connect(options);
  }

  inspect(): BrokerContents {
    return contentsOf(this.#state);
  }

  readLog(topic: string, partition: number): LogBatch[] {
    return readBatches(this.#state.topics, topic, partition);
  }

  compactNow(topic: string): number {
    const nowMs = this.#clock.nowMs();
    const logs = this.#state.topics.get(topic)?.partitions ?? [];
    return logs.filter((log) => {
      log.segments.roll(log.highWatermark);
      return cleanLog(log, nowMs, true);
    }).length;
  }

  applyRetentionNow(topic: string): void {
    const nowMs = this.#clock.nowMs();
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
    this.#ended ??= this.#end(() => {
      this.#storage.flush();
      this.#state.topics.close();
      this.#storage.close();
    });
    return this.#ended;
  }

  crash({ losesUnflushed = false }: CrashOptions = {}): Promise<void> {
    this.#ended ??= this.#end(() => {
      this.#state.topics.close();
      this.#storage.abandon(losesUnflushed ? 'flushed' : 'written');
    });
    return this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** The storage last: whoever still waits must not find it gone. Synchronous up to there, so that nothing comes in between. */
  async #end(leaveStorage: () => void): Promise<void> {
    this.#chores?.stop();
    this.#clock.end();
    const closed = this.#nodes.close();
    leaveStorage();
    await closed;
  }
}
