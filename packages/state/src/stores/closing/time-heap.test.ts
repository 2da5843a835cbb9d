import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TimeHeap } from './time-heap.ts';

it('a heap of times gives them back in ascending order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), (times) => {
      const heap = new TimeHeap();
      for (const time of times) heap.add(time);
      const sorted: number[] = [];
      for (; heap.first !== Infinity; heap.removeFirst()) sorted.push(heap.first);
      expect(sorted).toEqual(times.toSorted((a, b) => a - b));
    }),
  );
});
