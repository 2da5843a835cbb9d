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

/** True for the transactional ids of workers that are there. */
export type Presence = (transactionalId: string) => boolean;

/**
 * Fences the transactional ids of workers that are gone: their open transactions end at once instead of after the transaction
 * timeout, and the new owners of their tasks can read stable offsets within milliseconds.
 *
 * @param members everybody in the group, as its leader knows them before it hands out tasks
 */
export async function fenceDeparted(members: readonly KnownMember[], options: DepartedWorkersOptions): Promise<void> {
  if (members.every(({ data }) => data.transactionalId === '')) return;
  const present = new Set(members.map(({ data }) => data.transactionalId));
  await fenceAbsent(() => Promise.resolve((id) => present.has(id)), options);
}

/**
 * Fences those that have a transaction open and are not present.
 *
 * @param lookUpPresence called after the transactions were listed, and only if there are any of this application
 */
export async function fenceAbsent(lookUpPresence: () => Promise<Presence>, options: DepartedWorkersOptions): Promise<void> {
  const open = (await options.admin.listOpenTransactions()).filter(options.isOwnTransactionalId);
  if (open.length === 0) return;
  const isPresent = await lookUpPresence();
  await Promise.all(open.filter((id) => !isPresent(id)).map((id) => fence(id, options)));
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
