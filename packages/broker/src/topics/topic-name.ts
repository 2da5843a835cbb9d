import { ErrorCode } from '@millrace/wire';
import { Refusal } from '../refusal.ts';

const NAME_LENGTH_MAX = 249;

/** The topics of the broker itself. */
export const internalTopics = { offsets: '__consumer_offsets', transactions: '__transaction_state' } as const;

export function isInternalTopic(name: string): boolean {
  return name === internalTopics.offsets || name === internalTopics.transactions;
}

/** @throws Refusal INVALID_TOPIC_EXCEPTION when no topic can have the name */
export function checkTopicName(name: string): void {
  const problem = problemOf(name);
  if (problem !== undefined) throw new Refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, problem);
}

function problemOf(name: string): string | undefined {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed';
  if (name === '.' || name === '..') return "Topic name is invalid: '.' or '..' is not allowed";
  if (name.length > NAME_LENGTH_MAX) {
    return `Topic name is invalid: the length of '${name}' is longer than the max allowed length ${NAME_LENGTH_MAX}`;
  }
  if (/^[a-zA-Z0-9._-]+$/.test(name)) return undefined;
  return `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
}

/** Metric names make no difference between a dot and an underscore, so Kafka does not allow topics that differ only so. */
export function collidingName(name: string, existing: Iterable<string>): string | undefined {
  const flat = flattened(name);
  for (const one of existing) if (one !== name && flattened(one) === flat) return one;
  return undefined;
}

function flattened(name: string): string {
  return name.replaceAll('.', '_');
}
