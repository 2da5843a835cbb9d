import { assert, CorruptDataError } from '@millrace/core';
import { ProtocolReader } from '../primitives/protocol-reader.ts';
import { ProtocolWriter } from '../primitives/protocol-writer.ts';
import { array, bytes, int32, string, type Decoded, type Encodable, type Fields } from '../schema/field.ts';
import { compileStruct } from '../schema/struct-codec.ts';
import type { Codec } from '../schema/codec.ts';

/**
 * What members of a consumer group tell each other through the coordinator, which does not look inside: `Subscription` in
 * JoinGroup, `Assignment` in SyncGroup. Both begin with their version and use the old, not flexible encoding.
 *
 * Source: Kafka `ConsumerProtocol`, KIP-54, KIP-429, KIP-792, KIP-881.
 */
const VERSION_MAX = 3;

const subscriptionFields = {
  topics: array(string()),
  userData: bytes({ nullable: '0+' }),
  /** What the member owns while it rejoins (cooperative rebalancing). */
  ownedPartitions: array({ topic: string(), partitions: array(int32()) }, { versions: '1+', default: [] }),
  /** Generation in which it owned them; −1 for none. */
  generationId: int32({ versions: '2+', default: -1 }),
  rackId: string({ versions: '3+', nullable: '3+' }),
} satisfies Fields;

const assignmentFields = {
  assignedPartitions: array({ topic: string(), partitions: array(int32()) }),
  userData: bytes({ nullable: '0+' }),
} satisfies Fields;

export type Subscription = Decoded<typeof subscriptionFields>;
export type SubscriptionInput = Encodable<typeof subscriptionFields>;
export type Assignment = Decoded<typeof assignmentFields>;
export type AssignmentInput = Encodable<typeof assignmentFields>;

const subscriptionCodecs = compileVersions(subscriptionFields);
const assignmentCodecs = compileVersions(assignmentFields);

/** @param version 0 to 3; fields that it lacks are left out */
export function encodeSubscription(subscription: SubscriptionInput, version = VERSION_MAX): Buffer {
  return encode(subscriptionCodecs, version, subscription);
}

/**
 * Decodes the metadata of a group member. Newer versions are read as far as version 3 goes, as every Kafka client does.
 *
 * @throws CorruptDataError when the bytes are not a subscription
 */
export function decodeSubscription(buffer: Buffer): Subscription {
  return decode(subscriptionCodecs, buffer) as Subscription;
}

/** @param version 0 to 3; all have the same fields */
export function encodeAssignment(assignment: AssignmentInput, version = VERSION_MAX): Buffer {
  return encode(assignmentCodecs, version, assignment);
}

/**
 * Decodes the assignment of a member. An empty buffer, which a member without assignment gets, is an empty assignment.
 *
 * @throws CorruptDataError when the bytes are not an assignment
 */
export function decodeAssignment(buffer: Buffer): Assignment {
  if (buffer.length === 0) return { assignedPartitions: [], userData: undefined };
  return decode(assignmentCodecs, buffer) as Assignment;
}

function compileVersions(fields: Fields): readonly Codec[] {
  return Array.from({ length: VERSION_MAX + 1 }, (_, version) =>
    compileStruct(fields, { version, flexible: false, strict: false }),
  );
}

function encode(codecs: readonly Codec[], version: number, value: unknown): Buffer {
  const codec = codecs[version];
  assert(codec !== undefined, `version ${version} of the consumer protocol is not known; 0 to ${VERSION_MAX} are`);
  const writer = new ProtocolWriter();
  writer.int16(version);
  codec.write(writer, value);
  return writer.view();
}

function decode(codecs: readonly Codec[], buffer: Buffer): unknown {
  const reader = new ProtocolReader(buffer);
  const version = reader.int16();
  if (version < 0) throw new CorruptDataError('CORRUPT_SUBSCRIPTION', `version ${version} of the consumer protocol`);
  return (codecs[Math.min(version, VERSION_MAX)] as Codec).read(reader);
}
