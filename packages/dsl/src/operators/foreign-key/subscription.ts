import { type ByteBuffer, CorruptDataError, type Serde } from '@millrace/core';
import { toBytes } from './whole-bytes.ts';

/** What the right side of a foreign-key join has to do with a subscription. */
export const instructions = {
  /** Forget it. */
  deleteSilently: 0,
  /** Forget it, and answer that there is no row. */
  deleteAndAnswer: 1,
  /** Keep it, and answer with the row, or that there is none. */
  answerAlways: 2,
  /** Keep it, and answer with the row if there is one. */
  answerIfPresent: 3,
} as const;

export type Instruction = (typeof instructions)[keyof typeof instructions];

/** Bytes of the hash of a left value. */
export const HASH_BYTES = 16;

/** A row of the left table subscribes to the row of the right table that its foreign key names. */
export interface Subscription {
  readonly instruction: Instruction;
  /** Of the left value; absent when it is. */
  readonly hash: Buffer | undefined;
  /** Key of the left row, serialised. */
  readonly primaryKey: Buffer;
  /** Where the left row is, and the answer must go; absent in subscriptions that Kafka Streams before 3.4 wrote. */
  readonly primaryPartition: number | undefined;
}

const HASH_ABSENT = 0x80;
const MAX_VERSION = 1;

/**
 * Subscriptions in their topic and in the changelog of their store, byte for byte as Kafka Streams writes them:
 * `{1 bit: hash is absent, 7 bits: version}{instruction}{16 bytes hash}{left key}{int32 partition}`.
 *
 * Source: Kafka Streams `SubscriptionWrapperSerde`; versions 0 (without partition) and 1.
 */
export const subscriptionSerde: Serde<Subscription> = {
  name: 'foreign-key subscription',
  immutable: true,
  serialize: (subscription) => toBytes(subscription, write),
  deserialize: (bytes) => read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length),
  write,
  read,
};

function write({ instruction, hash, primaryKey, primaryPartition }: Subscription, target: ByteBuffer): void {
  const version = primaryPartition === undefined ? 0 : 1;
  target.writeUint8(hash === undefined ? HASH_ABSENT | version : version);
  target.writeUint8(instruction);
  if (hash !== undefined) target.writeBytes(hash);
  target.writeBytes(primaryKey);
  if (primaryPartition !== undefined) target.writeInt32(primaryPartition);
}

function read(source: Buffer, start: number, end: number): Subscription {
  const flags = end - start < 2 ? -1 : (source[start] as number);
  const hasHash = flags < HASH_ABSENT;
  const version = flags & 0x7f;
  const keyStart = start + 2 + (hasHash ? HASH_BYTES : 0);
  const keyEnd = version === 0 ? end : end - 4;
  if (flags < 0 || keyEnd < keyStart) throw corrupt(`${end - start} bytes are too few`);
  if (version > MAX_VERSION) throw corrupt(`its version is ${version}; run a newer version of the application`);
  const instruction = source[start + 1] as number;
  if (instruction > instructions.answerIfPresent) throw corrupt(`there is no instruction ${instruction}`);
  return {
    instruction: instruction as Instruction,
    hash: hasHash ? copy(source, start + 2, keyStart) : undefined,
    primaryKey: copy(source, keyStart, keyEnd),
    primaryPartition: version === 0 ? undefined : source.readInt32BE(keyEnd),
  };
}

/** The bytes outlive the large buffer that they came in. */
function copy(source: Buffer, start: number, end: number): Buffer {
  return Buffer.from(source.subarray(start, end));
}

function corrupt(reason: string): CorruptDataError {
  return new CorruptDataError(
    'SUBSCRIPTION_CORRUPT',
    `a record is no subscription of a foreign-key join: ${reason}; does something else write to its topic?`,
  );
}
