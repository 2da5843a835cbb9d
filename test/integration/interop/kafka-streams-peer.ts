import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultKafkaVersion, kafkaJars } from '../../kafka/kafka-jars.ts';

const PROGRAM = fileURLToPath(new URL('KafkaStreamsPeer.java', import.meta.url));

export interface PeerOptions {
  readonly brokers: string;
  readonly applicationId: string;
  readonly stateDir: string;
  readonly topology: string;
  /** Of the names of the topics. */
  readonly prefix: string;
}

/** The real Kafka Streams in a process of its own. Killed, if it still runs, when it goes out of scope. */
export class KafkaStreamsPeer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #running: Promise<void>;
  #output = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'close').then(([code]) => code as number | null);
    this.#running = new Promise((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream as NodeJS.ReadableStream }).on('line', (line) => {
          this.#output += `${line}\n`;
          if (line === 'STATE RUNNING') resolve();
        });
      }
      void this.#ended.then((code) => reject(new Error(`Kafka Streams has ended with ${code}:\n${this.#output}`)));
    });
    // Not everybody waits for it.
    this.#running.catch(() => undefined);
  }

  static async start({ brokers, applicationId, stateDir, topology, prefix }: PeerOptions): Promise<KafkaStreamsPeer> {
    const jars = await kafkaJars(defaultKafkaVersion);
    const flags = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
    const orders = [brokers, applicationId, stateDir, topology, prefix];
    const child = spawn(process.env.JAVA || 'java', [...flags, '-cp', join(jars, '*'), PROGRAM, ...orders], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return new KafkaStreamsPeer(child);
  }

  /** What it has printed, for the messages of failed tests. */
  get output(): string {
    return this.#output;
  }

  /** Resolves when it has its tasks, with their state, which takes a virtual machine some time. @throws Error when it ends before */
  running(): Promise<void> {
    return this.#running;
  }

  /** Asks it to commit, leave the group and end. */
  async stop(): Promise<number | null> {
    this.#child.stdin?.end();
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
