import { ByteBuffer, type Serde, writeWith } from '@millrace/core';
import type { NodeContext } from '@millrace/topology';
import { murmur3 } from './murmur3.ts';
import { HASH_BYTES } from './subscription.ts';

/** Serdes of the two tables of a foreign-key join, as far as the subscriptions need them. */
export interface ForeignKeySerdes<K, L, FK> {
  readonly primaryKey: Serde<K>;
  readonly leftValue: Serde<L>;
  readonly foreignKey: Serde<FK>;
  /** Name of the subscription topic, without the application prefix: what serdes are told is derived from it. */
  readonly topic: string;
}

/** How much of a subscription's key belongs to the right row: the length of the foreign key, and the foreign key. */
export function subscriptionPrefixLength(key: string): number {
  let length = 0;
  for (let i = 0; i < 4; i++) length = length * 0x100 + key.charCodeAt(i);
  return 4 + length;
}

/**
 * Turns the keys and values of a foreign-key join into bytes, for one node. What is returned is valid until the next call.
 *
 * Source: Kafka Streams `CombinedKeySchema`, and the pseudo-topics of `KTableImpl.doJoinOnForeignKey`.
 */
export class ForeignKeyBytes<K, L, FK> {
  readonly #serdes: ForeignKeySerdes<K, L, FK>;
  readonly #primaryTopic: string;
  readonly #foreignTopic: string;
  readonly #hashTopic: string;
  readonly #scratch = new ByteBuffer(256);
  readonly #hash = Buffer.alloc(HASH_BYTES);

  constructor(serdes: ForeignKeySerdes<K, L, FK>, { applicationId }: Pick<NodeContext, 'applicationId'>) {
    this.#serdes = serdes;
    this.#primaryTopic = `${applicationId}-${serdes.topic}-pk`;
    this.#foreignTopic = `${applicationId}-${serdes.topic}-fk`;
    this.#hashTopic = `${applicationId}-${serdes.topic}-vh`;
  }

  primaryKey(key: K): Buffer {
    return this.#write(this.#serdes.primaryKey, key, this.#primaryTopic);
  }

  readPrimaryKey(bytes: Uint8Array): K {
    return this.#serdes.primaryKey.deserialize(bytes, this.#primaryTopic);
  }

  sameForeignKey(a: FK, b: FK): boolean {
    const { foreignKey } = this.#serdes;
    if (a === b || foreignKey.primitive === true) return a === b;
    return Buffer.compare(foreignKey.serialize(a, this.#foreignTopic), foreignKey.serialize(b, this.#foreignTopic)) === 0;
  }

  /** `{int32 length of the foreign key}{foreign key}{primary key}`: where a subscription is stored. */
  subscriptionKey(foreignKey: FK, primaryKey: Uint8Array): Buffer {
    this.prefix(foreignKey);
    this.#scratch.writeBytes(primaryKey);
    return this.#scratch.view();
  }

  /** What the keys of all subscriptions to a row of the right table begin with. */
  prefix(foreignKey: FK): Buffer {
    const scratch = this.#scratch;
    scratch.clear();
    scratch.writeInt32(0);
    writeWith(this.#serdes.foreignKey, foreignKey, scratch, this.#foreignTopic);
    scratch.bytes.writeInt32BE(scratch.length - 4, 0);
    return scratch.view();
  }

  /** The hash of a left value. */
  hash(value: L): Buffer {
    const bytes = this.#write(this.#serdes.leftValue, value, this.#hashTopic);
    murmur3(bytes, 0, bytes.length, this.#hash);
    return this.#hash;
  }

  #write<T>(serde: Serde<T>, value: T, topic: string): Buffer {
    this.#scratch.clear();
    writeWith(serde, value, this.#scratch, topic);
    return this.#scratch.view();
  }
}
