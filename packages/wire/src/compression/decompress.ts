import { compressionOfId } from './compression.ts';
import { decompressGzip } from './gzip.ts';
import { decompressLz4 } from './lz4.ts';
import { decompressSnappy } from './snappy.ts';
import { decompressZstd } from './zstd.ts';

/** How large a batch may become when it is decompressed, unless the caller says otherwise: 64 MiB. */
export const DECOMPRESSED_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Decompresses the records of a batch. Synchronous: zstd needs {@link loadCodecs} once before.
 *
 * The batch's checksum must have been verified: most single-bit errors decompress to other bytes without an error.
 *
 * @param compressionId number from the batch attributes
 * @param bytesMax most bytes that may come out; no more than that (and a block) is allocated for them
 * @throws CorruptDataError `CORRUPT_COMPRESSION`, `DECOMPRESSED_TOO_LARGE` or `UNKNOWN_COMPRESSION`
 * @throws FatalStreamsError `CODEC_UNAVAILABLE` or `CODEC_NOT_LOADED`
 */
export function decompress(compressionId: number, bytes: Buffer, bytesMax: number = DECOMPRESSED_BYTES_MAX): Buffer {
  switch (compressionOfId(compressionId)) {
    case 'none':
      return bytes;
    case 'gzip':
      return decompressGzip(bytes, bytesMax);
    case 'snappy':
      return decompressSnappy(bytes, bytesMax);
    case 'lz4':
      return decompressLz4(bytes, bytesMax);
    case 'zstd':
      return decompressZstd(bytes, bytesMax);
  }
}
