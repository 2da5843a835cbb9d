import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { ProtocolReader, readRequestHeader } from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import { writeRequestFrame } from './request-frame.ts';

const clientId = Buffer.from('añb');

/** The bytes that one request puts on a socket. */
function written(body: Buffer, flexible: boolean): Buffer {
  const chunks: Buffer[] = [];
  const socket = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  const request = { apiKey: 3, apiVersion: 12, body, flexible, lane: 'data', timeoutMs: 1 } as const;
  writeRequestFrame(socket as Socket, request, 4711, clientId);
  return Buffer.concat(chunks);
}

describe('writeRequestFrame', () => {
  it.each([
    ['a small body', 10, false],
    ['a small flexible body', 10, true],
    ['no body', 0, true],
    ['a body that is not copied', 100_000, false],
    ['a flexible body that is not copied', 100_000, true],
  ])('frames %s', (_what, size, flexible) => {
    const body = Buffer.alloc(size, 'x');
    const frame = written(body, flexible);
    expect(frame.readInt32BE(0)).toBe(frame.length - 4);
    const reader = new ProtocolReader(frame, 4);
    expect(readRequestHeader(reader, () => (flexible ? 2 : 1))).toEqual({
      apiKey: 3,
      apiVersion: 12,
      correlationId: 4711,
      clientId: 'añb',
    });
    expect(frame.subarray(reader.position).equals(body)).toBe(true);
  });
});
