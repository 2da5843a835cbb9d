import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createKafkaClient } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { type Logger, MetricsRegistry } from '@millrace/core';
import { DROPPED_RECORDS, StreamsApplication, type StreamsSettings } from '@millrace/runtime';
import { buildLedger } from '../../faults/ledger/ledger-topology.ts';
import { isRefusal, scanStore } from '../../faults/ledger/scan-store.ts';
import { dumpDatabase } from '../../oracle/collect/dump-stores.ts';
import type { StoreDump, WorkerEvidence } from '../../oracle/evidence/evidence.ts';
import { type Ledger, type LedgerStore, STORES } from '../../oracle/ledger/ledger.ts';
import type { DiskAfter } from '../plan/fault-plan.ts';
import type { SimulatedProcess } from '../world/simulated-process.ts';
import { SimulatedDisk } from '../world/simulated-disk.ts';
import type { SimulatedNetwork } from '../world/simulated-network.ts';
import { Journal } from './journal.ts';
import type { SlowRecords } from './slow-records.ts';
import { StepWatch } from './step-watch.ts';

/** What the process manager waits before it starts a worker again that has ended by itself. */
const RESTART_MS = 1000;
/** Batches that a power failure takes at most. */
const LOST_BATCHES_MAX = 3;

export interface WorkerParts {
  readonly name: string;
  readonly ledger: Ledger;
  readonly settings: Omit<StreamsSettings, 'applicationId'>;
  readonly network: SimulatedNetwork;
  readonly brokers: string;
  /** A directory of its own on a real disk, for what is not in the databases. */
  readonly root: string;
  readonly createProcess: (name: string) => SimulatedProcess;
  /** Of all workers. */
  readonly slowRecords: SlowRecords;
}

/** One process of a worker from its start to its end. */
interface Life {
  readonly process: SimulatedProcess;
  readonly app: StreamsApplication;
  readonly metrics: MetricsRegistry;
  readonly stateDir: string;
  /** Errors that no query may end with. */
  readonly failedQueries: string[];
  end: 'none' | 'stopping' | 'clean' | 'killed' | 'failed';
}

/** A worker with its disk: the real application in one process after the other. */
export class SimulatedWorker {
  readonly name: string;
  readonly disk = new SimulatedDisk();
  readonly journal: Journal;
  readonly steps = new StepWatch();
  readonly dumps: StoreDump[] = [];
  readonly #parts: WorkerParts;
  readonly #lives: Life[] = [];
  readonly #answers = new Map<string, StoreDump>();
  #isWanted = false;

  constructor(parts: WorkerParts, nowMs: () => number) {
    this.name = parts.name;
    this.#parts = parts;
    this.journal = new Journal(parts.name, nowMs);
  }

  /** The process that runs, if one does that has not been told to end. */
  get process(): SimulatedProcess | undefined {
    return this.#current?.process;
  }

  /** True while a process runs, also one that is about to end. */
  get isUp(): boolean {
    const end = this.#lives.at(-1)?.end;
    return end === 'none' || end === 'stopping';
  }

