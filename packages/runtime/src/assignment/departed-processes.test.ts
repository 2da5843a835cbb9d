import { CancelledError, RetriableError, silentLogger } from '@millrace/core';
import type { Admin } from '@millrace/client';
import { describe, expect, it } from 'vitest';
import { transactionalIdOf } from '../topics/topic-names.ts';
import { fenceDepartedProcesses } from './departed-processes.ts';

const processId = (process: number): string => `00000000-0000-4000-8000-00000000000${process}`;
const transactionalId = (process: number, worker = 0): string => transactionalIdOf('app', processId(process), worker);

/** What the brokers say, and what is asked of them. */
class Stage {
  open: readonly string[] | Error = [];
  /** Processes of the members. */
  members: readonly number[] = [];
  fenceFailure: Error | undefined;
  readonly asked: string[] = [];
  readonly fenced: string[] = [];
  readonly warnings: string[] = [];

  async fence(): Promise<string[]> {
    const admin = {
      listOpenTransactions: async () => {
        this.asked.push('transactions');
        if (this.open instanceof Error) throw this.open;
        return this.open;
      },
      describeGroup: async (groupId: string) => {
        this.asked.push(`members of ${groupId}`);
        return { state: 'Stable', members: this.members.map((process) => ({ processId: processId(process) })) };
      },
      fenceTransactionalId: async (id: string) => {
        this.fenced.push(id);
        if (this.fenceFailure !== undefined) throw this.fenceFailure;
      },
    } as unknown as Admin;
    const logger = { ...silentLogger, warn: (message: string) => void this.warnings.push(message) };
    await fenceDepartedProcesses({ admin, logger, applicationId: 'app', processId: processId(1), transactionTimeoutMs: 1000 });
    return this.fenced;
  }
}

describe('processes that have departed from a group without a leader', () => {
  it('are fenced when they left a transaction open, each worker of theirs, and nobody else', async () => {
    const stage = new Stage();
    stage.members = [1, 2];
    stage.open = [
      ...[transactionalId(1), transactionalId(2, 3), transactionalId(8), transactionalId(9, 0), transactionalId(9, 1)],
      ...[transactionalIdOf('application', processId(7), 0), 'app-foreign'],
    ];
    expect(await stage.fence()).toEqual([transactionalId(8), transactionalId(9, 0), transactionalId(9, 1)]);
  });

  it('are looked for among those whose transactions were listed before the members were', async () => {
    const stage = new Stage();
    stage.members = [1];
    stage.open = [transactionalId(9)];
    await stage.fence();
    expect(stage.asked).toEqual(['transactions', 'members of app']);
  });

  it('cost one request when no transaction of the application is open', async () => {
    const stage = new Stage();
    stage.open = ['foreign'];
    await stage.fence();
    expect(stage.asked).toEqual(['transactions']);
  });

  it.each([[[]], [[2]]])('are not known to a process that the group does not name either (members %j)', async (members) => {
    const stage = new Stage();
    stage.members = members;
    stage.open = [transactionalId(9)];
    expect(await stage.fence()).toEqual([]);
  });

  it('hold nobody up when they cannot be fenced or found: their transactions end by timeout', async () => {
    const stage = new Stage();
    stage.members = [1];
    stage.open = [transactionalId(9)];
    stage.fenceFailure = new Error('not authorized');
    await stage.fence();
    stage.open = new RetriableError('COORDINATOR_NOT_AVAILABLE', 'nobody answers');
    await stage.fence();
    expect(stage.warnings).toEqual([
      expect.stringContaining('could not fence'),
      expect.stringContaining('could not look for departed workers'),
    ]);
  });

  it('are nobody to speak of when the worker stops meanwhile', async () => {
    const stage = new Stage();
    stage.open = new CancelledError();
    await stage.fence();
    expect(stage.warnings).toEqual([]);
  });
});
