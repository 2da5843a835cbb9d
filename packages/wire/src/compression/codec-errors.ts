import { CorruptDataError, FatalStreamsError } from '@millrace/core';
import type { Compression } from './compression.ts';

export function corruptCompression(compression: Compression, why: string, cause?: unknown): CorruptDataError {
  return new CorruptDataError('CORRUPT_COMPRESSION', `${compression} data cannot be decompressed: ${why}`, { cause });
}

export function decompressedTooLarge(compression: Compression, bytesMax: number): CorruptDataError {
  return new CorruptDataError(
    'DECOMPRESSED_TOO_LARGE',
    `${compression} data decompresses to more than ${bytesMax} bytes; raise the bound if the batch is legitimate`,
  );
}

/** The library behind a codec has no binary for this platform, or was not installed. */
export function codecUnavailable(compression: Compression, library: string, cause: unknown): FatalStreamsError {
  return new FatalStreamsError(
    'CODEC_UNAVAILABLE',
    `${compression} needs the package ${library}, which cannot be loaded; install it (with optional dependencies), or use another compression`,
    { cause },
  );
}
