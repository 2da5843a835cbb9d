import { CorruptDataError } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader } from './frame-reader.ts';

const frameBytesMax = 8 * 1024 * 1024;

function frameOf(content: Buffer): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeInt32BE(content.length);
  return Buffer.concat([prefix, content]);
}

/** What a reader makes of the stream when it arrives cut at the given places. */
function read(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const frames: Buffer[] = [];
  const reader = new FrameReader(frameBytesMax, (frame) => frames.push(frame));
  const places = [0, ...[...cuts].sort((left, right) => left - right), stream.length];
  for (let i = 1; i < places.length; i++) reader.push(Buffer.from(stream.subarray(places[i - 1], places[i])));
  return frames;
}

describe('FrameReader', () => {
  it('finds the same frames wherever the stream is cut once', () => {
    const contents = ['abcd', 'a longer frame of some bytes', 'last one'].map((text) => Buffer.from(text));
    const stream = Buffer.concat(contents.map(frameOf));
    for (let cut = 0; cut <= stream.length; cut++) expect(read(stream, [cut])).toEqual(contents);
  });

  it('finds the same frames when every byte arrives alone', () => {
    const contents = [Buffer.from('abcd'), Buffer.alloc(300, 1), Buffer.from('efgh')];
    const stream = Buffer.concat(contents.map(frameOf));
    expect(read(stream, Array.from(stream.keys()))).toEqual(contents);
  });

  it('finds any frames however the stream is cut', () => {
    const contents = fc.array(fc.uint8Array({ minLength: 4, maxLength: 200 }), { maxLength: 8 });
    fc.assert(
      fc.property(contents, fc.array(fc.nat(1_700), { maxLength: 12 }), (bytes, cuts) => {
        const frames = bytes.map((one) => Buffer.from(one));
        const stream = Buffer.concat(frames.map(frameOf));
        expect(
          read(
            stream,
            cuts.map((cut) => Math.min(cut, stream.length)),
          ),
        ).toEqual(frames);
      }),
    );
  });

  it('grows with the bytes of a frame that is too long to be trusted', () => {
    const content = Buffer.alloc(7 * 1024 * 1024);
    for (let i = 0; i < content.length; i += 997) content[i] = i;
    const stream = frameOf(content);
    const cuts = Array.from({ length: Math.floor(stream.length / 65_536) }, (_, i) => i * 65_536);
    expect(read(stream, cuts)[0]?.equals(content)).toBe(true);
  });

  it.each([
    ['negative', -1],
    ['too short for a correlation id', 3],
    ['over the limit', frameBytesMax + 1],
    ['the largest there is', 0x7fff_ffff],
  ])('refuses a length that is %s', (_what, length) => {
    const prefix = Buffer.alloc(4);
    prefix.writeInt32BE(length);
    expect(() => read(prefix, [2])).toThrow(CorruptDataError);
  });

  it('gives out no memory for a length whose bytes do not come', () => {
    const prefix = Buffer.alloc(4);
    prefix.writeInt32BE(0x7fff_ffff);
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 20 }, () => {
      const reader = new FrameReader(0x7fff_ffff, () => undefined);
      reader.push(Buffer.concat([prefix, Buffer.alloc(10)]));
      return reader;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 8 * 1024 * 1024);
    expect(readers).toHaveLength(20);
  });
});
