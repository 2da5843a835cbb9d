import fc from 'fast-check';
import type { Operation } from './operation.ts';
import { beginning, mixed, recordOperations, transactionOperations } from './script-arbitrary.ts';

const COMPACTED_TOPIC = 4;

/** Compacted only when a script says so. Segments end where records and markers meet: their times are far from each other. */
const newCompactedTopic: Operation = {
  do: 'createTopic',
  topic: COMPACTED_TOPIC,
  version: 5,
  partitions: 1,
  replicationFactor: 1,
  configs: {
    'cleanup.policy': 'compact',
    'segment.ms': '3600000',
    'min.cleanable.dirty.ratio': '0.01',
    'min.compaction.lag.ms': '9000000000000',
    'message.timestamp.after.max.ms': '9000000000000',
  },
  validateOnly: false,
};

/**
 * Whatever has a topic has the compacted one. Nobody writes transactional batches without a producer id: Kafka's cleaner does not
 * get beyond them.
 */
function onCompactedTopic(operation: Operation): Operation {
  if (!('topic' in operation)) return operation;
  const placed = { ...operation, topic: COMPACTED_TOPIC, partition: 0 } as Operation;
  if (placed.do !== 'produce') return placed;
  const producer = placed.producer === 2 ? 1 : placed.producer;
  return { ...placed, producer, transactional: placed.transactional && producer !== 4 };
}

const compactions: fc.Arbitrary<readonly Operation[]> = fc
  .array(fc.oneof(...mixed({ produce: recordOperations.produce }, 3), ...mixed(transactionOperations, 1)), {
    minLength: 5,
    maxLength: 50,
    size: 'max',
  })
  .map((middle) => [...beginning, newCompactedTopic, ...middle.map(onCompactedTopic), { do: 'compact', topic: COMPACTED_TOPIC }]);

const expiries: fc.Arbitrary<readonly Operation[]> = fc
  .record({
    do: fc.constant('expireSession' as const),
    version: fc.integer({ min: 5, max: 9 }),
    isStatic: fc.boolean(),
    hasOther: fc.boolean(),
  })
  .map((operation) => [...beginning, operation]);

/** Scripts with what takes a broker time of its own: the session of a member expires, or a topic is compacted. */
export const timedScriptArbitrary: fc.Arbitrary<readonly Operation[]> = fc.oneof(
  { weight: 3, arbitrary: compactions },
  { weight: 1, arbitrary: expiries },
);