  get #current(): Life | undefined {
    const life = this.#lives.at(-1);
    return life?.end === 'none' ? life : undefined;
  }

  /** Starts a process, unless one runs or is ending. */
  start(): void {
    this.#isWanted = true;
    const last = this.#lives.at(-1);
    if (this.isUp) return;
    const stateDir = join(this.#parts.root, `${this.name}.${this.#lives.length}`);
    if (last !== undefined && existsSync(last.stateDir)) inheritDirectory(last.stateDir, stateDir);
    const process = this.#parts.createProcess(`${this.name}.${this.#lives.length}`);
    if (this.steps.isWatched) process.beforeEvent = (what) => this.steps.reach(process, what);
    const life = this.#createLife(process, stateDir);
    this.#lives.push(life);
    this.journal.note('starts');
    life.app.start();
    void life.app.finished.then(() => this.#ended(life));
  }

  /** Ends it cleanly. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    const life = this.#current;
    if (life === undefined) return;
    this.journal.note('stops');
    life.end = 'stopping';
    await new Promise<void>((resolve) => {
      life.process.after(0, 'SIGTERM', () => void life.app.close().then(resolve));
    });
  }

  /** Ends it at once. */
  async crash(disk: DiskAfter, losesSent: boolean): Promise<void> {
    const life = this.#lives.at(-1);
    if (life === undefined || !this.isUp) return;
    life.end = 'killed';
    life.process.kill();
    this.#parts.network.abandon(life.process, losesSent);
    this.journal.note(`is killed; its disk after that: ${disk}`);
    this.journal.closedAll();
    if (disk === 'older') await this.disk.losePower(() => Math.floor(life.process.random.next() * (LOST_BATCHES_MAX + 1)));
    await this.dump('kill', () => false);
    if (disk !== 'empty') return;
    this.disk.wipe();
    renameSync(life.stateDir, `${life.stateDir}.lost`);
  }

  /**
   * Asks the process for a partition of a store, also one that is about to end, and keeps what it answers. Resolves when it has
   * answered or refused; who is killed or paused meanwhile does neither.
   */
  ask(store: LedgerStore, partition: number, moment: 'query' | 'last-query'): Promise<void> {
    const life = this.#lives.at(-1);
    if (life === undefined || !this.isUp) return Promise.resolve();
    return new Promise((resolve) => {
      life.process.after(0, 'query', () => void this.#ask(life, store, partition, moment).then(resolve));
    });
  }

  async #ask({ app, failedQueries }: Life, store: LedgerStore, partition: number, moment: StoreDump['moment']): Promise<void> {
    const worker = `${this.name} at ${this.journal.nowMs()}`;
    const taskId = `${STORES[store]}_${partition}`;
    try {
      const rows = await scanStore(app.queries, store, partition);
      // Asked in the end once more, the last word counts.
      const place = moment === 'query' ? String(this.#answers.size) : `${store} of ${taskId}`;
      this.#answers.set(place, { taskId, store, worker, moment, isOwner: false, changelogOffset: undefined, rows });
    } catch (error) {
      if (isRefusal(error)) return;
      failedQueries.push(`a query failed: ${String(error instanceof Error ? error.stack : error)}`);
    }
  }

  /** What it has said when it was asked for its stores. */
  get answers(): StoreDump[] {
    return [...this.#answers.values()];
  }

  /** Copies what is on the disk. */
  async dump(moment: StoreDump['moment'], isOwner: (taskId: string) => boolean): Promise<void> {
    for (const [directory, { rows }] of this.disk.databases) {
      const taskId = directory.split('/').at(-1) ?? '';
      for (const content of await dumpDatabase(rows, taskId))
        this.dumps.push({ ...content, worker: `${this.name} at ${this.journal.nowMs()}`, moment, isOwner: isOwner(taskId) });
    }
  }

  evidence(): WorkerEvidence[] {
    return this.#lives.map(({ process, app, metrics, failedQueries, end }): WorkerEvidence => {
      const hasFailed = end === 'failed' || app.failure !== undefined;
      const open = end === 'clean' ? this.#parts.network.linksOf(process) : 0;
      const leftOpen = [...Array(open).fill('connection'), ...Array(end === 'clean' ? process.sleeping : 0).fill('sleep')];
      return {
        name: process.name,
        expectedEnd: end === 'killed' ? 'killed' : 'clean',
        exitCode: end === 'killed' || end === 'none' || end === 'stopping' ? null : Number(hasFailed),
        signal: end === 'killed' ? 'SIGKILL' : null,
        lingeredMs: 0,
        leftOpen,
        unhandled: failedQueries,
        samples: [],
        droppedRecords: metrics.total(DROPPED_RECORDS),
      };
    });
  }

  #createLife(process: SimulatedProcess, stateDir: string): Life {
    const { ledger, settings, network, brokers } = this.#parts;
    const { clock, random } = process;
    const metrics = new MetricsRegistry();
    const logger = this.#loggerOf(process);
    const openStream = (endpoint: { readonly port: number }, signal: AbortSignal) => network.open(process, endpoint.port, signal);
    const transport = createSocketTransport({
      brokers: brokers.split(','),
      clientId: this.name,
      clock,
      random,
      logger,
      openStream,
    });
    const { requestTimeoutMs = 30_000 } = settings;
    const client = createKafkaClient({ transport, clock, random, logger, metrics, requestTimeoutMs });
    const topology = buildLedger(ledger, {
      onTask: (change, taskId) => process.isAlive && this.journal.task(change, taskId),
      obey: (order) => this.#parts.slowRecords.obey(clock, order),
    });
    const engine = this.disk.engineOf(process, stateDir);
    const app = new StreamsApplication(
      topology,
      { ...settings, applicationId: ledger.applicationId, stateDir },
      { client, engine, clock, random, logger, metrics },
    );
    app.onStateChange((state) => this.journal.state(state));
    return { process, app, metrics, stateDir, failedQueries: [], end: 'none' };
  }

  #ended(life: Life): void {
    if (life.end === 'killed') return;
    const hasFailed = life.app.failure !== undefined;
    life.end = hasFailed ? 'failed' : 'clean';
    this.journal.note(hasFailed ? 'has failed' : 'has ended', hasFailed ? { error: life.app.failure } : undefined);
    life.process.after(RESTART_MS, 'restart', () => {
      if (this.#isWanted) this.start();
    });
  }

  #loggerOf(process: SimulatedProcess): Logger {
    const at =
      (level: string) =>
      (message: string, fields?: object): void => {
        if (process.isAlive) this.journal.note(`${level} ${message}`, fields);
      };
    const logger: Logger = {
      debug: () => undefined,
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: () => logger,
    };
    return logger;
  }
}

/** Directories of workers that were killed are still claimed, by this process: their heirs have them under another name, without the claim. */
function inheritDirectory(from: string, to: string): void {
  renameSync(from, to);
  for (const entry of readdirSync(to, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && entry.name.startsWith('.lock')) rmSync(join(entry.parentPath, entry.name));
}
