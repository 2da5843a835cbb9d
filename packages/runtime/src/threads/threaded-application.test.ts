import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetricsRegistry, ProcessingError, seededRandom, silentLogger } from '@millrace/core';
import type { UncaughtErrorResponse } from '../components.ts';
import { ManualClock } from '../task-harness/manual-clock.ts';
import { toPortableError } from './portable-error.ts';
import { ScriptedThreads } from './scripted-threads.ts';
import { ThreadedApplication } from './threaded-application.ts';

describe('ThreadedApplication', () => {
  let stateDir: string;
  let clock: ManualClock;
  let host: ScriptedThreads;
  let response: UncaughtErrorResponse | undefined;
  let asked: unknown[];
  const failure = new ProcessingError('PROCESSING_FAILED', 'user code failed', { taskId: '0_1' });

  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), 'millrace-threads-'));
    clock = new ManualClock();
    host = new ScriptedThreads();
    response = undefined;
    asked = [];
  });
  afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

  function start(threads: number, settings: object = {}): ThreadedApplication {
    const application = new ThreadedApplication(
      { applicationId: 'app', stateDir, ...settings },
      {
        host,
        clock,
        random: seededRandom(1),
        logger: silentLogger,
        metrics: new MetricsRegistry(),
        onUncaughtError: (error) => {
          asked.push(error);
          return response ?? 'shutdown-client';
        },
      },
    );
    application.start(threads);
    return application;
  }

  const allRun = (): void => {
    for (const thread of host.started) if (!thread.isGone) thread.say({ kind: 'state', state: 'running' });
  };

  it('divides the memory, and gives every thread the same process and an instance id of its own', () => {
    start(3, { cacheMaxBytes: 300, stateCacheBytes: 100, groupInstanceId: 'one' });
    const [first, , third] = host.started.map(({ orders }) => orders);
    expect(first?.settings).toMatchObject({ cacheMaxBytes: 100, stateCacheBytes: 33, groupInstanceId: 'one-1' });
    expect(third?.settings).toMatchObject({ groupInstanceId: 'one-3' });
    expect(third?.directory).toEqual(first?.directory);
  });

  it('divides what was bounded, and leaves each thread its own default of the rest', () => {
    const MIB = 1024 * 1024;
    start(2, { memoryBudgetBytes: 64 * MIB });
    start(2, { outputBufferMaxBytes: 6 * MIB });
    const [divided, , given] = host.started.map(({ orders }) => orders.settings);
    expect(divided).toMatchObject({ uncommittedMaxBytes: 8 * MIB, inputBufferMaxBytes: 8 * MIB, outputBufferMaxBytes: 8 * MIB });
    expect(divided?.memoryBudgetBytes).toBeUndefined();
    expect(given).toMatchObject({ outputBufferMaxBytes: 3 * MIB, inputBufferMaxBytes: 256 * MIB });
    expect(given?.uncommittedMaxBytes).toBeUndefined();
  });

  it('starts nothing when the memory is too little for so many threads', () => {
    expect(() => start(5, { memoryBudgetBytes: 16 * 1024 * 1024 })).toThrow(
      /threads: 5; uncommittedMaxBytes is 4194304 .* at least 5242880, or raise memoryBudgetBytes, or have fewer threads/,
    );
    expect(host.started).toEqual([]);
    const application = start(4, { memoryBudgetBytes: 16 * 1024 * 1024 });
    expect(() => application.addThread()).toThrow('threads: 5');
    expect(host.present).toEqual([1, 2, 3, 4]);
  });

  it('runs when all threads run, and rebalances when one does', () => {
    const application = start(2);
    host.at(1).say({ kind: 'state', state: 'running' });
    expect(application.state).toBe('rebalancing');
    host.at(2).say({ kind: 'state', state: 'running' });
    expect(application.state).toBe('running');
    host.at(1).say({ kind: 'state', state: 'rebalancing' });
    expect(application.state).toBe('rebalancing');
  });

  it('asks the stores of the threads that run, not those of one that is starting', async () => {
    const { queries } = start(2);
    await expect(queries.metadataForStore('counts')).rejects.toMatchObject({ code: 'STORE_NOT_READY' });
    host.at(1).say({ kind: 'state', state: 'running' });
    const asked = queries.metadataForStore('counts');
    expect(host.at(1).heard).toEqual([{ kind: 'locate-store', id: 1, store: 'counts', asked: undefined }]);
    expect(host.at(2).heard).toEqual([]);
    const hosts = [{ endpoint: 'other:1', activePartitions: [0], standbyPartitions: [] }];
    const place = { kind: 'keyValue', isGlobal: false, partitions: 1, keyPartition: undefined, here: [], hosts };
    host.at(1).say({ kind: 'store-place', id: 1, place });
    expect(await asked).toEqual(hosts);
  });

  it('closes when all threads have ended', async () => {
    const application = start(2);
    allRun();
    const closed = application.close();
    expect(host.started.map(({ heard }) => heard)).toEqual([[{ kind: 'close' }], [{ kind: 'close' }]]);
    host.at(2).end();
    await clock.settle();
    expect(application.state).toBe('pending-shutdown');
    host.at(1).end();
    await closed;
    expect([application.state, application.failure]).toEqual(['not-running', undefined]);
  });

  it('ends threads that do not stop in time, and says which', async () => {
    const application = start(2, { shutdownTimeoutMs: 500 });
    const closed = application.close();
    host.at(2).end();
    await clock.advance(500);
    await closed;
    expect(application.failure).toMatchObject({ code: 'SHUTDOWN_TIMEOUT', message: expect.stringContaining('threads 1 did') });
    expect(application.state).toBe('error');
  });

  it('tells a thread whose worker failed to start over, while the others go on', async () => {
    const application = start(2);
    allRun();
    response = 'replace-worker';
    host.at(2).say({ kind: 'failed', error: toPortableError(failure) });
    await clock.settle();
    expect(asked).toMatchObject([{ name: 'ProcessingError', code: 'PROCESSING_FAILED', taskId: '0_1' }]);
    expect(host.at(2).heard).toEqual([{ kind: 'verdict', response: 'replace-worker' }]);
    expect(host.at(1).heard).toEqual([]);
    expect(application.state).toBe('running');
  });

  it.each(['shutdown-client', 'shutdown-application'] as const)('stops all threads when one fails: %s', async (verdict) => {
    const application = start(2);
    allRun();
    response = verdict;
    host.at(2).say({ kind: 'failed', error: toPortableError(failure) });
    await clock.settle();
    expect(host.at(2).heard).toEqual([{ kind: 'verdict', response: verdict }]);
    expect(host.at(1).heard).toEqual([{ kind: 'close' }]);
    host.at(1).end();
    host.at(2).say({ kind: 'ended', failure: toPortableError(failure) });
    host.at(2).exit(undefined, 0);
    await application.finished;
    expect([application.state, asked.length]).toEqual(['error', 1]);
    expect(application.failure).toMatchObject({ code: 'PROCESSING_FAILED' });
  });

  it('starts a thread anew that died, under its number, after a pause', async () => {
    const application = start(2);
    allRun();
    response = 'replace-worker';
    host.at(1).exit(undefined, 3);
    await clock.settle();
    expect(asked).toMatchObject([{ code: 'THREAD_DIED', message: expect.stringContaining('ended by itself with code 3') }]);
    expect([application.state, host.present]).toEqual(['rebalancing', [2]]);
    await clock.advance(1000);
    expect(host.present).toEqual([2, 1]);
    allRun();
    expect(application.state).toBe('running');
  });

  it('ends with a named error when a thread runs out of memory and the policy is to stop', async () => {
    const application = start(2);
    host.at(1).exit(Object.assign(new Error('heap'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }), 1);
    await clock.settle();
    expect(host.at(2).heard).toEqual([{ kind: 'close' }]);
    host.at(2).end();
    await application.finished;
    expect([application.state, application.failure]).toMatchObject(['error', { code: 'THREAD_OUT_OF_MEMORY' }]);
  });

  it('has the other processes told when a thread dies and the policy is to stop the application', async () => {
    const application = start(1);
    response = 'shutdown-application';
    host.at(1).exit(new Error('boom'), 1);
    await clock.settle();
    expect(host.at(1).orders.asksForShutdown).toBe(true);
    host.at(1).end();
    await application.finished;
    expect(application.failure).toMatchObject({ code: 'THREAD_DIED', cause: { message: 'boom' } });
  });

  it('adds a thread under the lowest free number and removes the highest, but not the last', async () => {
    const application = start(2);
    allRun();
    expect(application.addThread()).toBe(3);
    expect([application.state, application.threads]).toEqual(['rebalancing', [1, 2, 3]]);
    allRun();
    const removed = application.removeThread();
    expect(host.at(3).heard).toEqual([{ kind: 'close', leaveGroup: true }]);
    expect(application.threads).toEqual([1, 2]);
    host.at(3).end();
    expect(await removed).toBe(3);
    expect(application.state).toBe('running');
    void application.removeThread();
    host.at(2).end();
    expect(await application.removeThread()).toBeUndefined();
    expect(application.addThread()).toBe(2);
  });

  it('refuses a number of threads that makes no sense', () => {
    expect(() => start(0)).toThrow('threads: 0; give a whole number from 1 to 1024');
  });
});
