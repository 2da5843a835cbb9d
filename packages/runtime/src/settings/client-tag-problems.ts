import type { ResolvedSettings } from './settings.ts';

const TAGS_MAX = 5;
const NAME_LENGTH_MAX = 20;
const VALUE_LENGTH_MAX = 30;

/** What is wrong with the tags of a process. They travel with every subscription, so they are small. Source: Kafka `StreamsConfig`. */
export function clientTagProblems({ clientTags, rackAwareAssignmentTags }: ResolvedSettings): string[] {
  const problems: string[] = [];
  const tags = Object.entries(clientTags as { [tag: string]: unknown });
  if (tags.length > TAGS_MAX) problems.push(`clientTags: ${tags.length} tags; give at most ${TAGS_MAX}`);
  for (const [name, value] of tags) {
    if (isText(name, NAME_LENGTH_MAX) && isText(value, VALUE_LENGTH_MAX)) continue;
    problems.push(
      `clientTags: ${JSON.stringify(name)}: ${JSON.stringify(value)}; give a name of 1 to ${NAME_LENGTH_MAX} and a value of 1 to ${VALUE_LENGTH_MAX} characters`,
    );
  }
  const spread: unknown = rackAwareAssignmentTags;
  if (!Array.isArray(spread) || spread.length > TAGS_MAX || !spread.every((name) => isText(name, NAME_LENGTH_MAX))) {
    problems.push(`rackAwareAssignmentTags: ${JSON.stringify(spread)}; give a list of at most ${TAGS_MAX} names of client tags`);
  }
  return problems;
}

function isText(value: unknown, lengthMax: number): boolean {
  return typeof value === 'string' && value.length >= 1 && value.length <= lengthMax;
}
