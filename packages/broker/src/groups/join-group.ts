import type { Random } from '@millrace/core';
import { ErrorCode, joinGroup, type JoinGroupRequest } from '@millrace/wire';
import { Refusal, refusalOf } from '../refusal.ts';
import { type Call, deferring, type Handler } from '../server/handler.ts';
import type { ClassicGroup } from './classic-group.ts';
import { type GroupMember, hasProtocols, type JoinReply } from './group-member.ts';
import type { GroupRegistry } from './group-registry.ts';
import { joinedResponse, joinRefused, membersOf } from './join-responses.ts';
import type { Rebalancer } from './rebalancer.ts';

/** Versions from here on want an id to be used that the broker has given before. */
const MEMBER_ID_REQUIRED_VERSION = 4;
/** Versions from here on let a leader that came back keep its assignment. */
const SKIP_ASSIGNMENT_VERSION = 9;

export interface JoinGroupOptions {
  readonly groups: GroupRegistry;
  readonly rebalancer: Rebalancer;
  readonly random: Random;
  readonly sessionTimeoutMinMs: number;
  readonly sessionTimeoutMaxMs: number;
}

interface Joining {
  readonly request: JoinGroupRequest;
  readonly call: Call;
  readonly reply: JoinReply;
}

/** JoinGroup: answered when all members have joined, or at once where nothing changes. */
export function joinGroupHandler(options: JoinGroupOptions): Handler {
  const joiner = new Joiner(options);
  return deferring(
    joinGroup,
    (request, call, reply) => {
      try {
        joiner.join({ request, call, reply });
      } catch (error) {
        reply(joinRefused(request.memberId, refusalOf(error).errorCode));
      }
    },
    { max: SKIP_ASSIGNMENT_VERSION },
  );
}

class Joiner {
  readonly #options: JoinGroupOptions;

  constructor(options: JoinGroupOptions) {
    this.#options = options;
  }

  join(joining: Joining): void {
    const { groupId, memberId, protocolType, protocols } = joining.request;
    this.#check(joining.request);
    // Writes nothing, but fails while there is no coordinator.
    void this.#options.groups.log.log;
    const known = this.#options.groups.get(groupId);
    if (memberId !== '' && known === undefined) throw new Refusal(ErrorCode.UNKNOWN_MEMBER_ID);
    const group = known ?? this.#options.groups.getOrCreate(groupId);
    if (!group.supports(protocolType, protocols)) throw new Refusal(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    if (memberId === '') this.#joinNew(group, joining);
    else this.#joinAgain(group, joining);
  }

  #check({ groupId, sessionTimeoutMs }: JoinGroupRequest): void {
    const { sessionTimeoutMinMs, sessionTimeoutMaxMs } = this.#options;
    if (groupId === '') throw new Refusal(ErrorCode.INVALID_GROUP_ID);
    if (sessionTimeoutMs < sessionTimeoutMinMs || sessionTimeoutMs > sessionTimeoutMaxMs) {
      throw new Refusal(ErrorCode.INVALID_SESSION_TIMEOUT);
    }
  }

