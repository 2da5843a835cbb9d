import { FatalStreamsError } from '@millrace/core';
import { matchesTopic, type TopologyPlan } from '@millrace/topology';
import { changelogTopicName, internalTopicName } from '../topics/topic-names.ts';
import type { ResetRequest } from './reset-request.ts';

/** How names of internal topics end. Source: Kafka `StreamsResetter.matchesInternalTopicFormat`. */
const INTERNAL_SUFFIX =
  /-(?:changelog|repartition|subscription-(?:registration|response)-topic|KTABLE-FK-JOIN-SUBSCRIPTION-(?:REGISTRATION|RESPONSE)-\d+-topic)$/;

/** The topics of the cluster that a reset of an application is about. */
export interface ApplicationTopics {
  /** Inputs that are read again. */
  readonly inputs: readonly string[];
  /** Inputs that are skipped to their ends. */
  readonly intermediates: readonly string[];
  /** To be deleted; they exist. */
  readonly doomed: readonly string[];
  /** Read like internal topics of another version of the topology, or of an application whose id begins like this one's. */
  readonly leftovers: readonly string[];
  /** Inputs that the topology writes too and that the request does not name as intermediate. */
  readonly writtenInputs: readonly string[];
}

/**
 * Decides by the names alone which topics a reset touches. A topic that the topology does not make is deleted only when the
 * request names it, and even then only when its name is one that this application could have given.
 *
 * @param existing names of all topics of the cluster
 * @throws FatalStreamsError `RESET_TOPIC_MISSING` an input, or a topic that the request names, does not exist;
 * `RESET_TOPIC_FOREIGN` a topic that the request names is no input, or not this application's
 */
export function applicationTopics(
  plan: TopologyPlan,
  applicationId: string,
  existing: ReadonlySet<string>,
  request: ResetRequest,
): ApplicationTopics {
  const own = internalTopicsOf(plan, applicationId);
  const all = inputsOf(plan, existing, own);
  const intermediates = request.intermediateTopics ?? [];
  refuseMissing([...all, ...intermediates], existing);
  for (const topic of intermediates) {
    if (!all.includes(topic)) throw foreign(topic, 'the topology does not read it; name only inputs as intermediate topics');
  }
  const present = own.filter((topic) => existing.has(topic));
  const leftovers = [...existing].filter((topic) => !own.includes(topic) && looksInternal(topic, applicationId)).sort();
  const inputs = all.filter((topic) => !intermediates.includes(topic));
  const written = new Set(plan.subtopologies.flatMap(({ sinkTopics }) => sinkTopics));
  return {
    inputs,
    intermediates,
    doomed: request.internalTopics === undefined ? present : named(request.internalTopics, existing, [...own, ...leftovers]),
    leftovers: leftovers.filter((topic) => request.internalTopics?.includes(topic) !== true),
    writtenInputs: inputs.filter((topic) => written.has(topic)),
  };
}

/** Every topic that an application with this topology makes for itself, by its name on the broker. */
function internalTopicsOf({ subtopologies }: TopologyPlan, applicationId: string): string[] {
  const names = subtopologies.flatMap(({ repartitionSources, repartitionSinks, stores }) => [
    ...repartitionSources.map(({ name }) => internalTopicName(applicationId, name)),
    ...repartitionSinks.map((name) => internalTopicName(applicationId, name)),
    ...stores
      .filter(({ builder, sourceTopicAsChangelog }) => builder.loggingEnabled && sourceTopicAsChangelog === undefined)
      .map(({ builder }) => changelogTopicName(applicationId, builder.name)),
  ]);
  return [...new Set(names)].sort();
}

/** A pattern may also match what the application makes for itself: that is never an input to be read again. */
function inputsOf({ subtopologies }: TopologyPlan, existing: ReadonlySet<string>, own: readonly string[]): string[] {
  const patterns = subtopologies.flatMap(({ sourcePatterns }) => sourcePatterns);
  const matched = [...existing].filter((topic) => patterns.some((pattern) => matchesTopic(pattern, topic)));
  const fixed = subtopologies.flatMap(({ sourceTopics }) => sourceTopics);
  return [...new Set([...fixed, ...matched.filter((topic) => !own.includes(topic))])].sort();
}

function looksInternal(topic: string, applicationId: string): boolean {
  return topic.startsWith(`${applicationId}-`) && INTERNAL_SUFFIX.test(topic);
}

function named(topics: readonly string[], existing: ReadonlySet<string>, allowed: readonly string[]): string[] {
  for (const topic of topics) {
    if (!allowed.includes(topic) && existing.has(topic)) throw foreign(topic, 'it is no internal topic of this application');
  }
  refuseMissing(topics, existing);
  return [...topics];
}

function refuseMissing(topics: readonly string[], existing: ReadonlySet<string>): void {
  const missing = topics.filter((topic) => !existing.has(topic));
  if (missing.length === 0) return;
  throw new FatalStreamsError(
    'RESET_TOPIC_MISSING',
    `${missing.join(', ')}: there is no such topic, or the principal may not see it (DESCRIBE); nothing was changed. Create it, or check its name and the rights`,
    { topic: missing[0] },
  );
}

function foreign(topic: string, why: string): FatalStreamsError {
  return new FatalStreamsError('RESET_TOPIC_FOREIGN', `${topic} cannot be reset: ${why}; nothing was changed`, { topic });
}
