import { describe, expect, it } from 'vitest';
import type { OffsetCommit } from '../port/kafka-client.ts';
import { compareOffsets } from './offset-comparison.ts';

const at = (offset: number, metadata = '', partition = 0): OffsetCommit => ({ topic: 'input', partition, offset, metadata });
const known = (...offsets: OffsetCommit[]) => new Map(offsets.map((one) => [`input-${one.partition}`, one]));

describe('comparing offsets after a commit with unknown outcome', () => {
  it.each([
    ['all are there and were not before', [at(5)], [at(5)], known(at(3)), 'committed'],
    ['only the metadata is new', [at(5, 'b')], [at(5, 'b')], known(at(5, 'a')), 'committed'],
    ['one is missing', [at(5), at(7, '', 1)], [at(5), at(6, '', 1)], known(at(3)), 'not-committed'],
    ['nothing is there', [at(5)], [], known(), 'not-committed'],
    ['the broker knows none', [at(5)], [at(-1)], known(), 'not-committed'],
    ['one is beyond ours', [at(5)], [at(6)], known(at(3)), 'overtaken'],
    ['they were there before', [at(5)], [at(5)], known(at(5)), 'inconclusive'],
    ['nothing is known of before', [at(5)], [at(5)], known(), 'inconclusive'],
    ['there are none', [], [], known(), 'inconclusive'],
  ] as const)('%s', (_case, ours, found, before, verdict) => {
    expect(compareOffsets(ours, found, before)).toBe(verdict);
  });
});
