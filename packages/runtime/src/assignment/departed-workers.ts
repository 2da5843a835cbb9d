import type { Logger } from '@millrace/core';
import type { Admin } from '@millrace/client';
import type { KnownMember } from './group-members.ts';

export interface DepartedWorkersOptions {
  readonly admin: Admin;
  readonly logger: Logger;
  readonly transactionTimeoutMs: number;
  /** True for the transactional ids of this application. */
  readonly isOwnTransactionalId: (id: string) => boolean;
}

/**
 * Fences the transactional ids of workers that are gone: their open transactions end at once instead of after the transaction
 * timeout, and the new owners of their tasks can read stable offsets within milliseconds.
 */
export async function fenceDeparted(members: readonly KnownMember[], options: DepartedWorkersOptions): Promise<void> {
  if (members.every(({ data }) => data.transactionalId === '')) return;
  const present = new Set(members.map(({ data }) => data.transactionalId));
  const open = await options.admin.listOpenTransactions();
  const departed = open.filter((id) => options.isOwnTransactionalId(id) && !present.has(id));
  await Promise.all(departed.map((id) => fence(id, options)));
}

/** A failure costs time, not correctness: readers of the offsets wait until the transaction times out. */
async function fence(transactionalId: string, { admin, logger, transactionTimeoutMs }: DepartedWorkersOptions): Promise<void> {
  try {
    await admin.fenceTransactionalId(transactionalId, transactionTimeoutMs);
    logger.info('fenced a departed worker', { transactionalId });
  } catch (error) {
    logger.warn('could not fence a departed worker; its transaction ends by timeout', { transactionalId, error });
  }
}
