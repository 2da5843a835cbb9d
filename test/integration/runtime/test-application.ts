import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StreamsSettings } from '@millrace/runtime';
import { TestCluster } from './cluster.ts';
import type { TopologyName } from './topologies.ts';
import { Worker } from './worker.ts';
import type { WorkerOrders } from './worker-process.ts';

/**
 * Short times, so that a test need not wait long for a member that died. A machine that stands still for as long as the session costs a
 * worker its membership: its tasks move, are opened again and restored. A test that would fail then asks for a
 * {@link STEADY} or {@link MORTAL} one.
 */
const SETTINGS = {
  guarantee: 'exactly_once_v2',
  commitIntervalMs: 100,
  sessionTimeoutMs: 3000,
  heartbeatIntervalMs: 200,
  transactionTimeoutMs: 30_000,
  cacheMaxBytes: 0,
} as const satisfies Partial<StreamsSettings>;

/** For a worker that has to keep its tasks until it is killed: others take over in time, and a stall costs it nothing. */
export const MORTAL = { sessionTimeoutMs: 10_000 } as const satisfies Partial<StreamsSettings>;

/** For workers that are not killed: they stay in the group though the machine stands still for a while. */
export const STEADY = { sessionTimeoutMs: 300_000 } as const satisfies Partial<StreamsSettings>;

export interface TestApplicationOptions {
  readonly brokers: string;
  readonly topology?: TopologyName;
  /** Partitions of `input` and `output`; 0 makes neither. Default 4. */
  readonly partitions?: number;
  readonly settings?: Partial<StreamsSettings>;
}

/** An application with topics, state and a group of its own. What it started is gone when it goes out of scope. */
export class TestApplication implements AsyncDisposable {
  readonly id: string;
  readonly prefix: string;
  readonly input: string;
  readonly output: string;
  readonly stateDir = mkdtempSync(join(tmpdir(), 'millrace-it-'));
  readonly cluster: TestCluster;
  readonly #options: TestApplicationOptions;
  readonly #workers: Worker[] = [];

  private constructor(options: TestApplicationOptions) {
    this.prefix = `it-${randomUUID().slice(0, 8)}.`;
    this.id = `${this.prefix}app`;
    this.input = `${this.prefix}input`;
    this.output = `${this.prefix}output`;
    this.cluster = new TestCluster(options.brokers);
    this.#options = options;
  }

  static async create(options: TestApplicationOptions): Promise<TestApplication> {
    const application = new TestApplication(options);
    const { partitions = 4 } = options;
    for (const name of partitions === 0 ? [] : [application.input, application.output]) {
      await application.cluster.create(name, partitions);
    }
    return application;
  }

  /** Starts a worker. */
  worker(settings: Partial<StreamsSettings> = {}, orders: Partial<WorkerOrders> = {}): Worker {
    const worker = new Worker({
      brokers: this.#options.brokers,
      topology: this.#options.topology ?? 'counting',
      prefix: this.prefix,
      settings: { ...SETTINGS, stateDir: this.stateDir, ...this.#options.settings, ...settings, applicationId: this.id },
      ...orders,
    });
    this.#workers.push(worker);
    return worker;
  }

  /** Waits until all input so far has been committed, or another topic that the application reads. */
  async drained(topic = this.input): Promise<void> {
    try {
      await this.cluster.drained(this.id, topic);
    } catch (cause) {
      throw new Error(`the application has not consumed all of ${topic}: ${String(cause)}\n${this.log}`, { cause });
    }
  }

  /** Where the process that came first keeps the state of a task. */
  taskDirectory(taskId: string, instance = 0): string {
    return join(this.stateDir, this.id, String(instance), taskId);
  }

  /** What the workers have printed, for the messages of failed tests. */
  get log(): string {
    return this.#workers.map((worker, index) => `--- worker ${index}\n${worker.output}`).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) await worker[Symbol.asyncDispose]();
    const names = (await this.cluster.client.admin.listTopics()).map(({ name }) => name);
    await this.cluster.client.admin.deleteTopics(names.filter((name) => name.startsWith(this.prefix))).catch(() => undefined);
    await this.cluster[Symbol.asyncDispose]();
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}
