import { defineApi, type RequestInput, type RequestOf, type ResponseOf } from '../schema/api.ts';
import { array, boolean, int16, int32, int64, int8, string, struct, uint16 } from '../schema/field.ts';

const keyValue = { key: string(), value: string() };

/** An internal topic that the broker is to make. 0 partitions: as many as follow from the inputs; replication 0: its default. */
const internalTopic = {
  name: string(),
  partitions: int32(),
  replicationFactor: int16(),
  topicConfigs: array(keyValue),
};

const tasks = { subtopologyId: string(), partitions: array(int32()) };

const taskOffset = { subtopologyId: string(), partition: int32(), offset: int64() };

const endpoint = { host: string(), port: uint16() };

const topicPartitions = { topic: string(), partitions: array(int32()) };

/**
 * Joins a streams group (epoch 0), stays in it, and leaves it (−1). Null fields say that nothing has changed since the last
 * time, in both directions. Kafka: KIP-1071.
 */
export const streamsGroupHeartbeat = defineApi({
  key: 88,
  name: 'StreamsGroupHeartbeat',
  versions: '0',
  flexible: '0+',
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    endpointInformationEpoch: int32({ default: 0 }),
    instanceId: string({ nullable: '0+' }),
    rackId: string({ nullable: '0+' }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    topology: struct(
      {
        epoch: int32(),
        subtopologies: array({
          subtopologyId: string(),
          sourceTopics: array(string()),
          sourceTopicRegex: array(string()),
          stateChangelogTopics: array(internalTopic),
          repartitionSinkTopics: array(string()),
          repartitionSourceTopics: array(internalTopic),
          /** Positions in the three lists above of topics that must have equal partition counts. */
          copartitionGroups: array({
            sourceTopics: array(int16()),
            sourceTopicRegex: array(int16()),
            repartitionSourceTopics: array(int16()),
          }),
        }),
      },
      { nullable: '0+' },
    ),
    activeTasks: array(tasks, { nullable: '0+' }),
    standbyTasks: array(tasks, { nullable: '0+' }),
    warmupTasks: array(tasks, { nullable: '0+' }),
    processId: string({ nullable: '0+' }),
    userEndpoint: struct(endpoint, { nullable: '0+' }),
    clientTags: array(keyValue, { nullable: '0+' }),
    taskOffsets: array(taskOffset, { nullable: '0+' }),
    taskEndOffsets: array(taskOffset, { nullable: '0+' }),
    shutdownApplication: boolean({ default: false }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+' }),
    memberId: string(),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    acceptableRecoveryLag: int32({ default: 0 }),
    taskOffsetIntervalMs: int32({ default: 0 }),
    status: array({ statusCode: int8(), statusDetail: string() }, { nullable: '0+' }),
    activeTasks: array(tasks, { nullable: '0+' }),
    standbyTasks: array(tasks, { nullable: '0+' }),
    warmupTasks: array(tasks, { nullable: '0+' }),
    endpointInformationEpoch: int32({ default: 0 }),
    partitionsByUserEndpoint: array(
      {
        userEndpoint: struct(endpoint),
        activePartitions: array(topicPartitions),
        standbyPartitions: array(topicPartitions),
      },
      { nullable: '0+' },
    ),
  },
});
export type StreamsGroupHeartbeatRequest = RequestOf<typeof streamsGroupHeartbeat>;
export type StreamsGroupHeartbeatInput = RequestInput<typeof streamsGroupHeartbeat>;
export type StreamsGroupHeartbeatResponse = ResponseOf<typeof streamsGroupHeartbeat>;

const assignment = { activeTasks: array(tasks), standbyTasks: array(tasks), warmupTasks: array(tasks) };

/** State, topology and members of streams groups. */
export const streamsGroupDescribe = defineApi({
  key: 89,
  name: 'StreamsGroupDescribe',
  versions: '0',
  flexible: '0+',
  request: {
    groupIds: array(string()),
    includeAuthorizedOperations: boolean({ default: false }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    groups: array({
      errorCode: int16(),
      errorMessage: string({ nullable: '0+' }),
      groupId: string(),
      groupState: string(),
      groupEpoch: int32(),
      assignmentEpoch: int32(),
      topology: struct(
        {
          epoch: int32(),
          subtopologies: array(
            {
              subtopologyId: string(),
              sourceTopics: array(string()),
              repartitionSinkTopics: array(string()),
              stateChangelogTopics: array(internalTopic),
              repartitionSourceTopics: array(internalTopic),
            },
            { nullable: '0+' },
          ),
        },
        { nullable: '0+' },
      ),
      members: array({
        memberId: string(),
        memberEpoch: int32(),
        instanceId: string({ nullable: '0+' }),
        rackId: string({ nullable: '0+' }),
        clientId: string(),
        clientHost: string(),
        topologyEpoch: int32(),
        processId: string(),
        userEndpoint: struct(endpoint, { nullable: '0+' }),
        clientTags: array(keyValue),
        taskOffsets: array(taskOffset),
        taskEndOffsets: array(taskOffset),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
        isClassic: boolean(),
      }),
      authorizedOperations: int32({ default: -2147483648 }),
    }),
  },
});
export type StreamsGroupDescribeRequest = RequestOf<typeof streamsGroupDescribe>;
export type StreamsGroupDescribeResponse = ResponseOf<typeof streamsGroupDescribe>;
