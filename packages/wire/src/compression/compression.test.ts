import { gzipSync } from 'node:zlib';
import { CorruptDataError } from '@millrace/core';
import fc from 'fast-check';
import { compressSync } from 'snappy';
import { beforeAll, describe, expect, it } from 'vitest';
import { compressionId, type Compression } from './compression.ts';
import { compress } from './compress.ts';
import { decompress } from './decompress.ts';
import { loadCodecs } from './load-codecs.ts';

const codecs: Compression[] = ['gzip', 'snappy', 'lz4', 'zstd'];
const text = Buffer.from('The quick brown fox jumps over the lazy dog. '.repeat(20_000));

beforeAll(loadCodecs);

function onlyCorrupt(run: () => Buffer): Buffer | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof CorruptDataError)) throw error;
    return undefined;
  }
}

describe.each(codecs)('%s', (codec) => {
  const id = compressionId(codec);

  it('gives back what was compressed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2000 }), fc.integer({ min: 1, max: 200 }), (unit, times) => {
        const plain = Buffer.concat(Array<Uint8Array>(times).fill(unit));
        expect(decompress(id, compress(codec, plain)).equals(plain)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('accepts exactly the bound and refuses one byte less', () => {
    const compressed = compress(codec, text);
    expect(decompress(id, compressed, text.length).equals(text)).toBe(true);
    expect(() => decompress(id, compressed, text.length - 1)).toThrow(/more than/);
  });

  it('refuses a bomb without allocating its size', () => {
    const bomb = compress(codec, Buffer.alloc(80 << 20));
    const before = process.memoryUsage().rss;
    expect(() => decompress(id, bomb, 1 << 20)).toThrow(expect.objectContaining({ code: 'DECOMPRESSED_TOO_LARGE' }));
    expect(process.memoryUsage().rss - before).toBeLessThan(40 << 20);
  });

  it('refuses input that is cut off', () => {
    const compressed = compress(codec, text.subarray(0, 3000));
    for (let length = 0; length < compressed.length; length++) {
      const result = onlyCorrupt(() => decompress(id, compressed.subarray(0, length), 1 << 20));
      // A sequence of whole snappy blocks is itself valid, also an empty one.
      if (codec !== 'snappy') expect(result).toBeUndefined();
    }
  });

  it('answers damaged or arbitrary input with CorruptDataError or other bytes, and works on afterwards', () => {
    const compressed = compress(codec, text.subarray(0, 5000));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(compressed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }), (changes) => {
        const damaged = Buffer.from(compressed);
        for (const [position, byte] of changes) damaged[position] = byte;
        const result = onlyCorrupt(() => decompress(id, damaged, 1 << 20));
        expect(result?.length ?? 0).toBeLessThanOrEqual(1 << 20);
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        (bytes) => void onlyCorrupt(() => decompress(id, Buffer.from(bytes), 1 << 20)),
      ),
    );
    expect(decompress(id, compressed).equals(text.subarray(0, 5000))).toBe(true);
  });
});

describe('compression', () => {
  it('reads bare snappy blocks, as C clients write them', () => {
    expect(decompress(2, compressSync(text)).equals(text)).toBe(true);
  });

  it('refuses a snappy block that promises more than the format can hold', () => {
    const lie = Buffer.from([0x80, 0x80, 0x80, 0x10, 0, 0]);
    expect(() => decompress(2, lie)).toThrow(/claim to hold/);
  });

  it('reads gzip of several members', () => {
    expect(decompress(1, Buffer.concat([gzipSync('ab'), gzipSync('cd')])).toString()).toBe('abcd');
  });

  it('reads zstd of several frames, skippable ones included', () => {
    const skippable = Buffer.from('502a4d1803000000ffffff', 'hex');
    const frames = Buffer.concat([compress('zstd', Buffer.from('ab')), skippable, compress('zstd', Buffer.from('cd'))]);
    expect(decompress(4, frames).toString()).toBe('abcd');
  });

  it('leaves uncompressed bytes alone', () => {
    expect(compress('none', text)).toBe(text);
    expect(decompress(0, text)).toBe(text);
  });

  it('refuses ids that Kafka does not define', () => {
    expect(() => decompress(7, text)).toThrow(CorruptDataError);
  });
});
