import { describeConfigs, type DescribeConfigsRequest, ErrorCode } from '@millrace/wire';
import { answering, type Handler } from '../server/handler.ts';
import type { TopicRegistry } from '../topics/topic-registry.ts';
import type { Topic } from '../topics/topic.ts';
import { describeBroker } from './broker-configs.ts';
import { ConfigSource, ResourceType } from './config-definition.ts';
import { topicConfigTable } from './topic-config-table.ts';

type Resource = DescribeConfigsRequest['resources'][number];

/** DescribeConfigs: of topics in full, of the broker what clients look at. */
export function describeConfigsHandler(
  topics: TopicRegistry,
  nodeId: number,
  brokerConfigs: ReadonlyMap<string, string>,
): Handler {
  return answering(describeConfigs, ({ resources, includeSynonyms }) => ({
    results: resources.map((resource) => ({
      resourceType: resource.resourceType,
      resourceName: resource.resourceName,
      ...describe(resource, includeSynonyms),
    })),
  }));

  function describe(resource: Resource, withSynonyms: boolean) {
    if (resource.resourceType === ResourceType.topic) return describeTopic(resource, withSynonyms);
    const isThisBroker = resource.resourceName === '' || resource.resourceName === String(nodeId);
    if (resource.resourceType === ResourceType.broker && isThisBroker) {
      return { errorCode: ErrorCode.NONE, configs: describeBroker(brokerConfigs, resource.configurationKeys) };
    }
    return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: `Unexpected resource ${resource.resourceName}`, configs: [] };
  }

  function describeTopic({ resourceName, configurationKeys }: Resource, withSynonyms: boolean) {
    const topic = topics.get(resourceName);
    if (topic === undefined) return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, configs: [] };
    const names = Object.keys(topicConfigTable).filter((name) => configurationKeys?.includes(name) ?? true);
    return { errorCode: ErrorCode.NONE, configs: names.map((name) => describeOne(topic, name, withSynonyms)) };
  }
}

function describeOne({ configs }: Topic, name: string, withSynonyms: boolean) {
  const { value, source } = configs.effective(name);
  return {
    name,
    value,
    readOnly: false,
    configSource: source,
    isSensitive: false,
    configType: topicConfigTable[name]?.type ?? 0,
    synonyms: withSynonyms ? synonymsOf(configs, name) : [],
  };
}

function synonymsOf(configs: Topic['configs'], name: string) {
  const own = configs.own.get(name);
  const inherited = configs.inherited(name);
  const brokerName = topicConfigTable[name]?.brokerName ?? name;
  return [
    ...(own === undefined ? [] : [{ name, value: own, source: ConfigSource.topic }]),
    { name: brokerName, value: inherited.value, source: inherited.source },
  ];
}
