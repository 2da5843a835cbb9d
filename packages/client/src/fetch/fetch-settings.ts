import { SettingsError } from '@millrace/core';
import { DECOMPRESSED_BYTES_MAX, type IsolationLevel } from '@millrace/wire';
import type { FetcherOptions } from '../port/kafka-client.ts';
import type { Lane } from '../port/transport.ts';

/** {@link FetcherOptions} with nothing left open. */
export interface FetchSettings {
  readonly isolation: IsolationLevel;
  readonly lane: Lane;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly partitionMaxBytes: number;
  readonly maxBytes: number;
  readonly maxBufferedBytes: number;
  readonly maxDecompressedBytes: number;
}

const DEFAULTS = {
  isolation: 'read_committed',
  lane: 'fetch',
  maxWaitMs: 100,
  minBytes: 1,
  partitionMaxBytes: 1024 * 1024,
  maxBytes: 16 * 1024 * 1024,
  maxBufferedBytes: 32 * 1024 * 1024,
  maxDecompressedBytes: DECOMPRESSED_BYTES_MAX,
} as const satisfies FetchSettings;

const LOWEST: Readonly<Partial<Record<keyof FetchSettings, number>>> = {
  maxWaitMs: 0,
  minBytes: 0,
  partitionMaxBytes: 1,
  maxBytes: 1,
  maxBufferedBytes: 1,
  maxDecompressedBytes: 1,
};

/** @throws SettingsError naming every setting that is out of range */
export function resolveFetchSettings(options: FetcherOptions): FetchSettings {
  const settings: FetchSettings = { ...DEFAULTS, ...options };
  const problems: string[] = [];
  for (const [name, lowest] of Object.entries(LOWEST)) {
    const value = settings[name as keyof FetchSettings];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < lowest) {
      problems.push(`${name}: ${String(value)} is not an integer ≥ ${lowest}`);
    }
  }
  if (problems.length > 0) throw new SettingsError('INVALID_FETCHER_OPTIONS', problems.join('; '));
  return settings;
}
