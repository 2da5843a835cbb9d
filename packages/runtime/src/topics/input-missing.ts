import { FatalStreamsError } from '@millrace/core';

/** A topic that the application has begun to read is not there any more, and it was not told to wait for another one. */
export function inputMissing(topic: string): FatalStreamsError {
  return new FatalStreamsError(
    'INPUT_TOPIC_MISSING',
    "the topic was deleted while the application reads it. Make it again and reset the application (`millrace reset`), or start with onRecreatedInput 'reset'",
    { topic },
  );
}
