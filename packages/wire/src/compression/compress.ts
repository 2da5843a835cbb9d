import type { Compression } from './compression.ts';
import { compressGzip } from './gzip.ts';
import { compressLz4 } from './lz4.ts';
import { compressSnappy } from './snappy.ts';
import { compressZstd } from './zstd.ts';

/**
 * Compresses the records of a batch the way Kafka's Java client frames them. Synchronous: zstd needs {@link loadCodecs} once before.
 *
 * @returns new bytes, or `bytes` itself for `none`
 * @throws FatalStreamsError `CODEC_UNAVAILABLE` or `CODEC_NOT_LOADED`
 */
export function compress(compression: Compression, bytes: Buffer): Buffer {
  switch (compression) {
    case 'none':
      return bytes;
    case 'gzip':
      return compressGzip(bytes);
    case 'snappy':
      return compressSnappy(bytes);
    case 'lz4':
      return compressLz4(bytes);
    case 'zstd':
      return compressZstd(bytes);
  }
}
