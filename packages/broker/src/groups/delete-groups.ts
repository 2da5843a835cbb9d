import { decodeSubscription, deleteGroups, ErrorCode, offsetDelete } from '@millrace/wire';
import { errorCodeOf, Refusal } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import type { TopicRegistry } from '../topics/topic-registry.ts';
import type { ClassicGroup } from './classic-group.ts';
import { metadataFor } from './group-member.ts';
import type { GroupRegistry } from './group-registry.ts';

/** DeleteGroups: only groups without members. */
export function deleteGroupsHandler(groups: GroupRegistry): Handler {
  return answering(deleteGroups, ({ groupsNames }) => ({
    results: groupsNames.map((groupId) => ({ groupId, errorCode: errorCodeOf(() => remove(groupId)) })),
  }));

  function remove(groupId: string): void {
    const group = groups.get(groupId);
    if (group === undefined) throw new Refusal(ErrorCode.GROUP_ID_NOT_FOUND);
    if (group.state !== 'Empty') throw new Refusal(ErrorCode.NON_EMPTY_GROUP);
    groups.delete(group);
  }
}

/** OffsetDelete: not while members of the group consume the topic. */
export function offsetDeleteHandler(groups: GroupRegistry, topics: TopicRegistry): Handler {
  return answering(offsetDelete, (request) => {
    const group = groups.get(request.groupId);
    if (group === undefined) return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, topics: [] };
    if (group.state !== 'Empty' && group.protocolType !== 'consumer') {
      return { errorCode: ErrorCode.NON_EMPTY_GROUP, topics: [] };
    }
    const isSubscribed = subscriptionOf(group);
    return {
      errorCode: ErrorCode.NONE,
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: errorCodeOf(() => forget(group, name, partitionIndex, isSubscribed)),
        })),
      })),
    };
  });

  function forget(group: ClassicGroup, topic: string, partition: number, isSubscribed: (topic: string) => boolean): void {
    topics.logOrThrow(topic, partition);
    if (isSubscribed(topic)) throw new Refusal(ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC);
    groups.log.write([{ key: { groupId: group.id, topic, partition }, value: undefined }]);
  }
}

/** Which topics members consume. As long as they have not agreed upon a protocol, any may be among them. */
function subscriptionOf(group: ClassicGroup): (topic: string) => boolean {
  if (group.state === 'Empty') return () => false;
  if (group.protocolName === undefined) return () => true;
  const metadata = [...group.members.values()].map((member) => metadataFor(member, group.protocolName));
  const topics = new Set(metadata.filter(({ length }) => length > 0).flatMap((bytes) => decodeSubscription(bytes).topics));
  return (topic) => topics.has(topic);
}
