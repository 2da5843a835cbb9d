import type { SubtopologyPlan } from '@millrace/topology';
import { internalTopicName } from '../topics/topic-names.ts';

/** From names in the topology to names on the broker: internal topics carry the application id. */
export function topicResolver(subtopology: SubtopologyPlan, applicationId: string): (name: string) => string {
  const internal = new Set([...subtopology.repartitionSources.map(({ name }) => name), ...subtopology.repartitionSinks]);
  return (name) => (internal.has(name) ? internalTopicName(applicationId, name) : name);
}
