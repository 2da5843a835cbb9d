import { TopologyError } from '@millrace/core';
import type { StreamsGroupSubtopology } from '@millrace/client';
import type { SubtopologyPlan, TopologyPlan } from '@millrace/topology';
import type { ResolvedSettings } from '../settings/settings.ts';
import { CHANGELOG_CONFIG, REPARTITION_CONFIG } from '../topics/internal-topics.ts';
import { changelogTopicName, internalTopicName } from '../topics/topic-names.ts';
import { topicResolver } from '../task/topic-resolver.ts';

type TopicSettings = Pick<ResolvedSettings, 'applicationId' | 'topicConfig' | 'replicationFactor'>;

/**
 * The topology as a broker has to know it that makes the internal topics and assigns the tasks itself.
 *
 * @throws TopologyError `PATTERN_UNSUPPORTED`: brokers up to 4.3 assign no topics that match a pattern
 */
export function streamsGroupTopology(plan: TopologyPlan, settings: TopicSettings): StreamsGroupSubtopology[] {
  return plan.subtopologies.map((part) => describe(part, settings));
}

function describe(part: SubtopologyPlan, settings: TopicSettings): StreamsGroupSubtopology {
  const [pattern] = part.sourcePatterns;
  if (pattern !== undefined) {
    throw new TopologyError(
      'PATTERN_UNSUPPORTED',
      `the topology reads the topics that match ${pattern}, which a group of groupProtocol 'streams' cannot; name the topics, or use groupProtocol 'classic'`,
    );
  }
  const { applicationId, replicationFactor, topicConfig } = settings;
  const nameOf = topicResolver(part, applicationId);
  return {
    id: String(part.id),
    sourceTopics: part.sourceTopics,
    repartitionSinks: part.repartitionSinks.map((name) => internalTopicName(applicationId, name)),
    repartitionSources: part.repartitionSources.map(({ name, partitions }) => ({
      name: internalTopicName(applicationId, name),
      partitions,
      replicationFactor,
      configs: { ...REPARTITION_CONFIG, ...topicConfig },
    })),
    changelogs: part.stores
      .filter(({ builder, sourceTopicAsChangelog }) => builder.loggingEnabled && sourceTopicAsChangelog === undefined)
      .map(({ builder }) => ({
        name: changelogTopicName(applicationId, builder.name),
        partitions: undefined,
        replicationFactor,
        configs: { ...CHANGELOG_CONFIG, ...builder.changelogConfig, ...topicConfig, ...builder.changelogOverrides },
      })),
    copartitionGroups: part.copartitionGroups.filter(({ length }) => length > 1).map((topics) => topics.map(nameOf)),
  };
}
