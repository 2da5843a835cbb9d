import { RetriableError, silentLogger } from '@millrace/core';
import type { TopicDescription } from '@millrace/client';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../task-harness/manual-clock.ts';
import { assertDeadLetterTopic } from './dead-letter-topic.ts';

type Answer = 'there' | 'missing' | 'passing' | 'fatal';

/** A broker that gives these answers, one after the other. */
function asked(answers: Answer[], stop = new AbortController()) {
  const clock = new ManualClock();
  const looks: string[] = [];
  const admin = {
    describeTopics: async ([name = '']: readonly string[]): Promise<Map<string, TopicDescription | undefined>> => {
      looks.push(name);
      const answer = answers.shift();
      if (answer === 'passing') throw new RetriableError('BROKER_UNREACHABLE', 'not now');
      if (answer === 'fatal') throw new Error('not allowed');
      return new Map([[name, answer === 'there' ? { name, partitions: 1 } : undefined]]);
    },
  };
  const done = assertDeadLetterTopic('dead', { admin, clock, logger: silentLogger }, stop.signal);
  return { done, looks, clock };
}

describe('assertDeadLetterTopic', () => {
  it('looks for nothing without the setting', async () => {
    const admin = { describeTopics: () => Promise.reject(new Error('nobody has asked for a topic')) };
    const options = { admin, clock: new ManualClock(), logger: silentLogger };
    await expect(assertDeadLetterTopic(undefined, options, new AbortController().signal)).resolves.toBeUndefined();
  });

  it('is content with a topic that is there, also when it takes several looks', async () => {
    const { done, looks, clock } = asked(['passing', 'passing', 'there']);
    await clock.advance(1000);
    await done;
    expect(looks).toEqual(['dead', 'dead', 'dead']);
  });

  it('refuses a topic that is not there, and gives up where trying again does not help', async () => {
    await expect(asked(['missing']).done).rejects.toMatchObject({
      name: 'SettingsError',
      code: 'DEAD_LETTER_TOPIC_MISSING',
      topic: 'dead',
    });
    await expect(asked(['fatal']).done).rejects.toThrow('not allowed');
  });

  it('ends quietly when the application stops in between', async () => {
    const stop = new AbortController();
    const { done, looks, clock } = asked(['passing', 'passing'], stop);
    await clock.settle();
    stop.abort();
    await clock.advance(1000);
    await done;
    expect(looks).toEqual(['dead', 'dead']);
  });
});
