import { FatalStreamsError, type Clock } from '@millrace/core';
import type { GroupMember, MemberAssignment } from '@millrace/client';
import type { LeadersWord } from '../assignment/read-assignment.ts';
import type { TaskHost } from '../assignment/task-hosts.ts';
import { BackgroundJoin } from './background-join.ts';
import { FollowUp } from './follow-up.ts';

/**
 * What the worker's loop has to do for its membership next:
 *
 * - `go-on`: nothing; work
 * - `join`: commit if that needs no waiting, then begin to join
 * - `take-over`: make the assignment so
 * - `abandon`: drop all tasks with what is uncommitted, somebody else may have them
 */
export type MembershipStep = 'go-on' | 'join' | 'take-over' | 'abandon';

export interface MembershipOptions {
  readonly member: GroupMember;
  readonly clock: Clock;
  /** Reads the leader's words. */
  readonly readAssignment: (assignment: MemberAssignment) => LeadersWord;
  /** How far the state on this worker goes, by task. */
  readonly stateOffsets: () => ReadonlyMap<string, number>;
  /** Where the tasks of the group are, if the broker tells it and not the leader: the newest. */
  readonly brokersHosts?: (() => readonly TaskHost[]) | undefined;
}

/**
 * The worker's side of its membership in the group: joins beside the loop, keeps an assignment until it is taken over, notices
 * when the membership was interrupted, and asks for rebalances that nobody else would ask for.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #join = new BackgroundJoin();
  #assignment: LeadersWord | undefined;
  #hosts: readonly TaskHost[] = [];
  #followUp: FollowUp | undefined;
  /** Tasks are closed, or are being closed, that others get in the next rebalance. */
  #hasGivenUp = false;
  /** The membership was interrupted, and the tasks of the time before are not dropped yet. */
  #isInterrupted = false;
  /** The loss that the member reports now has been acted upon. */
  #lossIsKnown = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** True from JoinGroup to the assignment: nothing can be committed. */
  get isJoining(): boolean {
    return this.#join.isUnderWay;
  }

  /** Aborts when the join under way has ended. */
  get joinEnded(): AbortSignal | undefined {
    return this.#join.ended;
  }

  /**
   * True when others may have the tasks, as far as is known now and not only since the last step: nothing may be committed.
   * A join that has ended makes the member stable again, in a generation in which its commits are accepted.
   */
  get isInterrupted(): boolean {
    const isLost = this.#options.member.state === 'lost' && !this.#lossIsKnown;
    return this.#isInterrupted || isLost || this.#join.hasFoundBreak;
  }

  /** What is to be taken over. */
  get assignment(): LeadersWord | undefined {
    return this.#assignment;
  }

  /**
   * Which of the members that can be asked has which tasks, as was last heard; empty before the first assignment. A hint: tasks may
   * have moved since, and it outlives a membership that was lost.
   */
  get hosts(): readonly TaskHost[] {
    return this.#options.brokersHosts?.() ?? this.#hosts;
  }

  /** @throws what made the join fail; what the leader's words mean to this worker, see `AssignmentReader` */
  next(): MembershipStep {
    const { member } = this.#options;
    if (member.state === 'failed') throw member.error ?? new FatalStreamsError('GROUP', 'the group membership failed');
    this.#takeJoined();
    this.#noteLoss(member.state === 'lost');
    if (this.#isInterrupted) return 'abandon';
    if (this.#join.isUnderWay) return 'go-on';
    // An assignment that was not taken over is void: the next one comes from what the worker has then.
    if (member.state !== 'stable') return 'join';
    if (this.#assignment !== undefined) return 'take-over';
    this.#followUpIfDue();
    return 'go-on';
  }

  beginJoin(signal: AbortSignal): void {
    this.#assignment = undefined;
    this.#hasGivenUp = false;
    this.#join.begin(this.#options.member.join(signal));
  }

  /** All tasks have been dropped. */
  abandoned(): void {
    this.#isInterrupted = false;
  }

  /** Tasks are going to be closed for others. Taking over may take several attempts, of which only the first one finds them open. */
  givesUp(): void {
    this.#hasGivenUp = true;
  }

  /** The assignment has been made so. */
  takenOver(): void {
    const { member, clock } = this.#options;
    const assignment = this.#assignment;
    this.#assignment = undefined;
    if (assignment === undefined) return;
    this.#followUp = new FollowUp(assignment, clock.monotonicMs(), this.#followUp);
    const reason = this.#hasGivenUp ? 'tasks were given up for other members' : assignment.rejoinReason;
    this.#hasGivenUp = false;
    if (reason !== undefined) member.requestRejoin(reason);
  }

  #takeJoined(): void {
    const joined = this.#join.take();
    if (joined === undefined) return;
    if (!joined.isUnbroken) this.#isInterrupted = true;
    this.#assignment = this.#options.readAssignment(joined);
    this.#hosts = this.#assignment.hosts;
  }

  #noteLoss(isLost: boolean): void {
    if (isLost && !this.#lossIsKnown) this.#isInterrupted = true;
    this.#lossIsKnown = isLost;
  }

  #followUpIfDue(): void {
    const { member, clock, stateOffsets } = this.#options;
    const reason = this.#followUp?.due(clock.monotonicMs(), stateOffsets);
    if (reason !== undefined) member.requestRejoin(reason);
  }
}
