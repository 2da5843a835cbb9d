import { type ByteBuffer, CorruptDataError, readWith, type Serde, writeWith } from '@millrace/core';
import { HASH_BYTES } from './subscription.ts';
import { toBytes } from './whole-bytes.ts';

/** What the right side of a foreign-key join answers to a subscription. */
export interface SubscriptionResponse<R> {
  /** Of the left value that the answer is for; absent when it was. */
  readonly hash: Buffer | undefined;
  /** The right row; absent when there is none. */
  readonly foreignValue: R | undefined;
  /** Where the answer must go; not part of the bytes. */
  readonly primaryPartition: number | undefined;
}

const HASH_ABSENT = 0x80;

/**
 * Answers in their topic, byte for byte as Kafka Streams writes them: `{1 bit: hash is absent, 7 bits: version 0}{16 bytes hash}
 * {right value}`. A value of no bytes reads as absent.
 *
 * Source: Kafka Streams `SubscriptionResponseWrapperSerde`.
 */
export function subscriptionResponseSerde<R>(value: Serde<R>): Serde<SubscriptionResponse<R>> {
  const write = ({ hash, foreignValue }: SubscriptionResponse<R>, target: ByteBuffer, topic: string): void => {
    target.writeUint8(hash === undefined ? HASH_ABSENT : 0);
    if (hash !== undefined) target.writeBytes(hash);
    if (foreignValue != null) writeWith(value, foreignValue, target, topic);
  };
  const read = (source: Buffer, start: number, end: number, topic: string): SubscriptionResponse<R> => {
    const flags = source[start];
    const hasHash = flags === 0;
    const valueStart = start + 1 + (hasHash ? HASH_BYTES : 0);
    if (!(hasHash || flags === HASH_ABSENT) || end < valueStart) throw corrupt(flags, end - start);
    return {
      hash: hasHash ? Buffer.from(source.subarray(start + 1, valueStart)) : undefined,
      foreignValue: end === valueStart ? undefined : readWith(value, source, valueStart, end, topic),
      primaryPartition: undefined,
    };
  };
  return {
    name: `answer to a foreign-key subscription with ${value.name}`,
    serialize: (response, topic) => toBytes(response, (one, target) => write(one, target, topic)),
    deserialize: (bytes, topic) => read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, topic),
    write,
    read,
  };
}

function corrupt(flags: number | undefined, length: number): CorruptDataError {
  return new CorruptDataError(
    'SUBSCRIPTION_RESPONSE_CORRUPT',
    `a record of ${length} bytes that begins with ${flags ?? 'nothing'} is no answer of a foreign-key join that this version ` +
      'understands; does something else write to its topic?',
  );
}
