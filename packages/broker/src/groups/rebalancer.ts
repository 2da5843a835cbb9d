import type { Clock } from '@millrace/core';
import { ErrorCode } from '@millrace/wire';
import type { ClassicGroup } from './classic-group.ts';
import type { GroupMember } from './group-member.ts';
import type { GroupRegistry } from './group-registry.ts';
import { joinedResponse, joinRefused, syncRefused } from './join-responses.ts';

/** How long a member that joins for the first time may wait for the others; its own session only begins afterwards. */
const NEW_MEMBER_TIMEOUT_MS = 300_000;

/**
 * Leads groups from one generation to the next, and removes the members that fall silent.
 *
 * Source: Kafka `GroupMetadataManager`, its `classicGroup…` methods.
 */
export class Rebalancer {
  readonly #clock: Clock;
  readonly #groups: GroupRegistry;
  readonly #initialDelayMs: number;

  constructor(clock: Clock, groups: GroupRegistry, initialDelayMs: number) {
    this.#clock = clock;
    this.#groups = groups;
    this.#initialDelayMs = initialDelayMs;
  }

  /** Calls all members to join again. Whoever waits for an assignment of the old generation is told so. */
  prepare(group: ClassicGroup): void {
    if (group.state === 'PreparingRebalance') {
      this.completeIfAllJoined(group);
      return;
    }
    const wasEmpty = group.state === 'Empty';
    this.#refuseSyncs(group);
    group.cancelPhase?.();
    group.state = 'PreparingRebalance';
    if (wasEmpty) this.#gather(group);
    else {
      group.cancelPhase = this.#clock.setTimer(group.rebalanceTimeoutMs, () => this.#completeJoin(group));
      this.completeIfAllJoined(group);
    }
  }

  /** Begins the generation when nobody is missing any more. */
  completeIfAllJoined(group: ClassicGroup): void {
    if (group.state === 'PreparingRebalance' && !group.isGathering && group.haveAllJoined) this.#completeJoin(group);
  }

  /** Removes a member that left, or whose session is over. */
  remove(group: ClassicGroup, member: GroupMember): void {
    member.awaitingJoin?.(joinRefused(member.id, ErrorCode.UNKNOWN_MEMBER_ID));
    member.awaitingSync?.(syncRefused(ErrorCode.UNKNOWN_MEMBER_ID));
    member.awaitingJoin = undefined;
    member.awaitingSync = undefined;
    group.remove(member);
    if (group.state === 'PreparingRebalance') this.completeIfAllJoined(group);
    else if (group.state === 'CompletingRebalance' || group.state === 'Stable') this.prepare(group);
  }

  /** Starts the member's session anew: it has shown that it is alive. */
  restartSession(group: ClassicGroup, member: GroupMember, timeoutMs = member.sessionTimeoutMs): void {
    member.cancelSession?.();
    member.cancelSession = this.#clock.setTimer(timeoutMs, () => {
      if (group.members.get(member.id) !== member) return;
      // Who waits in JoinGroup cannot send heartbeats; it is alive as long as its connection is.
      if (member.awaitingJoin !== undefined && timeoutMs !== NEW_MEMBER_TIMEOUT_MS) this.restartSession(group, member);
      else this.remove(group, member);
    });
  }

  startFirstSession(group: ClassicGroup, member: GroupMember): void {
    this.restartSession(group, member, NEW_MEMBER_TIMEOUT_MS);
  }

  /** An id that was given away waits as long as a session for its member to join with it. */
  expect(group: ClassicGroup, memberId: string, sessionTimeoutMs: number): void {
    const cancel = this.#clock.setTimer(sessionTimeoutMs, () => {
      group.pendingMembers.delete(memberId);
      this.completeIfAllJoined(group);
    });
    group.pendingMembers.set(memberId, cancel);
  }

  /** An empty group waits a little for further members, and again while some come. */
  #gather(group: ClassicGroup): void {
    const startedMs = this.#clock.monotonicMs();
    let counted = group.members.size;
    group.isGathering = true;
    const wait = (delayMs: number): void => {
      group.cancelPhase = this.#clock.setTimer(delayMs, () => {
        const leftMs = group.rebalanceTimeoutMs - (this.#clock.monotonicMs() - startedMs);
        if (this.#initialDelayMs > 0 && group.members.size > counted && leftMs > 0) {
          counted = group.members.size;
          wait(Math.min(this.#initialDelayMs, leftMs));
          return;
        }
        // Without those who have only got an id so far: they start the next generation.
        this.#completeJoin(group);
      });
    };
    wait(this.#initialDelayMs);
  }

  #completeJoin(group: ClassicGroup): void {
    group.cancelPhase?.();
    group.isGathering = false;
    for (const member of [...group.members.values()]) {
      // A static member may be away for as long as its session; nobody takes its place meanwhile.
      if (member.awaitingJoin === undefined && member.groupInstanceId === undefined) group.remove(member);
    }
    if (group.members.size === 0) this.#becomeEmpty(group);
    else if (this.#electLeader(group)) this.#beginGeneration(group);
    else group.cancelPhase = this.#clock.setTimer(group.rebalanceTimeoutMs, () => this.#completeJoin(group));
  }

  /** The leader stays if it has joined; @returns false when nobody has. */
  #electLeader(group: ClassicGroup): boolean {
    if (group.leaderId !== undefined && group.members.get(group.leaderId)?.awaitingJoin !== undefined) return true;
    const candidate = [...group.members.values()].find(({ awaitingJoin }) => awaitingJoin !== undefined);
    if (candidate === undefined) return false;
    group.leaderId = candidate.id;
    return true;
  }

  #beginGeneration(group: ClassicGroup): void {
    group.generationId++;
    group.protocolName = group.electProtocol();
    group.state = 'CompletingRebalance';
    this.#groups.saveGeneration(group);
    group.pendingSync.clear();
    for (const member of group.members.values()) {
      group.pendingSync.add(member.id);
    }
    for (const member of [...group.members.values()]) {
      const reply = member.awaitingJoin;
      member.awaitingJoin = undefined;
      this.restartSession(group, member);
      reply?.(joinedResponse(group, member));
    }
    if (group.state !== 'CompletingRebalance') return;
    group.cancelPhase = this.#clock.setTimer(group.rebalanceTimeoutMs, () => this.#expireSync(group));
  }

  /** Members that have not asked for their assignment in time are out. */
  #expireSync(group: ClassicGroup): void {
    const silent = [...group.pendingSync].flatMap((id) => group.members.get(id) ?? []);
    for (const member of silent) group.remove(member);
    if (silent.length > 0) this.prepare(group);
  }

  #becomeEmpty(group: ClassicGroup): void {
    group.generationId++;
    group.state = 'Empty';
    group.protocolName = undefined;
    group.leaderId = undefined;
    group.emptySinceMs = this.#clock.nowMs();
    this.#groups.saveGeneration(group);
  }

  #refuseSyncs(group: ClassicGroup): void {
    const isUnfinished = group.state === 'CompletingRebalance';
    for (const member of group.members.values()) {
      const reply = member.awaitingSync;
      member.awaitingSync = undefined;
      // What it had before it joined holds until then.
      if (isUnfinished) member.assignment = Buffer.alloc(0);
      reply?.(syncRefused(ErrorCode.REBALANCE_IN_PROGRESS));
    }
  }
}
