import { CancelledError, FatalStreamsError, RetriableError } from '@millrace/core';
import { leaveGroup } from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerErrorAs } from '../errors/broker-error.ts';
import type { GroupMember, GroupMemberOptions, GroupMetadata, JoinedGroup } from '../port/kafka-client.ts';
import { Backoff } from '../retry/backoff.ts';
import { cancellable } from '../retry/cancellable.ts';
import { resolveGroupSettings, type GroupSettings } from './group-settings.ts';
import { HeartbeatLoop } from './heartbeat-loop.ts';
import { MembershipStateMachine, type MembershipState } from './membership-state.ts';
import { AssignmentFailure, NO_MEMBER, rebalanceOnce, type MemberIdentity, type RebalanceOptions } from './rebalance.ts';

const LEAVE_TIMEOUT_MS = 1_000;

/**
 * Membership in a classic consumer group, with an assignor and user data of our own in both directions.
 *
 * Source: Kafka `ConsumerCoordinator`, `AbstractCoordinator`, KIP-345 (static membership), KIP-394 (member id first).
 */
export class ClassicGroupMember implements GroupMember {
  readonly #cluster: Cluster;
  readonly #settings: GroupSettings;
  readonly #heartbeats: HeartbeatLoop;
  readonly #machine = new MembershipStateMachine();
  #identity: MemberIdentity = NO_MEMBER;
  #metadata: GroupMetadata | undefined;
  #error: Error | undefined;
  #rejoinReason = 'first join';
  /** True from an assignment on for as long as the coordinator counts the member in. */
  #isUnbroken = false;
  /** Ends the join that is going on. */
  #joining: AbortController | undefined;

