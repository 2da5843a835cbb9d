import { describe, expect, it } from 'vitest';
import { silentLogger } from '@millrace/core';
import type { CommittedOffset, TopicDescription } from '@millrace/client';
import type { RecreatedInputPolicy } from '../settings/settings.ts';
import { decodeEmittedTimes, decodeOffsetMetadata, decodeTopicId, encodeOffsetMetadata } from '../task/offset-metadata.ts';
import { InputTopics } from './input-topics.ts';

const FORMER = '01234567-89ab-cdef-0123-456789abcdef';
const LATTER = 'fedcba98-7654-3210-fedc-ba9876543210';
const { signal } = new AbortController();

/** A cluster with one topic that is deleted and made again at will; whoever reads it begins at offset 3. */
class Stage {
  topicId: string | undefined = FORMER;
  exists = true;

  topics(onRecreatedInput: RecreatedInputPolicy, isInternal = false): InputTopics {
    const describe = (name: string): TopicDescription | undefined =>
      this.exists ? { name, partitions: 2, topicId: this.topicId } : undefined;
    return new InputTopics({
      admin: { describeTopics: async (names) => new Map(names.map((name) => [name, describe(name)])) },
      logger: silentLogger,
      onRecreatedInput,
      isInternal: () => isInternal,
      resetOffset: async () => 3,
    });
  }
}

function committed(offset: number, metadata = ''): CommittedOffset {
  return { topic: 'in', partition: 0, offset, metadata };
}

describe('InputTopics', () => {
  it('puts the topic id into offsets that say nothing of it, and leaves the rest as it is', async () => {
    const topics = new Stage().topics('fail');
    const [adopted] = await topics.adopt([committed(40, encodeOffsetMetadata(7, new Map([['w', 5]])))], signal);
    const { offset, metadata = '' } = adopted ?? {};
    expect([offset, decodeOffsetMetadata(metadata), decodeTopicId(metadata)]).toEqual([40, 7, FORMER]);
    expect(decodeEmittedTimes(metadata)).toEqual(new Map([['w', 5]]));
    expect(topics.idOf({ topic: 'in', partition: 0 })).toBe(FORMER);
  });

  it('leaves offsets alone when the broker knows no topic ids', async () => {
    const stage = new Stage();
    stage.topicId = undefined;
    const topics = stage.topics('fail');
    const offset = committed(40, encodeOffsetMetadata(7, new Map(), FORMER));
    expect(await topics.adopt([offset], signal)).toEqual([offset]);
    await topics.assertSame(offset, 40, signal);
  });

  it('F21: refuses an offset that was committed for another topic of the same name, and says what to do', async () => {
    const stage = new Stage();
    const offset = committed(40, encodeOffsetMetadata(7, new Map(), LATTER));
    const refused = expect(stage.topics('fail').adopt([offset], signal)).rejects;
    await refused.toMatchObject({
      name: 'FatalStreamsError',
      code: 'INPUT_TOPIC_RECREATED',
      topic: 'in',
      partition: 0,
      offset: 40,
      message: expect.stringMatching(`id was ${LATTER}, now it is ${FORMER}.*millrace reset.*onRecreatedInput 'reset'`) as string,
    });
  });

  it('F21: knows what it read itself, when the broker has forgotten the offset with the topic', async () => {
    const stage = new Stage();
    const topics = stage.topics('fail');
    await topics.adopt([committed(40)], signal);
    stage.topicId = LATTER;
    await expect(topics.adopt([committed(-1)], signal)).rejects.toMatchObject({ code: 'INPUT_TOPIC_RECREATED' });
  });

  it('F21: begins anew in the new topic when that is asked for: windows that were emitted stay emitted', async () => {
    const topics = new Stage().topics('reset');
    const metadata = encodeOffsetMetadata(7, new Map([['w', 5]]), LATTER);
    const [adopted] = await topics.adopt([committed(40, metadata)], signal);
    const text = adopted?.metadata ?? '';
    expect([adopted?.offset, decodeOffsetMetadata(text), decodeTopicId(text)]).toEqual([3, -1, FORMER]);
    expect(decodeEmittedTimes(text)).toEqual(new Map([['w', 5]]));
  });

  it('F21: does not begin anew in a topic that lacks the partition', async () => {
    const offset = { ...committed(40, encodeOffsetMetadata(7, new Map(), LATTER)), partition: 2 };
    await expect(new Stage().topics('reset').adopt([offset], signal)).rejects.toMatchObject({
      name: 'FatalStreamsError',
      code: 'INPUT_TOPIC_RECREATED',
      message: expect.stringContaining('with 2 partitions only') as string,
    });
  });

  it('leaves a topic that the broker has not heard of yet to whoever reads it, under the id that it is to have', async () => {
    const stage = new Stage();
    stage.exists = false;
    const topics = stage.topics('fail');
    const offset = committed(40, encodeOffsetMetadata(7, new Map(), FORMER));
    expect(await topics.adopt([offset], signal)).toEqual([offset]);
    expect(topics.idOf(offset)).toBe(FORMER);
  });

  it('never begins anew in a repartition topic: what was under way in it is gone', async () => {
    const offset = committed(40, encodeOffsetMetadata(7, new Map(), LATTER));
    await expect(new Stage().topics('reset', true).adopt([offset], signal)).rejects.toMatchObject({ name: 'FatalStreamsError' });
  });

  it.each([
    ['fail', 'FatalStreamsError'],
    ['reset', 'RetriableError'],
  ] as const)('F21: a topic that is gone means for the policy %s a %s', async (policy, name) => {
    const stage = new Stage();
    const topics = stage.topics(policy);
    await topics.adopt([committed(40)], signal);
    stage.exists = false;
    await expect(topics.assertSame(committed(40), 40, signal)).rejects.toMatchObject({
      name,
      code: 'INPUT_TOPIC_MISSING',
      topic: 'in',
    });
    await expect(topics.adopt([committed(-1)], signal)).rejects.toMatchObject({ name, code: 'INPUT_TOPIC_MISSING' });
  });
});
