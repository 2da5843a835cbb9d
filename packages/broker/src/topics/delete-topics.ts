import { deleteTopics, ErrorCode, ZERO_UUID } from '@millrace/wire';
import { answering, type Handler } from '../server/handler.ts';
import { isInternalTopic } from './topic-name.ts';
import type { Topic } from './topic.ts';
import type { TopicRegistry } from './topic-registry.ts';

interface Doomed {
  readonly name: string | undefined;
  readonly topicId: string;
}

/** DeleteTopics: by name, or from version 6 on by id. The topics of the broker itself stay. */
export function deleteTopicsHandler(topics: TopicRegistry): Handler {
  return answering(deleteTopics, (request, { apiVersion }) => {
    const named = request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
    return { responses: (apiVersion >= 6 ? request.topics : named).map(remove) };
  });

  function remove({ name, topicId }: Doomed) {
    const topic = name === undefined ? topics.withId(topicId) : topics.get(name);
    if (topic === undefined) {
      const errorCode = name === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      return { name, topicId, errorCode, errorMessage: 'This server does not host this topic.' };
    }
    if (isInternalTopic(topic.name)) {
      return { ...identityOf(topic), errorCode: ErrorCode.INVALID_REQUEST, errorMessage: `${topic.name} is internal` };
    }
    topics.delete(topic);
    return { ...identityOf(topic), errorCode: ErrorCode.NONE };
  }
}

function identityOf({ name, id }: Topic) {
  return { name, topicId: id };
}
