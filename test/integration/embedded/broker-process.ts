import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrokerSettings } from '@millrace/broker';
import { freePorts } from '../../kafka/free-ports.ts';

const PROGRAM = fileURLToPath(new URL('./broker-program.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** What the Kafka of test/kafka is told too: see server-properties.ts there. */
const LIKE_OUR_KAFKA: BrokerSettings = {
  transactionVersion: 2,
  autoCreateTopics: false,
  groupMinSessionTimeoutMs: 1000,
  topicDefaults: { 'retention.ms': '-1' },
};

/** The development broker in a process of its own, which can be killed and comes back with its port and its data. */
export class BrokerProcess implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'millrace-broker-'));
  readonly #settings: BrokerSettings;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #errors = '';

  private constructor(settings: BrokerSettings, port: number) {
    this.#settings = settings;
    this.#port = port;
  }

  /** Resolves when it serves clients. The settings are those of the Kafka under test unless given otherwise. */
  static async start(settings: BrokerSettings = {}): Promise<BrokerProcess> {
    const [port = 0] = await freePorts(1);
    const broker = new BrokerProcess(settings, port);
    await broker.#start();
    return broker;
  }

  get brokers(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** What it has printed on its standard error, for the messages of failed tests. */
  get errors(): string {
    return this.#errors;
  }

  /** Ends it with SIGKILL; everything that it has answered is in its directory. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Starts it again after {@link kill}, or stops it cleanly first. */
  async restart(): Promise<void> {
    await this.#end('SIGTERM');
    await this.#start();
  }

  /** Resolves when it has ended by itself, as after a fatal error or a signal from elsewhere. */
  async ended(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && isAlive(child)) await once(child, 'exit');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    rmSync(this.#directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(): Promise<void> {
    const settings: BrokerSettings = {
      ...LIKE_OUR_KAFKA,
      ...this.#settings,
      port: this.#port,
      dataDirectory: this.#directory,
    };
    const args = ['--conditions=@millrace/source', '--import', 'tsx', PROGRAM, JSON.stringify(settings)];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    const ready = once(child.stdout, 'data').then(() => true);
    const isReady = await Promise.race([ready, once(child, 'exit').then(() => false)]);
    if (!isReady) throw new Error(`the development broker did not start: ${this.#errors}`);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !isAlive(child)) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
