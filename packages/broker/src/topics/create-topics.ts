import { createTopics, type CreateTopicsRequest, ErrorCode } from '@millrace/wire';
import { topicConfigTable } from '../configs/topic-config-table.ts';
import { TopicConfigs } from '../configs/topic-configs.ts';
import { refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import { checkNewTopic, type NewTopic, type NewTopicLimits } from './new-topic.ts';
import type { TopicRegistry } from './topic-registry.ts';

export interface CreateTopicsOptions extends NewTopicLimits {
  readonly topicDefaults: Readonly<Record<string, string>>;
}

/** CreateTopics: each topic by itself; one that is named twice is refused altogether. */
export function createTopicsHandler(topics: TopicRegistry, options: CreateTopicsOptions): Handler {
  return answering(createTopics, (request) => {
    const names = request.topics.map(({ name }) => name);
    const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index));
    return {
      topics: [
        ...[...repeated].map((name) => failed(name, ErrorCode.INVALID_REQUEST, 'Duplicate topic name.')),
        ...request.topics.filter(({ name }) => !repeated.has(name)).map((topic) => create(topic, request)),
      ],
    };
  });

  function create(topic: CreateTopicsRequest['topics'][number], { validateOnly }: CreateTopicsRequest) {
    try {
      const checked = checkNewTopic(topic, topics, options);
      const id = validateOnly ? undefined : topics.create(checked.name, checked.partitions, checked.configs).id;
      return created(checked, id, options.topicDefaults);
    } catch (error) {
      const { errorCode, message } = refusalOf(error);
      return failed(topic.name, errorCode, message);
    }
  }
}

function created(
  { name, partitions, configs }: NewTopic,
  topicId: string | undefined,
  defaults: Readonly<Record<string, string>>,
) {
  const effective = new TopicConfigs(defaults, configs);
  return {
    name,
    ...(topicId === undefined ? {} : { topicId }),
    errorCode: ErrorCode.NONE,
    numPartitions: partitions,
    replicationFactor: 1,
    configs: Object.keys(topicConfigTable).map((config) => {
      const { value, source } = effective.effective(config);
      return { name: config, value, readOnly: false, configSource: source, isSensitive: false };
    }),
  };
}

function failed(name: string, errorCode: number, errorMessage: string) {
  return { name, errorCode, errorMessage };
}
