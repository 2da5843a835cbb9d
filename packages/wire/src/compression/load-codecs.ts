import { loadZstd } from './zstd.ts';

/**
 * Loads what cannot be loaded on first use, because compression is synchronous: WebAssembly. Await it once at start.
 *
 * @throws FatalStreamsError `CODEC_UNAVAILABLE`
 */
export async function loadCodecs(): Promise<void> {
  await loadZstd();
}
