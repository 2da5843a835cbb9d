import { SettingsError } from '@millrace/core';
import type { TransactionalProducerOptions } from '../port/kafka-client.ts';
import { resolveProducerSettings, type ProducerSettings } from '../produce/producer-settings.ts';

/** {@link TransactionalProducerOptions} with nothing left open. */
export interface TransactionSettings extends Omit<ProducerSettings, 'lingerMs' | 'acks' | 'idempotent'> {
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  readonly holdBackBytes: number;
}

const DEFAULTS = { transactionTimeoutMs: 10_000, holdBackBytes: 4 * 1024 * 1024 } as const;

/** @throws SettingsError naming what is out of range */
export function resolveTransactionSettings(options: TransactionalProducerOptions): TransactionSettings {
  const { transactionalId, transactionTimeoutMs, holdBackBytes, ...producer } = { ...DEFAULTS, ...options };
  const problems: string[] = [];
  if (transactionalId === '') problems.push('transactionalId: must not be empty');
  if (!(transactionTimeoutMs >= 1)) problems.push(`transactionTimeoutMs: ${transactionTimeoutMs} is not ≥ 1`);
  if (!(holdBackBytes >= 0)) problems.push(`holdBackBytes: ${holdBackBytes} is not ≥ 0`);
  if (problems.length > 0) throw new SettingsError('INVALID_PRODUCER_OPTIONS', problems.join('; '));
  return { ...resolveProducerSettings(producer), transactionalId, transactionTimeoutMs, holdBackBytes };
}
