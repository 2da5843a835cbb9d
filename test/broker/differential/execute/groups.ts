import {
  decodeSubscription,
  deleteGroups,
  describeGroups,
  encodeSubscription,
  ErrorCode,
  heartbeat,
  joinGroup,
  leaveGroup,
  type JoinGroupResponse,
  type RequestInput,
  syncGroup,
} from '@millrace/wire';
import type { ScriptMember } from '../group-members.ts';
import type { OperationOf } from '../operation.ts';
import type { Session } from '../session.ts';

/** So long that no rebalance ends because of it. */
const REBALANCE_TIMEOUT_MS = 120_000;
const FIRST_VERSION_WITH_INSTANCES = 5;

export async function join(session: Session, operation: OperationOf<'join'>): Promise<string> {
  const member = memberAt(session, operation.member);
  if (member.parked !== undefined) return 'skipped';
  const { connection, members } = session;
  const answer = await members.park('join', member, () => askToJoin(session, member, operation), connection);
  return `${answer}${await members.released(connection)}`;
}

/** Where it is given an id first, it joins with that. */
async function askToJoin(session: Session, member: ScriptMember, operation: OperationOf<'join'>): Promise<string> {
  const connection = await session.members.connectionOf(member);
  const first = await connection.send(joinGroup, operation.version, joinRequest(session, member, operation));
  if (first.errorCode !== ErrorCode.MEMBER_ID_REQUIRED) return joined(session, member, first);
  session.members.learn(member, first.memberId);
  const second = await connection.send(joinGroup, operation.version, joinRequest(session, member, operation));
  return `79, ${joined(session, member, second)}`;
}

function joinRequest(session: Session, member: ScriptMember, operation: OperationOf<'join'>): RequestInput<typeof joinGroup> {
  const { version, protocols, metadata, sessionTimeoutMs } = operation;
  return {
    groupId: session.group(0),
    sessionTimeoutMs,
    ...(version >= 1 ? { rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS } : {}),
    memberId: member.memberId,
    ...(version >= FIRST_VERSION_WITH_INSTANCES ? { groupInstanceId: member.instanceId } : {}),
    protocolType: 'consumer',
    protocols: protocols.map((name) => ({ name, metadata: subscription(session, `${name}${metadata}`) })),
  };
}

/** Kafka reads what members of type `consumer` subscribe to; a group in which it cannot never gets beyond its rebalance. */
function subscription(session: Session, userData: string): Buffer {
  return encodeSubscription({ topics: [session.topic(0)], userData: Buffer.from(userData) });
}

function userDataOf(metadata: Buffer): string {
  return metadata.length === 0 ? '' : `${decodeSubscription(metadata).userData}`;
}

function joined({ members }: Session, member: ScriptMember, answer: JoinGroupResponse): string {
  const { errorCode, generationId, protocolName, skipAssignment } = answer;
  if (errorCode !== ErrorCode.NONE) {
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_INSTANCE_ID) member.memberId = '';
    return `${errorCode} generation ${generationId} protocol ${protocolName ?? ''} type ${answer.protocolType ?? ''}`;
  }
  members.learn(member, answer.memberId);
  member.generation = generationId;
  member.protocol = protocolName ?? '';
  member.isLeader = answer.leader === answer.memberId;
  member.followers = answer.members.map(({ memberId }) => memberId);
  // Not by their ids, which the others may learn a moment later or have learnt already.
  const all = answer.members.map(({ groupInstanceId, metadata }) => `${groupInstanceId ?? ''}/${userDataOf(metadata)}`);
  const role = member.isLeader ? `leads ${all.sort().join(' ')}` : `follows ${all}`;
  const skips = skipAssignment ? ' skips' : '';
  return `0 generation ${generationId} ${protocolName} ${answer.protocolType ?? ''} ${members.symbol(answer.memberId)} ${role}${skips}`;
}

export async function sync(session: Session, operation: OperationOf<'sync'>): Promise<string> {
  const member = memberAt(session, operation.member);
  if (member.parked !== undefined) return 'skipped';
  const { connection, members } = session;
  const answer = await members.park('sync', member, () => askToSync(session, member, operation), connection);
  return `${answer}${await members.released(connection)}`;
}

