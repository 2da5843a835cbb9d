import { gunzipSync, gzipSync } from 'node:zlib';
import { corruptCompression, decompressedTooLarge } from './codec-errors.ts';

export function compressGzip(bytes: Buffer): Buffer {
  return gzipSync(bytes);
}

/** Decompresses in steps and stops as soon as more than `bytesMax` bytes came out. */
export function decompressGzip(bytes: Buffer, bytesMax: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.max(1, bytesMax) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw decompressedTooLarge('gzip', bytesMax);
    throw corruptCompression('gzip', (error as Error).message, error);
  }
}
