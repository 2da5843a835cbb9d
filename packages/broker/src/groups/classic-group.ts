import type { Cancel } from '@millrace/core';
import { ErrorCode } from '@millrace/wire';
import { Refusal } from '../refusal.ts';
import type { GroupMember, MemberProtocol } from './group-member.ts';

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

/**
 * A group of the classic protocol: its members, its generation, and what they agreed upon.
 *
 *     Empty → PreparingRebalance → CompletingRebalance → Stable
 *               ↑ a member joins, leaves, or changes what it says about itself
 *
 * Source: Kafka `ClassicGroup`.
 */
export class ClassicGroup {
  readonly id: string;
  state: GroupState = 'Empty';
  generationId: number;
  protocolType: string | undefined;
  protocolName: string | undefined;
  leaderId: string | undefined;
  /** When it became empty, ms. */
  emptySinceMs: number;
  readonly members = new Map<string, GroupMember>();
  /** Ids that were given away and not yet used, with the timers that take them back. */
  readonly pendingMembers = new Map<string, Cancel>();
  /** Members that have joined the generation but not yet asked for their assignment. */
  readonly pendingSync = new Set<string>();
  /** The timer of the present phase of a rebalance. */
  cancelPhase: Cancel | undefined;
  /** True while an empty group gives further members the time to come. */
  isGathering = false;
  readonly #instances = new Map<string, string>();

  constructor(id: string, nowMs: number, generationId = 0) {
    this.id = id;
    this.emptySinceMs = nowMs;
    this.generationId = generationId;
  }

  /** The member id behind an instance id. */
  memberIdOf(groupInstanceId: string): string | undefined {
    return this.#instances.get(groupInstanceId);
  }

  add(member: GroupMember): void {
    this.members.set(member.id, member);
    if (member.groupInstanceId !== undefined) this.#instances.set(member.groupInstanceId, member.id);
    this.protocolType ??= member.protocolType;
    this.leaderId ??= member.id;
  }

  remove(member: GroupMember): void {
    member.cancelSession?.();
    this.members.delete(member.id);
    this.pendingSync.delete(member.id);
    if (member.groupInstanceId !== undefined && this.#instances.get(member.groupInstanceId) === member.id) {
      this.#instances.delete(member.groupInstanceId);
    }
    if (this.leaderId === member.id) this.leaderId = this.members.keys().next().value;
  }

  /** A static member comes back under a new id, and takes over what the old one had. */
  rename(member: GroupMember, id: string): void {
    this.members.delete(member.id);
    this.pendingSync.delete(member.id);
    if (this.leaderId === member.id) this.leaderId = id;
    member.id = id;
    this.members.set(id, member);
    if (member.groupInstanceId !== undefined) this.#instances.set(member.groupInstanceId, id);
  }

  /**
   * The member that says it is this one.
   *
   * @throws Refusal UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID when another process has taken over the instance
   */
  memberOrThrow(memberId: string, groupInstanceId: string | undefined): GroupMember {
    if (groupInstanceId !== undefined) {
      const holder = this.#instances.get(groupInstanceId);
      if (holder === undefined) throw new Refusal(ErrorCode.UNKNOWN_MEMBER_ID);
      if (holder !== memberId) throw new Refusal(ErrorCode.FENCED_INSTANCE_ID);
    }
    const member = this.members.get(memberId);
    if (member === undefined) throw new Refusal(ErrorCode.UNKNOWN_MEMBER_ID);
    return member;
  }

  /** @throws Refusal ILLEGAL_GENERATION */
  checkGeneration(generationId: number): void {
    if (generationId !== this.generationId) throw new Refusal(ErrorCode.ILLEGAL_GENERATION);
  }

  /** Whether somebody with these protocols can work with the members that are there. */
  supports(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (protocolType === '' || protocols.length === 0) return false;
    if (this.members.size === 0) return true;
    if (protocolType !== this.protocolType) return false;
    const shared = this.sharedProtocols();
    return protocols.some(({ name }) => shared.has(name));
  }

  /** Names of the protocols that every member knows. */
  sharedProtocols(): Set<string> {
    const lists = [...this.members.values()].map(({ protocols }) => new Set(protocols.map(({ name }) => name)));
    const [first = new Set<string>(), ...others] = lists;
    return new Set([...first].filter((name) => others.every((list) => list.has(name))));
  }

  /** The protocol that most members prefer among those that all know. */
  electProtocol(): string | undefined {
    const shared = this.sharedProtocols();
    const votes = new Map<string, number>();
    for (const { protocols } of this.members.values()) {
      const vote = protocols.find(({ name }) => shared.has(name))?.name;
      if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1);
    }
    return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0];
  }

  /** Answers everybody who waits for others: another node has to be asked. */
  refuseWaiting(errorCode: number): void {
    for (const member of this.members.values()) {
      const { awaitingJoin, awaitingSync } = member;
      member.awaitingJoin = undefined;
      member.awaitingSync = undefined;
      awaitingJoin?.({ errorCode, protocolName: undefined, leader: '', memberId: member.id, members: [] });
      awaitingSync?.({ errorCode, assignment: Buffer.alloc(0) });
    }
  }

  /** As long as the slowest member may take to rejoin. */
  get rebalanceTimeoutMs(): number {
    return Math.max(0, ...[...this.members.values()].map(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs));
  }

  get haveAllJoined(): boolean {
    return this.pendingMembers.size === 0 && [...this.members.values()].every(({ awaitingJoin }) => awaitingJoin !== undefined);
  }
}