  #joinNew(group: ClassicGroup, joining: Joining): void {
    const { request, call, reply } = joining;
    const { groupInstanceId } = request;
    const id = `${groupInstanceId ?? call.clientId}-${this.#options.random.uuid()}`;
    if (groupInstanceId !== undefined) {
      const previous = group.members.get(group.memberIdOf(groupInstanceId) ?? '');
      if (previous === undefined) this.#add(group, id, joining);
      else this.#replaceStatic(group, previous, id, joining);
    } else if (call.apiVersion >= MEMBER_ID_REQUIRED_VERSION) {
      this.#options.rebalancer.expect(group, id, request.sessionTimeoutMs);
      reply(joinRefused(id, ErrorCode.MEMBER_ID_REQUIRED));
    } else this.#add(group, id, joining);
  }

  #joinAgain(group: ClassicGroup, joining: Joining): void {
    const { request, reply } = joining;
    const { memberId, groupInstanceId, protocols } = request;
    const cancelPending = group.pendingMembers.get(memberId);
    if (cancelPending !== undefined && groupInstanceId === undefined) {
      cancelPending();
      group.pendingMembers.delete(memberId);
      this.#add(group, memberId, joining);
      return;
    }
    const member = group.memberOrThrow(memberId, groupInstanceId);
    if (group.state === 'Empty' || group.state === 'Dead') throw new Refusal(ErrorCode.UNKNOWN_MEMBER_ID);
    const isUnchanged = hasProtocols(member, protocols);
    const isLeader = group.leaderId === memberId;
    const keepsGeneration = isUnchanged && (group.state === 'CompletingRebalance' || (group.state === 'Stable' && !isLeader));
    if (keepsGeneration) {
      this.#options.rebalancer.restartSession(group, member);
      reply(joinedResponse(group, member));
    } else this.#rejoin(group, member, joining);
  }

  #add(group: ClassicGroup, id: string, { request, call, reply }: Joining): void {
    const member: GroupMember = {
      id,
      groupInstanceId: request.groupInstanceId,
      clientId: call.clientId,
      clientHost: call.clientHost,
      sessionTimeoutMs: request.sessionTimeoutMs,
      rebalanceTimeoutMs: rebalanceTimeoutOf(request),
      protocolType: request.protocolType,
      protocols: copied(request),
      assignment: Buffer.alloc(0),
      awaitingJoin: reply,
      awaitingSync: undefined,
      cancelSession: undefined,
    };
    if (group.members.size === 0) group.protocolType = request.protocolType;
    group.add(member);
    this.#options.rebalancer.startFirstSession(group, member);
    this.#options.rebalancer.prepare(group);
  }

  #rejoin(group: ClassicGroup, member: GroupMember, joining: Joining): void {
    this.#update(member, joining);
    member.awaitingJoin?.(joinRefused(member.id, ErrorCode.UNKNOWN_MEMBER_ID));
    member.awaitingJoin = joining.reply;
    this.#options.rebalancer.restartSession(group, member);
    this.#options.rebalancer.prepare(group);
  }

  /** A static member has restarted: it takes the place of its former self, which is fenced from now on. */
  #replaceStatic(group: ClassicGroup, member: GroupMember, id: string, joining: Joining): void {
    const { awaitingJoin, awaitingSync, id: oldId } = member;
    member.awaitingJoin = undefined;
    member.awaitingSync = undefined;
    awaitingJoin?.(joinRefused(oldId, ErrorCode.FENCED_INSTANCE_ID));
    awaitingSync?.({ errorCode: ErrorCode.FENCED_INSTANCE_ID, assignment: Buffer.alloc(0) });
    const oldLeaderId = group.leaderId;
    group.rename(member, id);
    this.#update(member, joining);
    this.#options.rebalancer.restartSession(group, member);
    if (group.state === 'Stable' && group.electProtocol() === group.protocolName) {
      this.#welcomeBack(group, member, oldLeaderId, joining);
      return;
    }
    member.awaitingJoin = joining.reply;
    this.#options.rebalancer.prepare(group);
  }

  /** No rebalance: the generation goes on. Old clients must not take themselves for the leader, or they would assign anew. */
  #welcomeBack(group: ClassicGroup, member: GroupMember, oldLeaderId: string | undefined, { call, reply }: Joining): void {
    const canSkip = call.apiVersion >= SKIP_ASSIGNMENT_VERSION;
    const isLeader = group.leaderId === member.id;
    reply({
      ...joinedResponse(group, member),
      leader: (canSkip ? group.leaderId : oldLeaderId) ?? '',
      members: canSkip && isLeader ? membersOf(group) : [],
      ...(canSkip ? { skipAssignment: isLeader } : {}),
    });
  }

  #update(member: GroupMember, { request, call }: Joining): void {
    member.protocols = copied(request);
    member.clientId = call.clientId;
    member.clientHost = call.clientHost;
    member.sessionTimeoutMs = request.sessionTimeoutMs;
    member.rebalanceTimeoutMs = rebalanceTimeoutOf(request);
  }
}

/** Version 0 has none: there the session counts. */
function rebalanceTimeoutOf({ rebalanceTimeoutMs, sessionTimeoutMs }: JoinGroupRequest): number {
  return rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs;
}

/** The decoded bytes are views of the request, which must not be kept alive as long as the group. */
function copied({ protocols }: JoinGroupRequest) {
  return protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }));
}
