import { CancelledError, FatalStreamsError } from '@millrace/core';
import { leaveGroup } from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerErrorAs } from '../errors/broker-error.ts';
import type { GroupMember, GroupMemberOptions, GroupMetadata, JoinedGroup } from '../port/kafka-client.ts';
import { resolveGroupSettings, type GroupSettings } from './group-settings.ts';
import { HeartbeatLoop } from './heartbeat-loop.ts';
import { JoinAttempts } from './join-attempts.ts';
import { MembershipStateMachine, type MembershipState } from './membership-state.ts';
import { AssignmentFailure, NO_MEMBER, rebalanceOnce, type MemberIdentity, type RebalanceOptions } from './rebalance.ts';
import { tellDeparture } from './tell-departure.ts';

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
  readonly #joins: JoinAttempts;
  #identity: MemberIdentity = NO_MEMBER;
  #metadata: GroupMetadata | undefined;
  #rejoinReason = 'first join';
  /** True from an assignment on for as long as the coordinator counts the member in. */
  #isUnbroken = false;

  constructor(cluster: Cluster, options: GroupMemberOptions) {
    this.#cluster = cluster;
    this.#settings = resolveGroupSettings(options);
    this.#joins = new JoinAttempts(cluster, options.groupId);
    this.#heartbeats = new HeartbeatLoop(cluster, this.#settings, {
      onRebalance: () => this.requestRejoin('the group rebalances'),
      onLost: (reason, isKnown) => this.#lose(reason, isKnown ? { ...this.#identity, generationId: -1 } : NO_MEMBER),
      onFailed: (errorCode) => this.#fail(brokerErrorAs(FatalStreamsError, errorCode, this.#context('Heartbeat'))),
      onFatal: (error) => this.#fail(error),
    });
  }

  get metadata(): GroupMetadata | undefined {
    return this.#metadata;
  }

  get state(): MembershipState {
    return this.#machine.state;
  }

  get error(): Error | undefined {
    return this.#machine.error;
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
    if (this.error !== undefined) throw this.error;
    // The coordinator counts on no heartbeats while JoinGroup waits, and they would only queue up behind it.
    this.#heartbeats.stop();
    return this.#joins.run(signal, (until) => this.#joinOnce(until));
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

  /**
   * @param identity as which it joins again: if the coordinator still counts it in as that, the group need not wait for its
   * session to end
   */
  #lose(reason: string, identity = NO_MEMBER): void {
    this.#identity = identity;
    this.#isUnbroken = false;
    this.#rejoinReason = reason;
    this.#cluster.logger.warn('the group membership is lost', { groupId: this.#settings.groupId, reason });
    this.#machine.lose();
  }

  #fail(error: Error): void {
    this.#heartbeats.stop();
    this.#machine.fail(error);
  }

  async leave(reason: string): Promise<void> {
    this.#joins.cancel();
    this.#heartbeats.stop();
    this.#isUnbroken = false;
    await this.#sendLeave(reason);
    this.#metadata = undefined;
    this.#machine.end();
    this.#rejoinReason = 'first join';
  }

  async #sendLeave(reason: string): Promise<void> {
    const { memberId } = this.#identity;
    const { groupId, groupInstanceId } = this.#settings;
    this.#identity = NO_MEMBER;
    this.#heartbeats.stop();
    if (memberId === '') return;
    await tellDeparture(this.#cluster, { groupId, reason }, (deadline) => {
      // Not on the group's own lane: a JoinGroup may still be waiting there.
      const to = { kind: 'group', key: groupId, lane: 'admin', ...deadline } as const;
      return this.#cluster.sendToCoordinator(leaveGroup, to, { groupId, members: [{ memberId, groupInstanceId, reason }] });
    });
  }

  close(): Promise<void> {
    this.#joins.cancel();
    this.#heartbeats.stop();
    this.#metadata = undefined;
    this.#machine.end();
    this.#cluster.openParts.delete(this);
    return Promise.resolve();
  }

  #context(api: string): { api: string; subject: string } {
    return { api, subject: `group ${this.#settings.groupId}` };
  }
}