async function askToSync(session: Session, member: ScriptMember, operation: OperationOf<'sync'>): Promise<string> {
  const { version, generationDelta } = operation;
  const { memberId, instanceId, generation, protocol } = member;
  const plan = member.isLeader ? member.followers : [];
  const connection = await session.members.connectionOf(member);
  const { errorCode, assignment, protocolName, protocolType } = await connection.send(syncGroup, version, {
    groupId: session.group(0),
    generationId: generation + generationDelta,
    memberId,
    ...(version >= 3 ? { groupInstanceId: instanceId } : {}),
    ...(version >= 5 ? { protocolType: 'consumer', protocolName: protocol } : {}),
    assignments: plan.map((id) => ({ memberId: id, assignment: Buffer.from(`${session.members.symbol(id)}@${generation}`) })),
  });
  return `${errorCode} ${assignment.toString()} ${protocolName ?? ''} ${protocolType ?? ''}`;
}

export async function beat(session: Session, operation: OperationOf<'heartbeat'>): Promise<string> {
  const { version, generationDelta } = operation;
  const { memberId, instanceId, generation } = memberAt(session, operation.member);
  const { errorCode } = await session.connection.send(heartbeat, version, {
    groupId: session.group(0),
    generationId: generation + generationDelta,
    memberId,
    ...(version >= 3 ? { groupInstanceId: instanceId } : {}),
  });
  return `${errorCode}`;
}

export async function leave(session: Session, operation: OperationOf<'leave'>): Promise<string> {
  const member = memberAt(session, operation.member);
  if (session.members.leavesChoiceOfLeader(member)) return 'skipped';
  const { version } = operation;
  const { connection, members } = session;
  const { memberId, instanceId: groupInstanceId } = member;
  const groupId = session.group(0);
  const who = version >= 3 ? { members: [{ memberId, groupInstanceId }] } : { memberId };
  const answer = await connection.send(leaveGroup, version, { groupId, ...who });
  const each = answer.members.map((one) => `${members.symbol(one.memberId)}/${one.groupInstanceId ?? ''}/${one.errorCode}`);
  if (answer.errorCode === 0 && (version < 3 || answer.members[0]?.errorCode === 0)) {
    member.memberId = '';
    member.isLeader = false;
  }
  return `${answer.errorCode} ${each}${await members.released(connection)}`;
}

/** All who are in the group join and get their assignment, so that scripts come into a stable state now and then. */
export async function rebalance(session: Session, { version }: OperationOf<'rebalance'>): Promise<string> {
  const texts: string[] = [];
  const present = () => session.members.all.filter(({ memberId, parked }) => memberId !== '' && parked === undefined);
  for (const { index } of present()) {
    const options = { version, member: index, protocols: ['range', 'sticky'], metadata: 0, sessionTimeoutMs: 60_000 };
    texts.push(`${index}: ${await join(session, { do: 'join', ...options })}`);
  }
  const syncVersion = Math.min(version, 5);
  for (const { index, isLeader } of present().sort((a, b) => Number(a.isLeader) - Number(b.isLeader))) {
    const text = await sync(session, { do: 'sync', version: syncVersion, member: index, generationDelta: 0 });
    texts.push(`${isLeader ? 'leader' : 'follower'} ${index}: ${text}`);
  }
  return texts.join('; ');
}

export async function describeGroup(session: Session, operation: OperationOf<'describeGroup'>): Promise<string> {
  const { version, group } = operation;
  await session.writeBeside(group);
  const { groups } = await session.connection.send(describeGroups, version, { groups: [session.group(group)] });
  const [answer] = groups;
  const members = answer?.members.map(
    ({ memberId, groupInstanceId, clientId, clientHost, memberMetadata, memberAssignment }) =>
      `${session.members.symbol(memberId)}/${groupInstanceId ?? ''}/${clientId}${clientHost}/${userDataOf(memberMetadata)}/${memberAssignment}`,
  );
  const { errorCode, groupState, protocolType, protocolData } = answer ?? {};
  return `${errorCode} ${groupState} ${protocolType} ${protocolData} ${members?.sort().join(' ')}`;
}

export async function deleteGroup(session: Session, operation: OperationOf<'deleteGroup'>): Promise<string> {
  const { version, group } = operation;
  const { results } = await session.connection.send(deleteGroups, version, { groupsNames: [session.group(group)] });
  return `${results[0]?.errorCode}`;
}

function memberAt({ members }: Session, index: number): ScriptMember {
  const member = members.get(index);
  if (member === undefined) throw new Error(`no member ${index}`);
  return member;
}
