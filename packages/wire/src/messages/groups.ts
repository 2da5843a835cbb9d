import { defineApi, type RequestOf, type ResponseOf } from '../schema/api.ts';
import { array, boolean, bytes, int16, int32, int8, string } from '../schema/field.ts';

/** Which broker coordinates a consumer group (key type 0) or a transactional id (1). Version 4 asks for many keys at once. */
export const findCoordinator = defineApi({
  key: 10,
  name: 'FindCoordinator',
  versions: '0-4',
  flexible: '3+',
  request: {
    key: string({ versions: '0-3', default: '' }),
    keyType: int8({ versions: '1+', default: 0 }),
    coordinatorKeys: array(string(), { versions: '4+', default: [] }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', default: 0 }),
    errorCode: int16({ versions: '0-3', default: 0 }),
    errorMessage: string({ versions: '1-3', nullable: '1-3' }),
    nodeId: int32({ versions: '0-3', default: -1 }),
    host: string({ versions: '0-3', default: '' }),
    port: int32({ versions: '0-3', default: -1 }),
    coordinators: array(
      {
        key: string(),
        nodeId: int32(),
        host: string(),
        port: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: '4+' }),
      },
      { versions: '4+', default: [] },
    ),
  },
});
export type FindCoordinatorRequest = RequestOf<typeof findCoordinator>;
export type FindCoordinatorResponse = ResponseOf<typeof findCoordinator>;

/** Enters a group, or a new generation of it. Answered only when all members have joined. */
export const joinGroup = defineApi({
  key: 11,
  name: 'JoinGroup',
  versions: '0-9',
  flexible: '6+',
  request: {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: int32({ versions: '1+', default: -1, ignorable: true }),
    memberId: string(),
    groupInstanceId: string({ versions: '5+', nullable: '5+' }),
    protocolType: string(),
    protocols: array({ name: string(), metadata: bytes() }),
    reason: string({ versions: '8+', nullable: '8+', ignorable: true }),
  },
  response: {
    throttleTimeMs: int32({ versions: '2+', default: 0 }),
    errorCode: int16(),
    generationId: int32({ default: -1 }),
    protocolType: string({ versions: '7+', nullable: '7+' }),
    protocolName: string({ nullable: '7+' }),
    leader: string(),
    skipAssignment: boolean({ versions: '9+', default: false }),
    memberId: string(),
    members: array({
      memberId: string(),
      groupInstanceId: string({ versions: '5+', nullable: '5+' }),
      metadata: bytes(),
    }),
  },
});
export type JoinGroupRequest = RequestOf<typeof joinGroup>;
export type JoinGroupResponse = ResponseOf<typeof joinGroup>;

/** Hands out the assignment: the leader sends it, every member gets its part. */
export const syncGroup = defineApi({
  key: 14,
  name: 'SyncGroup',
  versions: '0-5',
  flexible: '4+',
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ versions: '3+', nullable: '3+' }),
    protocolType: string({ versions: '5+', nullable: '5+', ignorable: true }),
    protocolName: string({ versions: '5+', nullable: '5+', ignorable: true }),
    assignments: array({ memberId: string(), assignment: bytes() }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', default: 0 }),
    errorCode: int16(),
    protocolType: string({ versions: '5+', nullable: '5+' }),
    protocolName: string({ versions: '5+', nullable: '5+' }),
    assignment: bytes(),
  },
});
export type SyncGroupRequest = RequestOf<typeof syncGroup>;
export type SyncGroupResponse = ResponseOf<typeof syncGroup>;

/** Shows that a member is alive; error 27 calls it to rejoin. */
export const heartbeat = defineApi({
  key: 12,
  name: 'Heartbeat',
  versions: '0-4',
  flexible: '4+',
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ versions: '3+', nullable: '3+' }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', default: 0 }),
    errorCode: int16(),
  },
});
export type HeartbeatRequest = RequestOf<typeof heartbeat>;
export type HeartbeatResponse = ResponseOf<typeof heartbeat>;

/** Leaves a group. From version 3 on for several members, and also by instance id alone. */
export const leaveGroup = defineApi({
  key: 13,
  name: 'LeaveGroup',
  versions: '0-5',
  flexible: '4+',
  request: {
    groupId: string(),
    memberId: string({ versions: '0-2', default: '' }),
    members: array(
      {
        memberId: string(),
        groupInstanceId: string({ versions: '3+', nullable: '3+' }),
        reason: string({ versions: '5+', nullable: '5+', ignorable: true }),
      },
      { versions: '3+', default: [] },
    ),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', default: 0 }),
    errorCode: int16(),
    members: array(
      { memberId: string(), groupInstanceId: string({ nullable: '3+' }), errorCode: int16() },
      { versions: '3+', default: [] },
    ),
  },
});
export type LeaveGroupRequest = RequestOf<typeof leaveGroup>;
export type LeaveGroupResponse = ResponseOf<typeof leaveGroup>;

/** State and members of groups, with their raw metadata and assignments. */
export const describeGroups = defineApi({
  key: 15,
  name: 'DescribeGroups',
  versions: '0-5',
  flexible: '5+',
  request: {
    groups: array(string()),
    includeAuthorizedOperations: boolean({ versions: '3+', default: false }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', default: 0 }),
    groups: array({
      errorCode: int16(),
      groupId: string(),
      groupState: string(),
      protocolType: string(),
      protocolData: string(),
      members: array({
        memberId: string(),
        groupInstanceId: string({ versions: '4+', nullable: '4+' }),
        clientId: string(),
        clientHost: string(),
        memberMetadata: bytes(),
        memberAssignment: bytes(),
      }),
      authorizedOperations: int32({ versions: '3+', default: -2147483648 }),
    }),
  },
});
export type DescribeGroupsRequest = RequestOf<typeof describeGroups>;
export type DescribeGroupsResponse = ResponseOf<typeof describeGroups>;

export const listGroups = defineApi({
  key: 16,
  name: 'ListGroups',
  versions: '0-4',
  flexible: '3+',
  request: {
    statesFilter: array(string(), { versions: '4+', default: [] }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', default: 0 }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ versions: '4+', default: '' }),
    }),
  },
});
export type ListGroupsRequest = RequestOf<typeof listGroups>;
export type ListGroupsResponse = ResponseOf<typeof listGroups>;

export const deleteGroups = defineApi({
  key: 42,
  name: 'DeleteGroups',
  versions: '0-2',
  flexible: '2+',
  request: { groupsNames: array(string()) },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({ groupId: string(), errorCode: int16() }),
  },
});
export type DeleteGroupsRequest = RequestOf<typeof deleteGroups>;
export type DeleteGroupsResponse = ResponseOf<typeof deleteGroups>;
