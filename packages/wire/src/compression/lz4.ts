import { createRequire } from 'node:module';
import { codecUnavailable, corruptCompression, decompressedTooLarge } from './codec-errors.ts';
import { lz4DecompressedBytes, readLz4Frame } from './lz4-frame.ts';

interface Lz4Library {
  compressFrameSync(input: Buffer): Buffer;
  decompressFrameSync(input: Buffer): Buffer;
}

let loaded: Lz4Library | undefined;

/** Compresses into one LZ4 frame. */
export function compressLz4(bytes: Buffer): Buffer {
  return library().compressFrameSync(bytes);
}

/** Decompresses one LZ4 frame, after making sure that it does not become larger than `bytesMax`. */
export function decompressLz4(bytes: Buffer, bytesMax: number): Buffer {
  const frame = readLz4Frame(bytes);
  // The exact size costs a walk over all sequences; the cheap bound spares it to all but very large batches.
  if (frame.decompressedBytesBound > bytesMax && lz4DecompressedBytes(bytes, frame) > bytesMax) {
    throw decompressedTooLarge('lz4', bytesMax);
  }
  const lz4 = library();
  try {
    return lz4.decompressFrameSync(bytes.subarray(0, frame.length));
  } catch (error) {
    throw corruptCompression('lz4', (error as Error).message, error);
  }
}

function library(): Lz4Library {
  if (loaded !== undefined) return loaded;
  try {
    loaded = createRequire(import.meta.url)('lz4-napi') as Lz4Library;
    return loaded;
  } catch (error) {
    throw codecUnavailable('lz4', 'lz4-napi', error);
  }
}
