import fc from 'fast-check';
import type { Flaw, Operation, PartitionRef, TimedOperation } from './operation.ts';

/** Every script begins with topics and producers that most operations can work on. */
export const beginning: readonly Operation[] = [
  newTopic(0, 2, { 'retention.ms': '-1' }),
  newTopic(1, 1, { 'cleanup.policy': 'compact' }),
  ...[0, 1, 3].map((producer): Operation => ({ do: 'initProducer', version: 4, producer, resumes: false, timeoutMs: 600_000 })),
];

/** And ends with a look at everything. */
const ending: readonly Operation[] = [
  ...[0, 1].flatMap((partition) => [false, true].map((committed) => wholeOf({ topic: 0, partition }, committed))),
  wholeOf({ topic: 1, partition: 0 }, true),
  ...[0, 1].flatMap((group): Operation[] => [
    { do: 'describeGroup', version: 4, group },
    { do: 'fetchOffsets', version: 8, group, all: true, stable: true },
    { do: 'fetchOffsets', version: 6, group, all: false, stable: false },
  ]),
  ...[0, 1, 3].map((producer): Operation => ({ do: 'describeTransaction', producer })),
];

function newTopic(topic: number, partitions: number, configs: Record<string, string>): Operation {
  return { do: 'createTopic', topic, version: 5, partitions, replicationFactor: 1, configs, validateOnly: false };
}

function wholeOf(place: PartitionRef, committed: boolean): Operation {
  return { do: 'fetch', version: 12, ...place, offset: 0, committed, bytesMax: 1 << 20 };
}

const between = (min: number, max: number) => fc.integer({ min, max });
const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);
/** Mostly what is expected, now and then something else. */
const usually = <T>(expected: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(expected) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const place = {
  topic: fc.oneof({ weight: 8, arbitrary: oneOf(0, 0, 1) }, { weight: 1, arbitrary: oneOf(2, 9) }),
  partition: fc.oneof({ weight: 12, arbitrary: oneOf(0, 0, 1) }, { weight: 1, arbitrary: oneOf(2, -1) }),
};
const producer = between(0, 3);
const group = oneOf(0, 0, 1);
const isTrue = fc.boolean();
const delta = usually(0, -1, 1);

type UntimedName = Exclude<Operation, TimedOperation>['do'];
type Arbitraries = { readonly [Name in UntimedName]: readonly [weight: number, arbitrary: fc.Arbitrary<Operation>] };

/** Fills the name of an operation in. */
function operation<Name extends Operation['do']>(
  name: Name,
  fields: {
    [Field in keyof Omit<Extract<Operation, { do: Name }>, 'do'>]: fc.Arbitrary<Extract<Operation, { do: Name }>[Field]>;
  },
): fc.Arbitrary<Operation> {
  return fc.record({ do: fc.constant(name), ...fields } as Record<
    string,
    fc.Arbitrary<unknown>
  >) as unknown as fc.Arbitrary<Operation>;
}

const topicOperations = {
  createTopic: [
    1,
    operation('createTopic', {
      topic: oneOf(0, 2, 3),
      version: between(2, 7),
      partitions: usually(1, 0, -2, 3),
      replicationFactor: usually(1, 3, 0),
      configs: oneOf<Record<string, string>>(
        {},
        { 'cleanup.policy': 'compact,delete' },
        { 'cleanup.policy': 'nonsense' },
        { 'segment.bytes': '10' },
        { 'no.such.config': '1' },
        { 'message.timestamp.type': 'LogAppendTime' },
      ),
      validateOnly: usually(false, true),
    }),
  ],
  createIllegalTopic: [
    0.3,
    operation('createIllegalTopic', { version: between(2, 7), name: oneOf('', '.', '..', 'a b', 'ä', 'x'.repeat(250)) }),
  ],
  deleteTopic: [0.3, operation('deleteTopic', { topic: oneOf(2, 3, 9), version: between(1, 6) })],
  createPartitions: [0.5, operation('createPartitions', { topic: oneOf(0, 2, 9), version: between(0, 3), count: between(0, 4) })],
  metadata: [0.7, operation('metadata', { topic: oneOf(0, 1, 2, 9), version: between(1, 12) })],
  describeConfigs: [0.5, operation('describeConfigs', { topic: oneOf(0, 1, 2, 9), version: between(1, 4) })],
  alterConfig: [
    0.7,
    operation('alterConfig', {
      topic: oneOf(0, 1, 2, 9),
      version: between(0, 1),
      key: oneOf('cleanup.policy', 'max.message.bytes', 'message.timestamp.type', 'no.such.config'),
      value: oneOf<string | null>('delete', 'compact', '1000012', '-5', 'LogAppendTime', 'CreateTime', '', null),
      operation: between(0, 3),
    }),
  ],
  deleteRecords: [0.7, operation('deleteRecords', { ...place, version: between(0, 2), offset: between(-2, 12) })],
} satisfies Partial<Arbitraries>;

export const recordOperations = {
  produce: [
    9,
    fc.oneof(
      { weight: 7, arbitrary: produceWith(fc.constant(true), oneOf(1, 1, 2, 3)) },
      { weight: 3, arbitrary: produceWith(usually(false, true), oneOf(0, 4, 1)) },
    ),
  ],
  fetch: [
    4,
    operation('fetch', {
      ...place,
      version: between(4, 12),
      offset: between(-1, 14),
      committed: isTrue,
      bytesMax: oneOf(1, 100, 300, 1 << 20),
    }),
  ],
  listOffset: [
    2,
    operation('listOffset', {
      ...place,
      version: between(1, 7),
      timestamp: oneOf(-1, -2, -3, -1, -7, 0, 1_750_000_000_025, 1_750_000_000_100, 1_900_000_000_000),
      committed: isTrue,
    }),
  ],
  leaderEpoch: [
    0.5,
    operation('leaderEpoch', { ...place, version: between(2, 4), epoch: between(-1, 2), currentEpoch: between(-1, 1) }),
  ],
} satisfies Partial<Arbitraries>;

function produceWith(transactional: fc.Arbitrary<boolean>, of: fc.Arbitrary<number>): fc.Arbitrary<Operation> {
  return operation('produce', {
    ...place,
    version: fc.oneof(between(3, 12), between(11, 12)),
    producer: of,
    records: between(1, 3),
    sequence: usually('next', 'repeat', 'earlier', 'gap', 'restart'),
    epochDelta: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: oneOf(-1, 1) }),
    transactional,
    flaw: fc.oneof(
      { weight: 20, arbitrary: fc.constant<Flaw>('none') },
      {
        weight: 1,
        arbitrary: oneOf<Flaw>('checksum', 'twoBatches', 'empty', 'control', 'cut', 'baseOffset', 'future', 'noKey'),
      },
    ),
    acks: usually(-1, 1, 2),
    gzip: usually(false, true),
  });
}

