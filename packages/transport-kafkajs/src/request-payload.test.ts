import { describe, expect, it } from 'vitest';
import { requestPayload } from './request-payload.ts';

/** What kafkajs makes of a payload: as long as it says, copied behind the header. */
function copied(body: Buffer, flexible: boolean): Buffer {
  const { buf, buffer } = requestPayload(body, flexible);
  expect(Buffer.isBuffer(buf)).toBe(true);
  const frame = Buffer.alloc(2 + buffer.length, 0xee);
  buffer.copy(frame, 2);
  return frame.subarray(2);
}

describe('requestPayload', () => {
  it('is the body itself when the request is not flexible', () => {
    expect(copied(Buffer.from([1, 2]), false)).toEqual(Buffer.from([1, 2]));
  });

  it('ends the header of a flexible request with an empty tag section', () => {
    expect(copied(Buffer.from([1, 2]), true)).toEqual(Buffer.from([0, 1, 2]));
    expect(copied(Buffer.alloc(0), true)).toEqual(Buffer.from([0]));
  });
});
