import type { AsyncMany } from './async-callbacks.ts';
import { assertIterable } from './iterable-result.ts';

/**
 * Everything that a function gives, taken before anything of it is forwarded.
 *
 * @throws TypeError when it is nothing to iterate over; the attempt has then failed like with any other error
 */
export async function collectMany<T>(many: AsyncMany<T>, operator: string): Promise<readonly T[]> {
  if (isAsyncIterable(many)) {
    const all: T[] = [];
    for await (const one of many) all.push(one);
    return all;
  }
  const result = await many;
  assertIterable(result, operator);
  return [...result];
}

function isAsyncIterable<T>(many: AsyncMany<T>): many is AsyncIterable<T> {
  return typeof (many as { readonly [Symbol.asyncIterator]?: unknown } | null)?.[Symbol.asyncIterator] === 'function';
}
