import { alterConfigs, ErrorCode, incrementalAlterConfigs, type IncrementalAlterConfigsRequest } from '@millrace/wire';
import { Refusal, refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import type { TopicRegistry } from '../topics/topic-registry.ts';
import type { Topic } from '../topics/topic.ts';
import { checkConfig, type ConfigLimits, definitionOf, elementsOf } from './check-config.ts';
import { ConfigType, ResourceType } from './config-definition.ts';
import { TopicConfigs } from './topic-configs.ts';

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}
type Change = IncrementalAlterConfigsRequest['resources'][number]['configs'][number];

const Operation = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

/** AlterConfigs: what is not mentioned goes back to its default. */
export function alterConfigsHandler(topics: TopicRegistry, limits: ConfigLimits): Handler {
  return answering(alterConfigs, ({ resources, validateOnly }) => ({
    responses: resources.map((resource) =>
      altered(resource, () => {
        for (const { name, value } of resource.configs) checkConfig(name, value, limits);
        const topic = topicOf(resource, topics);
        const configs = new Map(resource.configs.map(({ name, value }) => [name, value as string]));
        if (!validateOnly) topics.alter(topic, configs);
      }),
    ),
  }));
}

/** IncrementalAlterConfigs: what is not mentioned stays as it is. */
export function incrementalAlterConfigsHandler(topics: TopicRegistry, limits: ConfigLimits): Handler {
  return answering(incrementalAlterConfigs, ({ resources, validateOnly }) => ({
    responses: resources.map((resource) =>
      altered(resource, () => {
        // What is wrong with the values is said first, also of topics that are not there.
        const present = topics.get(resource.resourceName)?.configs ?? new TopicConfigs({}, new Map());
        const configs = new Map(present.own);
        for (const change of resource.configs) applyChange(change, present, configs);
        for (const [name, value] of configs) checkConfig(name, value, limits);
        const topic = topicOf(resource, topics);
        if (!validateOnly) topics.alter(topic, configs);
      }),
    ),
  }));
}

function topicOf({ resourceType, resourceName }: Resource, topics: TopicRegistry): Topic {
  if (resourceType !== ResourceType.topic) {
    throw new Refusal(ErrorCode.INVALID_REQUEST, 'only topics can be altered; the broker takes its configuration at its start');
  }
  const topic = topics.get(resourceName);
  if (topic === undefined) throw new Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  return topic;
}

function applyChange({ name, configOperation, value }: Change, before: TopicConfigs, configs: Map<string, string>): void {
  if (configOperation > Operation.subtract)
    throw new Refusal(ErrorCode.INVALID_REQUEST, `there is no operation ${configOperation}`);
  if (configOperation === Operation.delete) {
    configs.delete(name);
    return;
  }
  if (value === undefined) throw new Refusal(ErrorCode.INVALID_REQUEST, `Null value not supported for : ${name}`);
  const definition = definitionOf(name);
  if (definition === undefined) throw new Refusal(ErrorCode.INVALID_CONFIG, `Unknown topic config name: ${name}`);
  if (configOperation === Operation.set) {
    configs.set(name, value);
    return;
  }
  if (definition.type !== ConfigType.list) {
    throw new Refusal(ErrorCode.INVALID_CONFIG, `Can't append or subtract to config ${name}: it is not a list`);
  }
  if (configOperation === Operation.append && value.split(',').some((one) => one.trim() === '')) {
    throw new Refusal(ErrorCode.INVALID_CONFIG, `an element to be appended to ${name} is empty`);
  }
  const present = elementsOf(configs.get(name) ?? before.effective(name).value);
  const given = elementsOf(value);
  const result =
    configOperation === Operation.append
      ? [...present, ...given.filter((one) => !present.includes(one))]
      : present.filter((one) => !given.includes(one));
  configs.set(name, result.join(','));
}

function altered({ resourceType, resourceName }: Resource, alter: () => void) {
  try {
    alter();
    return { resourceType, resourceName, errorCode: ErrorCode.NONE };
  } catch (error) {
    const { errorCode, message } = refusalOf(error);
    return { resourceType, resourceName, errorCode, errorMessage: message };
  }
}
