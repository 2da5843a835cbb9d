import type { KafkaClient, ProducerOptions } from '@millrace/client';
import type { Logger } from '@millrace/core';
import { AtLeastOnceCommitter } from '../commit/at-least-once.ts';
import type { AbandonableCommitter } from '../commit/committer.ts';
import { ExactlyOnceCommitter } from '../commit/exactly-once.ts';
import { SpillFile } from '../memory/spill-file.ts';
import type { ResolvedSettings } from '../settings/settings.ts';
import type { StateDirectory } from '../state-directory/state-directory.ts';

export interface CreateCommitterOptions {
  readonly client: KafkaClient;
  readonly logger: Logger;
  readonly settings: ResolvedSettings;
  readonly directory: StateDirectory;
  readonly workerNumber: number;
  /** Empty under at-least-once. */
  readonly transactionalId: string;
}

/** Records that a transaction holds back until its commit: at most this, and no more than this share of the outputs in memory. */
const HOLD_BACK_BYTES_MAX = 4 * 1024 * 1024;
const HOLD_BACK_SHARE = 0.25;

/** Makes the committer of the guarantee, with a producer that keeps to the memory it is given. */
export function createCommitter(options: CreateCommitterOptions): AbandonableCommitter {
  const { client, settings, transactionalId } = options;
  const { lingerMs, transactionTimeoutMs, outputBufferMaxBytes } = settings;
  const producer = producerOptions(options);
  if (transactionalId === '') return new AtLeastOnceCommitter(client, client.createProducer({ ...producer, lingerMs }));
  const holdBackBytes = Math.min(HOLD_BACK_BYTES_MAX, Math.floor(outputBufferMaxBytes * HOLD_BACK_SHARE));
  return new ExactlyOnceCommitter(
    client.createTransactionalProducer({ ...producer, transactionalId, transactionTimeoutMs, holdBackBytes }),
  );
}

function producerOptions({ settings, directory, workerNumber, logger }: CreateCommitterOptions): ProducerOptions {
  const { compression, outputBufferMaxBytes } = settings;
  return {
    compression,
    memoryBytes: outputBufferMaxBytes,
    bufferBytes: Math.floor(outputBufferMaxBytes / 2),
    spill: new SpillFile(directory.outputsPath(workerNumber), logger),
  };
}
