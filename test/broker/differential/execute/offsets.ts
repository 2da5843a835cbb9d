import { offsetCommit, offsetDelete, offsetFetch } from '@millrace/wire';
import type { OperationOf } from '../operation.ts';
import type { Session } from '../session.ts';
import { membership } from './membership.ts';

/** What {@link fetchOffsets} asks for when it does not ask for all. */
const asked = [0, 1, 9];

interface FetchedOffset {
  readonly partitionIndex: number;
  readonly committedOffset: number;
  readonly committedLeaderEpoch: number;
  readonly metadata: string | undefined;
  readonly errorCode: number;
}

export async function commitOffset(session: Session, operation: OperationOf<'commitOffset'>): Promise<string> {
  const { version, group, topic, partition, offset, metadataLength } = operation;
  const { generationId, memberId, groupInstanceId } = membership(session, operation.member, operation.generationDelta);
  const committed = { partitionIndex: partition, committedOffset: offset, committedMetadata: 'm'.repeat(metadataLength) };
  const { topics } = await session.connection.send(offsetCommit, version, {
    groupId: session.group(group),
    generationIdOrMemberEpoch: generationId,
    memberId,
    ...(version >= 7 ? { groupInstanceId } : {}),
    topics: [{ name: session.topic(topic), partitions: [committed] }],
  });
  return `${topics[0]?.partitions[0]?.errorCode}`;
}

export async function fetchOffsets(session: Session, operation: OperationOf<'fetchOffsets'>): Promise<string> {
  const { version, all, stable } = operation;
  const groupId = session.group(operation.group);
  const listed = asked.map((topic) => ({ name: session.topic(topic), partitionIndexes: [0, 1] }));
  const topics = all && version >= 2 ? undefined : listed;
  const wanted = version >= 8 ? { groups: [{ groupId, topics }] } : { groupId, topics };
  const body = { ...wanted, ...(version >= 7 ? { requireStable: stable } : {}) };
  const answer = await session.connection.send(offsetFetch, version, body);
  const found = version >= 8 ? answer.groups[0] : answer;
  const texts = found?.topics.flatMap(({ name, partitions }) =>
    partitions.map((one) => `${name.replace(session.prefix, '')}-${offsetText(one)}`),
  );
  return `${found?.errorCode} ${texts?.sort().join(' ')}`;
}

function offsetText({ partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode }: FetchedOffset): string {
  return `${partitionIndex}:${committedOffset}/${committedLeaderEpoch}/${metadata?.length}/${errorCode}`;
}

export async function deleteOffset(session: Session, operation: OperationOf<'deleteOffset'>): Promise<string> {
  const { group, topic, partition } = operation;
  const { errorCode, topics } = await session.connection.send(offsetDelete, 0, {
    groupId: session.group(group),
    topics: [{ name: session.topic(topic), partitions: [{ partitionIndex: partition }] }],
  });
  return `${errorCode} ${topics[0]?.partitions[0]?.errorCode}`;
}
