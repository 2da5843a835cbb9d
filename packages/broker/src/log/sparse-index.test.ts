import { expect, it } from 'vitest';
import { SparseIndex } from './sparse-index.ts';

it('knows a batch when more than the interval lies since the one before, and never the first', () => {
  const index = new SparseIndex();
  // Batches of 300 bytes and 10 offsets: the second batch that begins more than 500 bytes behind an entry is one.
  for (let batch = 0; batch < 6; batch++) index.add(batch * 10 + 9, batch * 300, 300, 500);
  expect(index.lastOffsetFrom(0)).toBe(29);
  expect(index.lastOffsetFrom(600)).toBe(29);
  expect(index.lastOffsetFrom(601)).toBe(49);
  expect(index.lastOffsetFrom(1201)).toBeUndefined();
  index.clear();
  expect(index.lastOffsetFrom(0)).toBeUndefined();
});