  constructor(cluster: Cluster, options: GroupMemberOptions) {
    this.#cluster = cluster;
    this.#settings = resolveGroupSettings(options);
    this.#heartbeats = new HeartbeatLoop(cluster, this.#settings, {
      onRebalance: () => this.requestRejoin('the group rebalances'),
      onLost: (reason) => this.#lose(reason),
      onFailed: (errorCode) => this.#fail(brokerErrorAs(FatalStreamsError, errorCode, this.#context('Heartbeat'))),
    });
  }

  get metadata(): GroupMetadata | undefined {
    return this.#metadata;
  }

  get state(): MembershipState {
    return this.#machine.state;
  }

  get error(): Error | undefined {
    return this.#error;
  }

  changed(): Promise<void> {
    return this.#machine.changed();
  }

  requestRejoin(reason: string): void {
    if (this.#machine.state !== 'stable') return;
    this.#rejoinReason = reason;
    this.#machine.to('rejoin-needed');
  }

  // ---- joining ---------------------------------------------------------------------------------------------------------

  async join(signal?: AbortSignal): Promise<JoinedGroup> {
    if (this.#error !== undefined) throw this.#error;
    this.#joining?.abort();
    const joining = new AbortController();
    this.#joining = joining;
    // The coordinator counts on no heartbeats while JoinGroup waits, and they would only queue up behind it.
    this.#heartbeats.stop();
    const signals = [joining.signal, this.#cluster.closing, ...(signal === undefined ? [] : [signal])];
    try {
      return await this.#joinUntilDone(AbortSignal.any(signals));
    } finally {
      if (this.#joining === joining) this.#joining = undefined;
    }
  }

  async #joinUntilDone(signal: AbortSignal): Promise<JoinedGroup> {
    const { clock, random, logger } = this.#cluster;
    const backoff = new Backoff(clock, random);
    for (;;) {
      try {
        return await this.#joinOnce(signal);
      } catch (error) {
        if (!(error instanceof RetriableError) || signal.aborted) throw error;
        logger.info('joining the group is retried', { groupId: this.#settings.groupId, error: error.message });
        // A rebalance that was overtaken by the next one is no failure: the group waits for this member.
        if (error.code !== 'REBALANCE_IN_PROGRESS') await backoff.wait(signal);
      }
    }
  }

  async #joinOnce(signal: AbortSignal): Promise<JoinedGroup> {
    const options: RebalanceOptions = {
      signal,
      cluster: this.#cluster,
      settings: this.#settings,
      reason: this.#rejoinReason,
      onIdentity: (identity) => this.#identify(identity),
      onAssigning: (metadata) => this.#heartbeats.start(metadata),
      onAssigned: () => this.#heartbeats.stop(),
    };
    const { metadata, assignment } = await this.#rebalance(options);
    if (signal.aborted) throw new CancelledError();
    this.#metadata = metadata;
    this.#machine.to('stable');
    this.#heartbeats.start(metadata);
    const isUnbroken = this.#isUnbroken;
    this.#isUnbroken = true;
    return { ...assignment, isUnbroken };
  }

  /**
   * Where a generation passed without this member, others may have got its tasks: its owner should know before the join ends.
   *
   * That is so outside of any generation, and when one was skipped. A static member that joins too late is not removed: the group
   * forms with what it said last time, and takes it in again as if nothing had been.
   */
  #identify(identity: MemberIdentity): void {
    const { generationId } = this.#identity;
    this.#identity = identity;
    if (identity.generationId >= 0 && identity.generationId <= generationId + 1) return;
    this.#isUnbroken = false;
    if (this.#machine.state === 'rejoin-needed') this.#lose('the group went on without this member', identity);
  }

  /** A leader that cannot assign must not hold up the others: it leaves, and they choose another. */
  async #rebalance(options: RebalanceOptions): ReturnType<typeof rebalanceOnce> {
    try {
      return await rebalanceOnce(options, this.#identity);
    } catch (error) {
      if (!(error instanceof AssignmentFailure)) {
        if (error instanceof FatalStreamsError) this.#fail(error);
        throw error;
      }
      await this.#sendLeave('the assignment failed');
      this.#lose('the assignment failed');
      throw error.cause;
    }
  }

  // ---- the end of a membership -----------------------------------------------------------------------------------------

  #lose(reason: string, identity = NO_MEMBER): void {
    this.#identity = identity;
    this.#isUnbroken = false;
    this.#rejoinReason = reason;
    this.#cluster.logger.warn('the group membership is lost', { groupId: this.#settings.groupId, reason });
    if (this.#machine.state === 'stable' || this.#machine.state === 'rejoin-needed') this.#machine.to('lost');
  }

  #fail(error: Error): void {
    this.#heartbeats.stop();
    this.#error = error;
    this.#machine.to('failed');
  }

  async leave(reason: string): Promise<void> {
    this.#joining?.abort();
    this.#heartbeats.stop();
    this.#isUnbroken = false;
    await this.#sendLeave(reason);
    this.#metadata = undefined;
    if (this.#machine.can('unjoined')) this.#machine.to('unjoined');
    this.#rejoinReason = 'first join';
  }

  async #sendLeave(reason: string): Promise<void> {
    const { memberId } = this.#identity;
    const { groupId, groupInstanceId } = this.#settings;
    this.#identity = NO_MEMBER;
    this.#heartbeats.stop();
    if (memberId === '') return;
    const deadline = new AbortController();
    const cancelTimer = this.#cluster.clock.setTimer(LEAVE_TIMEOUT_MS, () => deadline.abort());
    try {
      // Not on the group's own lane: a JoinGroup may still be waiting there.
      const to = { kind: 'group', key: groupId, lane: 'admin', timeoutMs: LEAVE_TIMEOUT_MS, signal: deadline.signal } as const;
      const body = { groupId, members: [{ memberId, groupInstanceId, reason }] };
      await cancellable(this.#cluster.sendToCoordinator(leaveGroup, to, body), deadline.signal);
    } catch (error) {
      this.#cluster.logger.info('the group was not told of the departure; it will notice', { groupId, error });
    } finally {
      cancelTimer();
    }
  }

  close(): Promise<void> {
    this.#joining?.abort();
    this.#heartbeats.stop();
    this.#metadata = undefined;
    if (this.#machine.can('unjoined')) this.#machine.to('unjoined');
    return Promise.resolve();
  }

  #context(api: string): { api: string; subject: string } {
    return { api, subject: `group ${this.#settings.groupId}` };
  }
}