export const transactionOperations = {
  initProducer: [
    2,
    operation('initProducer', {
      producer,
      version: between(0, 5),
      resumes: isTrue,
      timeoutMs: usually(600_000, 0, -1, 900_001),
    }),
  ],
  addPartition: [4, operation('addPartition', { ...place, producer, version: between(0, 3) })],
  addOffsets: [2, operation('addOffsets', { producer, group, version: between(0, 4) })],
  commitInTransaction: [
    2,
    operation('commitInTransaction', {
      ...place,
      producer,
      group,
      version: between(0, 5),
      member: fc.oneof(fc.constant(-1), between(0, 3)),
      generationDelta: delta,
      offset: between(0, 50),
    }),
  ],
  endTransaction: [5, operation('endTransaction', { producer, version: between(0, 5), commits: isTrue, epochDelta: delta })],
  describeTransaction: [1, operation('describeTransaction', { producer })],
} satisfies Partial<Arbitraries>;

const member = between(0, 3);

const groupOperations = {
  join: [
    2,
    operation('join', {
      member,
      version: fc.oneof(between(0, 9), between(5, 9)),
      protocols: oneOf<readonly string[]>(['range', 'sticky'], ['range', 'sticky'], ['range'], ['sticky'], []),
      metadata: usually(0, 1),
      sessionTimeoutMs: usually(60_000, 10, 1_900_000),
    }),
  ],
  sync: [2, operation('sync', { member, version: between(0, 5), generationDelta: delta })],
  heartbeat: [2, operation('heartbeat', { member, version: between(0, 4), generationDelta: delta })],
  leave: [1, operation('leave', { member, version: between(0, 5) })],
  rebalance: [1, operation('rebalance', { version: between(5, 9) })],
  describeGroup: [1, operation('describeGroup', { version: between(0, 5), group })],
  deleteGroup: [0.3, operation('deleteGroup', { version: between(0, 2), group })],
} satisfies Partial<Arbitraries>;

const offsetOperations = {
  commitOffset: [
    2,
    operation('commitOffset', {
      ...place,
      version: between(2, 8),
      group,
      member: fc.oneof(fc.constant(-1), between(0, 3)),
      generationDelta: delta,
      offset: between(0, 50),
      metadataLength: usually(0, 3, 4097),
    }),
  ],
  fetchOffsets: [2, operation('fetchOffsets', { version: between(1, 8), group, all: isTrue, stable: isTrue })],
  deleteOffset: [0.5, operation('deleteOffset', { ...place, group })],
} satisfies Partial<Arbitraries>;

const all: Arbitraries = {
  ...topicOperations,
  ...recordOperations,
  ...transactionOperations,
  ...groupOperations,
  ...offsetOperations,
};

/** Each operation with its weight. */
export function mixed(table: Partial<Arbitraries>, emphasis: number) {
  return Object.values(table).map(([weight, arbitrary]) => ({ weight: Math.round(weight * emphasis * 10), arbitrary }));
}

/** A script dwells on one subject, so that its operations meet the state that the others have left. */
const subjects = [
  [...mixed(recordOperations, 1), ...mixed(transactionOperations, 2), ...mixed(topicOperations, 0.2)],
  [...mixed(groupOperations, 3), ...mixed(offsetOperations, 2), ...mixed(transactionOperations, 0.7)],
  [...mixed(recordOperations, 2), ...mixed(topicOperations, 2)],
  mixed(all, 1),
];

/** Scripts of up to 60 operations, besides beginning and end. */
export const scriptArbitrary: fc.Arbitrary<readonly Operation[]> = fc
  .oneof(...subjects.map((subject) => fc.array(fc.oneof(...subject), { minLength: 1, maxLength: 60, size: 'max' })))
  .map((middle) => [...beginning, ...middle, ...ending]);
