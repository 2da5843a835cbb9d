import { CorruptDataError } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import type { TransportRequest } from '../port/transport.ts';
import { responseBody } from './response-body.ts';

const request = {
  apiKey: 3,
  apiVersion: 12,
  body: Buffer.alloc(0),
  flexible: true,
  lane: 'data',
  timeoutMs: 1,
} satisfies TransportRequest;
const bodyOf = (bytes: readonly number[], changes: Partial<TransportRequest> = {}): number[] => [
  ...responseBody(Buffer.from([0, 0, 0, 1, ...bytes]), 4, { ...request, ...changes }),
];

describe('responseBody', () => {
  it('is everything behind the correlation id when the request is not flexible', () => {
    expect(bodyOf([0, 7, 8], { flexible: false })).toEqual([0, 7, 8]);
  });

  it('is what follows an empty tag section', () => {
    expect(bodyOf([0, 7, 8])).toEqual([7, 8]);
  });

  it('is what follows the tags of a section', () => {
    expect(bodyOf([2, 0, 1, 99, 5, 2, 98, 97, 7, 8])).toEqual([7, 8]);
  });

  it('starts at once for ApiVersions, flexible or not', () => {
    expect(bodyOf([0, 35], { apiKey: 18 })).toEqual([0, 35]);
  });

  it('may be empty', () => {
    expect(bodyOf([0])).toEqual([]);
  });

  it.each([
    ['is missing', []],
    ['claims a tag that is not there', [1]],
    ['claims more bytes than there are', [1, 0, 9, 1]],
    ['claims four billion tags', [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('is refused when the tag section %s', (_what, bytes) => {
    expect(() => bodyOf(bytes)).toThrow(CorruptDataError);
  });
});
