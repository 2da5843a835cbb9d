import zlib from 'node:zlib';
import { FatalStreamsError } from '@millrace/core';
import { codecUnavailable, corruptCompression, decompressedTooLarge } from './codec-errors.ts';
import { readZstdFrames, type ZstdFrame } from './zstd-frame.ts';

interface ZstdLibrary {
  compress(bytes: Buffer): Buffer;
  /** Throws when the output does not fit into `bytesMax` bytes. */
  decompress(bytes: Buffer, bytesMax: number): Buffer;
}

/** What `node:zlib` has from Node 22.15 on. */
interface ZlibWithZstd {
  zstdCompressSync?(bytes: Buffer): Buffer;
  zstdDecompressSync?(bytes: Buffer, options: { maxOutputLength: number }): Buffer;
}

let library: ZstdLibrary | undefined = builtIn();

/** Loads the WebAssembly codec where Node has no built-in one. Safe to call again. */
export async function loadZstd(): Promise<void> {
  library ??= await webAssembly();
}

export function compressZstd(bytes: Buffer): Buffer {
  return loadedLibrary().compress(bytes);
}

/**
 * Decompresses whole frames into at most `bytesMax` bytes.
 *
 * Frame by frame, because `node:zlib` stops after the first one without an error.
 */
export function decompressZstd(bytes: Buffer, bytesMax: number): Buffer {
  const zstd = loadedLibrary();
  const parts: Buffer[] = [];
  let total = 0;
  for (const frame of readZstdFrames(bytes)) {
    const part = decompressFrame(zstd, bytes, frame, bytesMax - total, bytesMax);
    total += part.length;
    parts.push(part);
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, total);
}

function decompressFrame(zstd: ZstdLibrary, bytes: Buffer, frame: ZstdFrame, bytesLeft: number, bytesMax: number): Buffer {
  const bound = frame.decompressedBytesBound;
  try {
    return zstd.decompress(bytes.subarray(frame.start, frame.end), Math.max(1, Math.min(bound, bytesLeft)));
  } catch (error) {
    // The library does not tell "does not fit" from "corrupt"; only above the bound can it be the former.
    if (bound > bytesLeft) throw decompressedTooLarge('zstd', bytesMax);
    throw corruptCompression('zstd', (error as Error).message, error);
  }
}

function loadedLibrary(): ZstdLibrary {
  if (library !== undefined) return library;
  throw new FatalStreamsError('CODEC_NOT_LOADED', 'zstd is not loaded yet on this version of Node; await loadCodecs() at start');
}

function builtIn(): ZstdLibrary | undefined {
  const { zstdCompressSync, zstdDecompressSync } = zlib as ZlibWithZstd;
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined;
  return {
    compress: (bytes) => zstdCompressSync(bytes),
    decompress: (bytes, bytesMax) => zstdDecompressSync(bytes, { maxOutputLength: bytesMax }),
  };
}

async function webAssembly(): Promise<ZstdLibrary> {
  try {
    const wasm = await import('@foxglove/wasm-zstd');
    await wasm.isLoaded;
    return wasm;
  } catch (error) {
    throw codecUnavailable('zstd', '@foxglove/wasm-zstd', error);
  }
}
