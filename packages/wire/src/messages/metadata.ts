import { ZERO_UUID } from '../primitives/protocol-reader.ts';
import { defineApi, type RequestOf, type ResponseOf } from '../schema/api.ts';
import { array, boolean, int16, int32, string, uuid } from '../schema/field.ts';

/** "Not asked for" in the fields that list what the caller may do. */
const NO_AUTHORIZED_OPERATIONS = -2147483648;

/** Brokers, topics, partitions and their leaders. */
export const metadata = defineApi({
  key: 3,
  name: 'Metadata',
  versions: '0-12',
  flexible: '9+',
  request: {
    /** `undefined` asks for all topics; in version 0 an empty list does. */
    topics: array(
      {
        topicId: uuid({ versions: '10+', default: ZERO_UUID, ignorable: true }),
        name: string({ nullable: '10+' }),
      },
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: boolean({ versions: '4+', default: true, ignorable: true }),
    includeClusterAuthorizedOperations: boolean({ versions: '8-10', default: false }),
    includeTopicAuthorizedOperations: boolean({ versions: '8+', default: false }),
  },
  response: {
    throttleTimeMs: int32({ versions: '3+', default: 0 }),
    brokers: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ versions: '1+', nullable: '1+' }),
    }),
    clusterId: string({ versions: '2+', nullable: '2+' }),
    controllerId: int32({ versions: '1+', default: -1 }),
    topics: array({
      errorCode: int16(),
      name: string({ nullable: '12+' }),
      topicId: uuid({ versions: '10+', default: ZERO_UUID }),
      isInternal: boolean({ versions: '1+', default: false }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ versions: '7+', default: -1 }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        offlineReplicas: array(int32(), { versions: '5+', default: [] }),
      }),
      topicAuthorizedOperations: int32({ versions: '8+', default: NO_AUTHORIZED_OPERATIONS }),
    }),
    clusterAuthorizedOperations: int32({ versions: '8-10', default: NO_AUTHORIZED_OPERATIONS }),
  },
});
export type MetadataRequest = RequestOf<typeof metadata>;
export type MetadataResponse = ResponseOf<typeof metadata>;
