import { describe, expect, it } from 'vitest';
import { orderKey } from './order-key.ts';

const circular: { self?: unknown } = {};
circular.self = circular;

describe('orderKey', () => {
  it.each([
    ['texts', 'a', 'a'],
    ['numbers', 7, 7],
    ['big integers', 7n, 7n],
    ['objects', { id: 1, part: { n: 2n } }, { id: 1, part: { n: 2n } }],
    ['bytes', Buffer.from([1, 255]), new Uint8Array([0, 1, 255]).subarray(1)],
    ['what JSON cannot show', circular, circular],
  ])('is equal for equal %s', (_kind, one, other) => {
    expect(orderKey(one)).toBe(orderKey(other));
  });

  it.each([
    ['texts', 'a', 'b'],
    ['a text and a number', '1', 1],
    ['objects', { id: 1 }, { id: 2 }],
    ['bytes', Buffer.from([1]), Buffer.from([2])],
  ])('differs for different %s', (_kind, one, other) => {
    expect(orderKey(one)).not.toBe(orderKey(other));
  });

  it.each([undefined, null])('is absent for %s', (key) => {
    expect(orderKey(key)).toBeUndefined();
  });
});
