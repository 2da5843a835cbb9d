import { CancelledError, FatalStreamsError, type Cancel } from '@millrace/core';
import { ErrorCode, heartbeat } from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import { passesByItself } from '../errors/consequence.ts';
import type { GroupMetadata } from '../port/kafka-client.ts';
import type { GroupSettings } from './group-settings.ts';

/** What a heartbeat brings to light. */
export interface HeartbeatEvents {
  /** The group rebalances. */
  readonly onRebalance: () => void;
  /** The membership is gone; `isKnown`: the coordinator may still count the member in, if only in another generation. */
  readonly onLost: (reason: string, isKnown: boolean) => void;
  /** No rejoin helps. */
  readonly onFailed: (errorCode: number) => void;
  /** The coordinator will not even listen any more: the credentials are not valid any longer, for example. */
  readonly onFatal: (error: FatalStreamsError) => void;
}

const REQUEST_TIMEOUT_MIN_MS = 1_000;

/**
 * Keeps a membership alive by timer, whoever polls or processes. When no heartbeat has succeeded for the session timeout
 * the coordinator has given the member up, answer or no answer, and so does the member. Unless the coordinator was away itself: a new
 * one gives every member another session.
 */
export class HeartbeatLoop {
  readonly #cluster: Cluster;
  readonly #settings: GroupSettings;
  readonly #events: HeartbeatEvents;
  #metadata: GroupMetadata | undefined;
  #aliveAtMs = 0;
  #pending = false;
  #cancelTimer: Cancel | undefined;

  constructor(cluster: Cluster, settings: GroupSettings, events: HeartbeatEvents) {
    this.#cluster = cluster;
    this.#settings = settings;
    this.#events = events;
  }

  /** The member was just heard of as this. */
  start(metadata: GroupMetadata): void {
    this.stop();
    this.#metadata = metadata;
    this.touch();
    this.#arm();
  }

  /** The coordinator has shown by another answer that it counts the member in. */
  touch(): void {
    this.#aliveAtMs = this.#cluster.clock.monotonicMs();
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#metadata = undefined;
  }

  #arm(): void {
    this.#cancelTimer = this.#cluster.clock.setTimer(this.#settings.heartbeatIntervalMs, () => this.#beat());
  }

  #beat(): void {
    const metadata = this.#metadata;
    if (metadata === undefined) return;
    const silentMs = this.#cluster.clock.monotonicMs() - this.#aliveAtMs;
    if (silentMs > this.#settings.sessionTimeoutMs) {
      this.stop();
      this.#events.onLost(`no heartbeat succeeded for ${Math.round(silentMs)} ms, longer than the session timeout`, true);
      return;
    }
    this.#arm();
    if (!this.#pending) void this.#send(metadata);
  }

  async #send(metadata: GroupMetadata): Promise<void> {
    this.#pending = true;
    try {
      const timeoutMs = Math.max(REQUEST_TIMEOUT_MIN_MS, Math.floor(this.#settings.sessionTimeoutMs / 3));
      const to = { kind: 'group', key: metadata.groupId, lane: 'group', timeoutMs, signal: this.#cluster.closing } as const;
      const { errorCode } = await this.#cluster.sendToCoordinator(heartbeat, to, metadata);
      this.#cluster.noteCoordinatorError(errorCode, 'group', metadata.groupId);
      if (this.#metadata === metadata) this.#settle(errorCode);
    } catch (error) {
      if (error instanceof FatalStreamsError) this.#giveUp(metadata, error);
      else if (!(error instanceof CancelledError))
        this.#cluster.logger.debug('heartbeat failed', { groupId: metadata.groupId, error });
    } finally {
      this.#pending = false;
    }
  }

  #giveUp(metadata: GroupMetadata, error: FatalStreamsError): void {
    if (this.#metadata !== metadata) return;
    this.stop();
    this.#events.onFatal(error);
  }

  #settle(errorCode: number): void {
    if (passesByItself(errorCode)) return;
    switch (errorCode) {
      case ErrorCode.NONE:
        this.touch();
        break;
      case ErrorCode.REBALANCE_IN_PROGRESS:
        this.touch();
        this.#events.onRebalance();
        break;
      case ErrorCode.ILLEGAL_GENERATION:
      case ErrorCode.UNKNOWN_MEMBER_ID:
        this.stop();
        this.#events.onLost(
          `the coordinator does not know the member in this generation (error ${errorCode})`,
          errorCode === ErrorCode.ILLEGAL_GENERATION,
        );
        break;
      default:
        this.stop();
        this.#events.onFailed(errorCode);
    }
  }
}
