import { SettingsError } from '@millrace/core';
import type { BatchSpill } from '../port/batch-spill.ts';
import type { Compression, ProducerOptions } from '../port/kafka-client.ts';

/** {@link ProducerOptions} with nothing left open. */
export interface ProducerSettings {
  readonly lingerMs: number;
  readonly batchBytes: number;
  readonly bufferBytes: number;
  readonly memoryBytes: number;
  readonly spill: BatchSpill | undefined;
  readonly compression: Compression;
  readonly acks: -1 | 0 | 1;
  readonly idempotent: boolean;
  readonly deliveryTimeoutMs: number;
  readonly maxInFlight: number;
}

const DEFAULTS = {
  lingerMs: 5,
  batchBytes: 128 * 1024,
  bufferBytes: 32 * 1024 * 1024,
  compression: 'none',
  acks: -1,
  idempotent: true,
  deliveryTimeoutMs: 120_000,
  maxInFlight: 5,
} as const satisfies Omit<ProducerSettings, 'memoryBytes' | 'spill'>;

const LOWEST = { lingerMs: 0, batchBytes: 1, bufferBytes: 1, memoryBytes: 1, deliveryTimeoutMs: 1, maxInFlight: 1 } as const;
/** Brokers remember the last five batches of a producer: with more in flight they could not tell a repetition. */
const MAX_IN_FLIGHT_MAX = 5;

/** @throws SettingsError naming every setting that is out of range */
export function resolveProducerSettings(options: ProducerOptions): ProducerSettings {
  const bufferBytes = options.bufferBytes ?? DEFAULTS.bufferBytes;
  const settings: ProducerSettings = { ...DEFAULTS, memoryBytes: 2 * bufferBytes, spill: undefined, ...options };
  const problems: string[] = [];
  for (const [name, lowest] of Object.entries(LOWEST)) {
    const value = settings[name as keyof typeof LOWEST];
    if (!(value >= lowest) || (name !== 'lingerMs' && !Number.isInteger(value)))
      problems.push(`${name}: ${value} is not an integer ≥ ${lowest}`);
  }
  if (settings.maxInFlight > MAX_IN_FLIGHT_MAX)
    problems.push(`maxInFlight: ${settings.maxInFlight} is more than ${MAX_IN_FLIGHT_MAX}`);
  if (settings.idempotent && settings.acks !== -1)
    problems.push(`acks: ${settings.acks} does not go with idempotent: true, which needs -1`);
  if (problems.length > 0) throw new SettingsError('INVALID_PRODUCER_OPTIONS', problems.join('; '));
  return settings;
}
