import { type Clock, type Logger, RetriableError, SettingsError } from '@millrace/core';
import type { Admin } from '@millrace/client';
import { Backoff } from '../worker/backoff.ts';

export interface DeadLetterTopicOptions {
  readonly admin: Pick<Admin, 'describeTopics'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Looks whether the topic for dead letters is there, before anything runs: when the first one is to be written it would be too late
 * to say so. It is not made: its partitions, retention and who may read it are decisions of the operator. A look-up that fails for
 * a passing reason is made again.
 *
 * @param topic the setting; `undefined`: there is nothing to look for
 * @param stop interrupts the look-up; then this resolves
 * @throws SettingsError `DEAD_LETTER_TOPIC_MISSING`
 */
export async function assertDeadLetterTopic(
  topic: string | undefined,
  { admin, clock, logger }: DeadLetterTopicOptions,
  stop: AbortSignal,
): Promise<void> {
  if (topic === undefined) return;
  const backoff = new Backoff(clock, 50, 5000);
  while (!stop.aborted) {
    try {
      await backoff.wait(stop);
      const found = await admin.describeTopics([topic], stop);
      if (found.get(topic) !== undefined) return;
      throw topicMissing(topic);
    } catch (error) {
      if (stop.aborted) return;
      if (!(error instanceof RetriableError)) throw error;
      logger.warn('the topic for dead letters could not be looked up; trying again', { topic, error });
    }
  }
}

function topicMissing(topic: string): SettingsError {
  return new SettingsError(
    'DEAD_LETTER_TOPIC_MISSING',
    'the topic for dead letters does not exist; create it before the application starts, or leave out the setting deadLetterTopic',
    { topic },
  );
}
