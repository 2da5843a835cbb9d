import { CancelledError, FatalStreamsError, RetriableError, type Cancel } from '@millrace/core';
import {
  ErrorCode,
  streamsGroupDescribe,
  streamsGroupHeartbeat,
  type StreamsGroupHeartbeatInput,
  type StreamsGroupHeartbeatResponse,
} from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError, brokerErrorAs } from '../errors/broker-error.ts';
import { isOutcomeUnknown } from '../errors/transport-error.ts';
import type { GroupMember, GroupMetadata, MemberAssignment } from '../port/kafka-client.ts';
import { JoinAttempts } from './join-attempts.ts';
import { MembershipStateMachine, type MembershipState } from './membership-state.ts';
import { GroupStatusWatch } from './streams-group-status.ts';
import type { GroupEndpoint, StreamsGroupMemberOptions, StreamsGroupTasks } from '../port/streams-group.ts';
import { StreamsEndpoints } from './streams-endpoints.ts';
import { assignedIn, heartbeatRequest, joinRequest, leaveRequest, NO_TASKS, tasksKey } from './streams-heartbeat.ts';
import { joinError, joinFailure } from './streams-join-error.ts';
import { tellDeparture } from './tell-departure.ts';

const REQUEST_TIMEOUT_MS = 5_000;
const REBALANCE_TIMEOUT_MS = 300_000;
const HEARTBEAT_INTERVAL_MAX_MS = 500;
/** How often to look whether the owner has opened and closed what it was told. */
const OWNED_CHECK_MS = 50;

/** An assignment, and whether the tasks from before can go on: false when others may have worked on them. */
type Joined = MemberAssignment & { readonly isUnbroken: boolean };

/** What the membership is at the broker. */
interface Standing {
  readonly memberEpoch: number;
  readonly target: StreamsGroupTasks;
}

/**
 * Membership in a streams group: the broker knows the topology, makes the internal topics and assigns the tasks.
 *
 * The broker takes a task from a member by naming a target without it. `state` becomes `rejoin-needed`, the owner commits,
 * `join` returns the target, the owner closes the task; the heartbeat after that says so, and only then another member gets it.
 *
 * Source: Kafka `StreamsMembershipManager`, `StreamsGroupHeartbeatRequestManager`; KIP-1071.
 */
export class StreamsGroupMember implements GroupMember {
  readonly #cluster: Cluster;
  readonly #options: StreamsGroupMemberOptions;
  readonly #memberId: string;
  readonly #machine = new MembershipStateMachine();
  readonly #joins: JoinAttempts;
  readonly #status = new GroupStatusWatch();
  readonly #endpoints: StreamsEndpoints;
  /** Undefined while not a member. */
  #standing: Standing | undefined;
  /** What `join` returned last. */
  #delivered: StreamsGroupTasks | undefined;
  /** Others may have worked on the tasks since the last `join`. */
  #wasLost = true;
  /** What the broker has been told that is owned. */
  #reported = '';
  /** An answer got lost: it may have held a target. */
  #mayHaveMissed = false;
  /** The owner doubts the membership. */
  #isDoubted = false;
  #sending: Promise<void> | undefined;
  #cancelTimer: Cancel | undefined;
  #sentAtMs = 0;
  #intervalMs: number;

  constructor(cluster: Cluster, options: StreamsGroupMemberOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#joins = new JoinAttempts(cluster, options.groupId);
    this.#endpoints = new StreamsEndpoints(options.userEndpoint);
    this.#memberId = cluster.random.uuid();
    this.#intervalMs = options.heartbeatIntervalMs ?? HEARTBEAT_INTERVAL_MAX_MS;
  }

