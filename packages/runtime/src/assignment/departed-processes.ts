import { CancelledError } from '@millrace/core';
import { processIdIn } from '../topics/topic-names.ts';
import { fenceAbsent, type DepartedWorkersOptions, type Presence } from './departed-workers.ts';

export interface DepartedProcessesOptions extends Omit<DepartedWorkersOptions, 'isOwnTransactionalId'> {
  readonly applicationId: string;
  /** Of this worker. */
  readonly processId: string;
}

/**
 * {@link fenceAbsent} where no leader does it (KIP-1071): the members that take over the tasks of a departed one fence it, on
 * their own and perhaps several at once. To fence twice does no harm: there is nothing left to abort, and the epoch goes up once
 * more under an id that nobody uses.
 *
 * No worker that has tasks is fenced. The transactions are listed first, the members are asked for afterwards:
 *
 * - A worker opens a transaction only for tasks, and has tasks only as a member. One that had a transaction open when they were
 *   listed was therefore a member before, and the broker names it afterwards, however short a time it has been there: the broker
 *   tells nobody of tasks before it has written down who has them.
 * - A worker that is not named any more has left, with all committed, or was removed, and its tasks are given to others. Should
 *   it come back, it initialises its producer anew before it joins. In the moment between the two requests here and the fence
 *   this may be the epoch that is hit: its first commit then fails like that of a worker whose tasks migrated, nothing of it is
 *   visible, and it joins once more.
 * - A description without this process is not that of a group in which it has tasks: nobody is fenced by it.
 *
 * A process counts as a whole. When one of its threads dies, the one that is started in its place ends the transaction; those of
 * a process that starts again with fewer threads end by timeout.
 *
 * Never rejects: a failure costs time, not correctness.
 */
export async function fenceDepartedProcesses(options: DepartedProcessesOptions): Promise<void> {
  const { applicationId, logger } = options;
  const isOwnTransactionalId = (id: string): boolean => processIdIn(applicationId, id) !== undefined;
  try {
    await fenceAbsent(() => lookUpPresence(options), { ...options, isOwnTransactionalId });
  } catch (error) {
    if (error instanceof CancelledError) return;
    logger.warn('could not look for departed workers; transactions that they left open end by timeout', { error });
  }
}

async function lookUpPresence({ admin, applicationId, processId }: DepartedProcessesOptions): Promise<Presence> {
  const { members } = await admin.describeGroup(applicationId);
  const present = new Set(members.map((member) => member.processId));
  return (id) => !present.has(processId) || present.has(processIdIn(applicationId, id));
}
