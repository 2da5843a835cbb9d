import { FatalStreamsError } from '@millrace/core';
import type { BatchAppender, TopicHandle } from '@millrace/client';

/** The producer of a task that produces nothing: global stores have no sinks, and their topics are their changelogs. */
export const noAppender: BatchAppender = {
  backPressure: false,
  bufferedBytes: 0,
  topic: (name): Promise<TopicHandle> => Promise.reject(refusal(name)),
  knownTopic: () => undefined,
  append: ({ topic }) => {
    throw refusal(topic);
  },
  drained: () => Promise.resolve(),
  endOffset: () => -1,
  takeFailure: () => undefined,
};

function refusal(topic: string): FatalStreamsError {
  return new FatalStreamsError('BUG', 'the task of the global stores was to write a record', { topic });
}