  get metadata(): GroupMetadata | undefined {
    if (this.#standing === undefined) return undefined;
    const { memberEpoch: generationId } = this.#standing;
    return { groupId: this.#options.groupId, generationId, memberId: this.#memberId, groupInstanceId: undefined };
  }

  get state(): MembershipState {
    return this.#machine.state;
  }

  get error(): Error | undefined {
    return this.#machine.error;
  }

  get endpoints(): readonly GroupEndpoint[] {
    return this.#endpoints.known;
  }

  changed(): Promise<void> {
    return this.#machine.changed();
  }

  requestRejoin(_reason: string): void {
    if (this.#machine.state !== 'stable') return;
    this.#isDoubted = true;
    this.#machine.to('rejoin-needed');
  }

  // ---- joining ---------------------------------------------------------------------------------------------------------

  async join(signal?: AbortSignal): Promise<Joined> {
    if (this.error !== undefined) throw this.error;
    try {
      return await this.#joins.run(signal, (until) => this.#joinOnce(until));
    } catch (error) {
      if (error instanceof FatalStreamsError) this.#fail(error);
      throw error;
    }
  }

  async #joinOnce(signal: AbortSignal): Promise<Joined> {
    const { clock } = this.#cluster;
    this.#stopTimer();
    await this.#sending;
    if (this.#standing === undefined) await this.#enter(signal);
    else if (this.#isDoubted) await this.#beat(signal);
    while (this.#standing === undefined || !this.#isAssigned(this.#standing)) {
      await clock.sleep(OWNED_CHECK_MS * 2, signal);
      await (this.#standing === undefined ? this.#enter(signal) : this.#beat(signal));
    }
    const { target } = this.#standing;
    // Restoring may take long, and looking up topics too: the membership lives on meanwhile.
    this.#arm();
    const assignment = await this.#options.assignmentOf({ ...target, shutdown: this.#status.shutdown });
    if (signal.aborted) throw new CancelledError();
    return this.#deliver(target, assignment);
  }

  /** An empty assignment while the group waits for topics, or for more members, is none. */
  #isAssigned({ target }: Standing): boolean {
    if (this.#status.shutdown) return true;
    return this.#options.asksForShutdown !== true && !(this.#status.isWaiting && isEmpty(target));
  }

  #deliver(target: StreamsGroupTasks, assignment: MemberAssignment): Joined {
    if (this.#standing === undefined) throw new RetriableError('MEMBERSHIP_LOST', 'the membership was lost while it was joined');
    this.#delivered = target;
    this.#isDoubted = false;
    const isUnbroken = !this.#wasLost;
    this.#wasLost = false;
    this.#machine.to('stable');
    if (this.#standing.target !== target) this.#machine.to('rejoin-needed');
    return { ...assignment, isUnbroken };
  }

  /** Becomes a member: with nothing owned, whatever was before. */
  async #enter(signal: AbortSignal): Promise<void> {
    this.#status.reset();
    this.#endpoints.reset();
    this.#reported = tasksKey(NO_TASKS);
    this.#mayHaveMissed = false;
    this.#wasLost = true;
    const rebalanceTimeoutMs = this.#options.rebalanceTimeoutMs ?? REBALANCE_TIMEOUT_MS;
    const { groupId } = this.#options;
    const response = await this.#send(joinRequest(this.#options, this.#memberId, rebalanceTimeoutMs), signal).catch(
      (error: unknown) => {
        throw joinFailure(groupId, error);
      },
    );
    if (response.errorCode !== ErrorCode.NONE) throw joinError(groupId, response);
    this.#standing = { memberEpoch: response.memberEpoch, target: assignedIn(response) ?? NO_TASKS };
    this.#heard(response);
  }

  // ---- heartbeats ------------------------------------------------------------------------------------------------------

  #arm(): void {
    this.#stopTimer();
    if (this.#standing === undefined) return;
    this.#cancelTimer = this.#cluster.clock.setTimer(Math.min(OWNED_CHECK_MS, this.#intervalMs), () => {
      const dueInMs = this.#sentAtMs + this.#intervalMs - this.#cluster.clock.monotonicMs();
      if (this.#sending === undefined && (dueInMs <= 0 || this.#hasNews())) void this.#beatByTimer();
      this.#arm();
    });
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #hasNews(): boolean {
    return tasksKey(this.#options.ownedTasks()) !== this.#reported || this.#endpoints.hasNews(this.#status.knowsTasks);
  }

  async #beatByTimer(): Promise<void> {
    try {
      await this.#beat(this.#cluster.closing);
    } catch (error) {
      if (error instanceof FatalStreamsError) this.#fail(error);
      else if (!(error instanceof CancelledError))
        this.#cluster.logger.debug('heartbeat failed', { groupId: this.#options.groupId, error });
    }
  }

  /** One heartbeat at a time: the epoch of the next one is in the answer. */
  async #beat(signal: AbortSignal): Promise<void> {
    await this.#sending?.catch(() => undefined);
    const beat = this.#beatOnce(signal).finally(() => {
      if (this.#sending === settled) this.#sending = undefined;
    });
    const settled = beat.catch(() => undefined);
    this.#sending = settled;
    await beat;
  }

  async #beatOnce(signal: AbortSignal): Promise<void> {
    const standing = this.#standing;
    if (standing === undefined) return;
    const tasks = this.#options.ownedTasks();
    const key = tasksKey(tasks);
    const said = this.#endpoints.said(this.#status.knowsTasks);
    const identity = { memberId: this.#memberId, memberEpoch: standing.memberEpoch, ...said };
    // After a lost answer the broker accepts the epoch before only from a member that says what it owns.
    const isFull = key !== this.#reported || this.#mayHaveMissed;
    const response = await this.#send(heartbeatRequest(this.#options, identity, isFull ? tasks : undefined), signal);
    if (this.#standing !== standing) return;
    if (response.errorCode !== ErrorCode.NONE) return this.#refused(response);
    this.#reported = key;
    if (said.userEndpoint !== undefined) this.#endpoints.told();
    let target = assignedIn(response);
    if (target === undefined && this.#mayHaveMissed) target = await this.#lookUpTarget(response.memberEpoch, signal);
    this.#mayHaveMissed = false;
    this.#standing = { memberEpoch: response.memberEpoch, target: this.#changed(standing.target, target) };
    this.#heard(response);
  }

  /** The new target, or the very one from before when it says the same. */
  #changed(before: StreamsGroupTasks, after: StreamsGroupTasks | undefined): StreamsGroupTasks {
    return after === undefined || tasksKey(after) === tasksKey(before) ? before : after;
  }

  /** The broker names a target once. Whoever missed that has to ask. @throws RetriableError when the answer is of another epoch */
  async #lookUpTarget(memberEpoch: number, signal: AbortSignal): Promise<StreamsGroupTasks> {
    const { groupId } = this.#options;
    const to = { kind: 'group', key: groupId, lane: 'group', timeoutMs: REQUEST_TIMEOUT_MS, signal } as const;
    const { groups } = await this.#cluster.sendToCoordinator(streamsGroupDescribe, to, { groupIds: [groupId] });
    const [group] = groups;
    const context = { ...this.#context('StreamsGroupDescribe'), brokerMessage: group?.errorMessage };
    if (group !== undefined && group.errorCode !== ErrorCode.NONE) throw brokerError(group.errorCode, context);
    const self = group?.members.find(({ memberId }) => memberId === this.#memberId);
    if (self?.memberEpoch !== memberEpoch) {
      throw new RetriableError('ASSIGNMENT_MOVES', `the assignment of group ${groupId} is changing; asking again`);
    }
    const { activeTasks: active, standbyTasks: standby, warmupTasks: warmup } = self.assignment;
    return { active, standby, warmup };
  }

  /** What an answer without an error brings. @throws FatalStreamsError when the group cannot work */
  #heard(response: StreamsGroupHeartbeatResponse): void {
    const { heartbeatIntervalMs, status } = response;
    this.#endpoints.heard(response);
    const own = this.#options.heartbeatIntervalMs ?? HEARTBEAT_INTERVAL_MAX_MS;
    this.#intervalMs = heartbeatIntervalMs > 0 ? Math.min(own, heartbeatIntervalMs) : own;
    const wasShutdown = this.#status.shutdown;
    this.#status.observe(status ?? [], this.#cluster.clock.monotonicMs());
    const isNews = this.#standing?.target !== this.#delivered || this.#status.shutdown !== wasShutdown;
    if (isNews && this.#machine.state === 'stable') this.#machine.to('rejoin-needed');
  }

  #refused({ errorCode, errorMessage }: StreamsGroupHeartbeatResponse): void {
    const context = { ...this.#context('StreamsGroupHeartbeat'), brokerMessage: errorMessage };
    // See `StreamsEndpoints`: a source topic that is missing may come again, or the owner finds out. If it is something else, the session ends.
    if (errorCode === ErrorCode.UNKNOWN_SERVER_ERROR && this.#options.userEndpoint !== undefined) {
      throw brokerErrorAs(RetriableError, errorCode, context);
    }
    if (errorCode !== ErrorCode.UNKNOWN_MEMBER_ID && errorCode !== ErrorCode.FENCED_MEMBER_EPOCH) {
      throw brokerError(errorCode, context);
    }
    const { groupId } = this.#options;
    this.#cluster.logger.warn('the group membership is lost', { groupId, reason: errorMessage ?? `error ${errorCode}` });
    this.#endStanding();
    this.#machine.lose();
  }

  async #send(body: StreamsGroupHeartbeatInput, signal: AbortSignal): Promise<StreamsGroupHeartbeatResponse> {
    const { groupId } = this.#options;
    const to = { kind: 'group', key: groupId, lane: 'group', timeoutMs: REQUEST_TIMEOUT_MS, signal } as const;
    this.#sentAtMs = this.#cluster.clock.monotonicMs();
    try {
      const response = await this.#cluster.sendToCoordinator(streamsGroupHeartbeat, to, body);
      this.#cluster.noteCoordinatorError(response.errorCode, 'group', groupId);
      return response;
    } catch (error) {
      // A wait that was given up leaves a request under way, of which the answer is dropped.
      if (isOutcomeUnknown(error) || error instanceof CancelledError) this.#mayHaveMissed = true;
      throw error;
    }
  }

  // ---- the end of a membership -----------------------------------------------------------------------------------------

  #endStanding(): void {
    this.#stopTimer();
    this.#standing = undefined;
    this.#delivered = undefined;
    this.#wasLost = true;
  }

  #fail(error: Error): void {
    this.#stopTimer();
    this.#machine.fail(error);
  }

  async leave(reason: string): Promise<void> {
    const isMember = this.#standing !== undefined;
    await this.close();
    if (!isMember) return;
    const about = { groupId: this.#options.groupId, reason };
    await tellDeparture(this.#cluster, about, ({ signal }) => this.#send(leaveRequest(this.#options, this.#memberId), signal));
  }

  close(): Promise<void> {
    this.#joins.cancel();
    this.#endStanding();
    this.#machine.end();
    this.#cluster.openParts.delete(this);
    return Promise.resolve();
  }

  #context(api: string): { api: string; subject: string } {
    return { api, subject: `group ${this.#options.groupId}` };
  }
}

function isEmpty({ active, standby, warmup }: StreamsGroupTasks): boolean {
  return active.length === 0 && standby.length === 0 && warmup.length === 0;
}
