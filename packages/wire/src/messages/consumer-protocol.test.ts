import { CorruptDataError } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFixture } from '../fixtures/read-fixture.ts';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './consumer-protocol.ts';

interface GoldenPayload {
  readonly kind: 'subscription' | 'assignment';
  readonly version: number;
  readonly content: 'full' | 'sparse';
  readonly hex: string;
}

const owned = [
  { topic: 'a', partitions: [0, 7] },
  { topic: 'b', partitions: [1] },
];

function expected({ kind, version, content }: GoldenPayload): unknown {
  const full = content === 'full';
  const userData = full ? Buffer.from([9, 8, 7]) : undefined;
  if (kind === 'assignment') return { assignedPartitions: full ? owned : [], userData };
  return {
    topics: ['a', 'b'],
    userData,
    ownedPartitions: full && version >= 1 ? owned : [],
    generationId: full && version >= 2 ? 42 : -1,
    rackId: full && version >= 3 ? 'rack-1' : undefined,
  };
}

describe('the consumer protocol', () => {
  const golden = readFixture<GoldenPayload>('consumer-protocol');

  it.each(golden)('$kind $version ($content) is read as Kafka wrote it, and written alike', (payload) => {
    const bytes = Buffer.from(payload.hex, 'hex');
    if (payload.kind === 'subscription') {
      const subscription = decodeSubscription(bytes);
      expect(subscription).toEqual(expected(payload));
      expect(encodeSubscription(subscription, payload.version).toString('hex')).toBe(payload.hex);
    } else {
      const assignment = decodeAssignment(bytes);
      expect(assignment).toEqual(expected(payload));
      expect(encodeAssignment(assignment, payload.version).toString('hex')).toBe(payload.hex);
    }
  });

  it('reads newer versions as far as it knows them', () => {
    const newer = Buffer.concat([encodeSubscription({ topics: ['t'] }), Buffer.from('more')]);
    newer.writeInt16BE(9, 0);
    expect(decodeSubscription(newer).topics).toEqual(['t']);
  });

  it('takes no bytes for no assignment', () => {
    expect(decodeAssignment(Buffer.alloc(0))).toEqual({ assignedPartitions: [], userData: undefined });
  });

  it('refuses arbitrary bytes with CorruptDataError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const decode of [decodeSubscription, decodeAssignment]) {
          try {
            decode(Buffer.from(bytes));
          } catch (error) {
            if (!(error instanceof CorruptDataError)) throw error;
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
