import { FatalStreamsError, RetriableError, type StreamsError } from '@millrace/core';
import {
  ErrorCode,
  joinGroup,
  syncGroup,
  type Api,
  type JoinGroupResponse,
  type RequestInput,
  type ResponseOf,
} from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerErrorAs, brokerError } from '../errors/broker-error.ts';
import type { GroupMetadata, MemberAssignment } from '../port/kafka-client.ts';
import type { GroupSettings } from './group-settings.ts';
import { assignmentBytes, PROTOCOL_TYPE, readAssignment, readSubscription, subscriptionBytes } from './member-protocol.ts';

/** Who one is at the coordinator, as far as it is known. */
export interface MemberIdentity {
  readonly memberId: string;
  /** −1 outside of any generation. */
  readonly generationId: number;
}

export const NO_MEMBER: MemberIdentity = Object.freeze({ memberId: '', generationId: -1 });

export interface RebalanceOptions {
  readonly cluster: Cluster;
  readonly settings: GroupSettings;
  readonly reason: string;
  readonly signal: AbortSignal;
  /** The coordinator gave another id, or none any more; kept over failed attempts. */
  readonly onIdentity: (identity: MemberIdentity) => void;
  /** The leader begins to assign: heartbeats are due meanwhile, however long that takes. */
  readonly onAssigning: (metadata: GroupMetadata) => void;
  /** The leader is done: a heartbeat would queue up behind SyncGroup, during which the coordinator asks for none. */
  readonly onAssigned: () => void;
}

/** The assignor failed; `cause` is what it threw. */
export class AssignmentFailure extends Error {
  constructor(cause: unknown) {
    super('the assignor failed', { cause });
    this.name = 'AssignmentFailure';
  }
}

/** The result of a rebalance. */
export interface Rebalanced {
  readonly metadata: GroupMetadata;
  readonly assignment: MemberAssignment;
}

/** On top of the rebalance timeout, which is how long the coordinator may keep a JoinGroup. */
const JOIN_SLACK_MS = 5_000;

/**
 * One attempt to get through a rebalance: JoinGroup, on the leader the assignment, SyncGroup.
 *
 * @throws RetriableError when the next attempt may succeed; AssignmentFailure; FatalStreamsError
 */
export async function rebalanceOnce(options: RebalanceOptions, identity: MemberIdentity): Promise<Rebalanced> {
  const joined = await join(options, identity);
  const { groupId, groupInstanceId } = options.settings;
  const metadata = { groupId, groupInstanceId, generationId: joined.generationId, memberId: joined.memberId };
  options.onIdentity(metadata);
  const isLeader = joined.leader === joined.memberId;
  // A leader that came back under its instance id: the group keeps the assignment that it has.
  const assignments = isLeader && !joined.skipAssignment ? await assign(options, metadata, joined) : [];
  return { metadata, assignment: await sync(options, metadata, joined.protocolName, assignments) };
}

async function join(options: RebalanceOptions, identity: MemberIdentity): Promise<JoinGroupResponse> {
  const { settings, reason, onIdentity } = options;
  const { groupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, assignor } = settings;
  const body = {
    groupId,
    groupInstanceId,
    sessionTimeoutMs,
    rebalanceTimeoutMs,
    reason,
    memberId: identity.memberId,
    protocolType: PROTOCOL_TYPE,
    protocols: [{ name: assignor.name, metadata: subscriptionBytes(assignor, identity.generationId) }],
  };
  const response = await send(options, joinGroup, body, rebalanceTimeoutMs + JOIN_SLACK_MS);
  const { errorCode, memberId } = response;
  if (errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
    onIdentity({ memberId, generationId: -1 });
    return join(options, { memberId, generationId: -1 });
  }
  if (errorCode !== 0) throw joinError(options, 'JoinGroup', errorCode, identity);
  return response;
}

interface EncodedAssignment {
  readonly memberId: string;
  readonly assignment: Buffer;
}

async function assign(
  options: RebalanceOptions,
  metadata: GroupMetadata,
  joined: JoinGroupResponse,
): Promise<EncodedAssignment[]> {
  options.onAssigning(metadata);
  try {
    const assigned = await options.settings.assignor.assign(joined.members.map(readSubscription));
    return Array.from(assigned, ([memberId, assignment]) => ({ memberId, assignment: assignmentBytes(assignment) }));
  } catch (error) {
    throw new AssignmentFailure(error);
  } finally {
    options.onAssigned();
  }
}

async function sync(
  options: RebalanceOptions,
  metadata: GroupMetadata,
  protocolName: string | undefined,
  assignments: readonly EncodedAssignment[],
): Promise<MemberAssignment> {
  const body = { ...metadata, protocolType: PROTOCOL_TYPE, protocolName, assignments };
  const response = await send(options, syncGroup, body, options.settings.rebalanceTimeoutMs + JOIN_SLACK_MS);
  if (response.errorCode !== 0) throw joinError(options, 'SyncGroup', response.errorCode, metadata);
  return readAssignment(response.assignment);
}

function send<A extends Api>(
  options: RebalanceOptions,
  api: A,
  body: RequestInput<A>,
  timeoutMs: number,
): Promise<ResponseOf<A>> {
  const { cluster, settings, signal } = options;
  return cluster.sendToCoordinator(api, { kind: 'group', key: settings.groupId, lane: 'group', timeoutMs, signal }, body);
}

/** What is left of the membership, and whether the next attempt may go better. */
function joinError(
  { cluster, settings, onIdentity }: RebalanceOptions,
  api: string,
  errorCode: number,
  identity: MemberIdentity,
): StreamsError {
  const context = { api, subject: `group ${settings.groupId}` };
  cluster.noteCoordinatorError(errorCode, 'group', settings.groupId);
  switch (errorCode) {
    case ErrorCode.UNKNOWN_MEMBER_ID:
      onIdentity(NO_MEMBER);
      return brokerErrorAs(RetriableError, errorCode, context);
    case ErrorCode.ILLEGAL_GENERATION:
      onIdentity({ memberId: identity.memberId, generationId: -1 });
      return brokerErrorAs(RetriableError, errorCode, context);
    case ErrorCode.REBALANCE_IN_PROGRESS:
      return brokerErrorAs(RetriableError, errorCode, context);
    case ErrorCode.FENCED_INSTANCE_ID:
      return brokerErrorAs(FatalStreamsError, errorCode, context);
    default:
      return brokerError(errorCode, context);
  }
}
