import { ByteBuffer, int32, json, type Serde, string } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ForeignKeyBytes } from './foreign-key-serdes.ts';
import { instructions, type Subscription, subscriptionSerde } from './subscription.ts';
import { subscriptionResponseSerde } from './subscription-response.ts';

const hash = Buffer.from('2e7425dec1f8bcdf51e014f04aa41568', 'hex');
const primaryKey = Buffer.from('pk-1');

function hex<T>(serde: Serde<T>, value: T): string {
  const target = new ByteBuffer(1);
  serde.write?.(value, target, 't');
  expect(Buffer.from(serde.serialize(value, 't'))).toEqual(target.view());
  return target.view().toString('hex');
}

/** Written by Kafka Streams 4.3.1, `SubscriptionWrapperSerde`. */
const subscriptions: readonly [subscription: Subscription, hex: string][] = [
  [
    { instruction: instructions.deleteSilently, hash, primaryKey, primaryPartition: 7 },
    '01002e7425dec1f8bcdf51e014f04aa41568706b2d3100000007',
  ],
  [{ instruction: instructions.deleteAndAnswer, hash: undefined, primaryKey, primaryPartition: 7 }, '8101706b2d3100000007'],
  [
    { instruction: instructions.answerAlways, hash, primaryKey, primaryPartition: 7 },
    '01022e7425dec1f8bcdf51e014f04aa41568706b2d3100000007',
  ],
  [
    { instruction: instructions.answerIfPresent, hash, primaryKey, primaryPartition: 7 },
    '01032e7425dec1f8bcdf51e014f04aa41568706b2d3100000007',
  ],
  [
    { instruction: instructions.deleteSilently, hash, primaryKey, primaryPartition: undefined },
    '00002e7425dec1f8bcdf51e014f04aa41568706b2d31',
  ],
];

describe('subscription serde', () => {
  it('writes and reads the bytes of Kafka Streams', () => {
    for (const [subscription, bytes] of subscriptions) {
      expect(hex(subscriptionSerde, subscription)).toBe(bytes);
      expect(subscriptionSerde.deserialize(Buffer.from(bytes, 'hex'), 't')).toEqual(subscription);
    }
  });

  it('refuses bytes that are no subscription', () => {
    for (const bytes of ['', '01', '0100', '8101000000', `0104${'00'.repeat(20)}`, `0202${'00'.repeat(20)}`]) {
      expect(() => subscriptionSerde.deserialize(Buffer.from(bytes, 'hex'), 't')).toThrow(
        expect.objectContaining({ code: 'SUBSCRIPTION_CORRUPT' }),
      );
    }
  });
});

/** Written by Kafka Streams 4.3.1, `SubscriptionResponseWrapperSerde`. */
const responses: readonly [hash: Buffer | undefined, foreignValue: string | undefined, hex: string][] = [
  [hash, 'right', '002e7425dec1f8bcdf51e014f04aa415687269676874'],
  [undefined, 'right', '807269676874'],
  [hash, undefined, '002e7425dec1f8bcdf51e014f04aa41568'],
  [undefined, undefined, '80'],
];

describe('serde of answers', () => {
  const serde = subscriptionResponseSerde(string());

  it('writes and reads the bytes of Kafka Streams', () => {
    for (const [one, foreignValue, bytes] of responses) {
      const response = { hash: one, foreignValue, primaryPartition: undefined };
      expect(hex(serde, response)).toBe(bytes);
      expect(serde.deserialize(Buffer.from(bytes, 'hex'), 't')).toEqual(response);
    }
  });

  it('reads a value of no bytes as absent', () => {
    const bytes = serde.serialize({ hash, foreignValue: '', primaryPartition: undefined }, 't');
    expect(serde.deserialize(bytes, 't').foreignValue).toBeUndefined();
  });

  it('refuses bytes that are no answer', () => {
    for (const bytes of ['', '00', '01', '81', `00${'00'.repeat(15)}`]) {
      expect(() => serde.deserialize(Buffer.from(bytes, 'hex'), 't')).toThrow(
        expect.objectContaining({ code: 'SUBSCRIPTION_RESPONSE_CORRUPT' }),
      );
    }
  });
});

describe('bytes of a foreign-key join', () => {
  const topics: string[] = [];
  const noting = <T>(serde: Serde<T>): Serde<T> => ({
    name: 'noting',
    serialize: (value, topic) => {
      topics.push(topic);
      return serde.serialize(value, topic);
    },
    deserialize: (bytes, topic) => serde.deserialize(bytes, topic),
  });
  const serdes = { primaryKey: noting(string()), leftValue: noting(json()), foreignKey: noting(string()), topic: 'j-topic' };
  const bytes = new ForeignKeyBytes(serdes, { applicationId: 'app' });

  it('puts the length of the foreign key before both keys', () => {
    expect(bytes.subscriptionKey('f1', Buffer.from('p-1')).toString('hex')).toBe('000000026631702d31');
    expect(bytes.prefix('f1').toString('hex')).toBe('000000026631');
  });

  it('tells serdes the topics of Kafka Streams', () => {
    topics.length = 0;
    bytes.primaryKey('p');
    bytes.prefix('f');
    bytes.hash({});
    expect(topics).toEqual(['app-j-topic-pk', 'app-j-topic-fk', 'app-j-topic-vh']);
  });

  it('compares foreign keys by their bytes, or as primitives', () => {
    const objects = new ForeignKeyBytes({ ...serdes, foreignKey: json<object>() }, { applicationId: 'app' });
    expect(objects.sameForeignKey({ a: 1 }, { a: 1 })).toBe(true);
    expect(objects.sameForeignKey({ a: 1 }, { a: 2 })).toBe(false);
    const numbers = new ForeignKeyBytes({ ...serdes, foreignKey: int32() }, { applicationId: 'app' });
    expect([numbers.sameForeignKey(1, 1), numbers.sameForeignKey(1, 2)]).toEqual([true, false]);
  });

  it('gives every pair of keys bytes of its own', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 20 }), (pairs) => {
        const texts = pairs.map(([foreign, primary]) => bytes.subscriptionKey(foreign, Buffer.from(primary)).toString('hex'));
        expect(new Set(texts).size).toBe(new Set(pairs.map((pair) => JSON.stringify(pair))).size);
      }),
    );
  });
});
