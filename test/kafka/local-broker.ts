import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerPlan, SecureListeners } from './broker-plan.ts';
import { untilReady } from './readiness.ts';

const readyTimeoutMs = 150_000;
const stopTimeoutMs = 20_000;

/** How long a broker and its folder live. */
export interface BrokerLifetime {
  /** Outlives this process; otherwise it is killed when this process exits. */
  readonly detached: boolean;
  /** The folder goes when the broker is stopped. */
  readonly isTemporary: boolean;
}

/** One broker process and its restarts. */
export class LocalBroker {
  readonly #plan: BrokerPlan;
  readonly #lifetime: BrokerLifetime;
  #process: ChildProcess | undefined;
  readonly #killOnExit = (): void => {
    this.#process?.kill('SIGKILL');
  };

  constructor(plan: BrokerPlan, lifetime: BrokerLifetime) {
    this.#plan = plan;
    this.#lifetime = lifetime;
  }

  get brokers(): string {
    return `127.0.0.1:${this.#plan.port}`;
  }

  get port(): number {
    return this.#plan.port;
  }

  get directory(): string {
    return this.#plan.directory;
  }

  get secure(): SecureListeners | undefined {
    return this.#plan.secure;
  }

  pid(): number {
    if (this.#process?.pid === undefined) throw new Error('the broker does not run');
    return this.#process.pid;
  }

  /** @throws with the end of the broker's log when it does not come up */
  async start(): Promise<void> {
    const logFile = join(this.#plan.directory, 'broker.log');
    const child = await this.#spawn(logFile);
    const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error));
    failed.catch(() => undefined); // also later: a signal that could not be sent ends nothing
    try {
      await Promise.race([untilReady(this.#plan.port, readyTimeoutMs, () => isRunning(child)), failed]);
    } catch (error) {
      throw new Error(`Kafka did not start in ${this.#plan.directory}: ${String(error)}\n${await lastLines(logFile)}`, {
        cause: error,
      });
    }
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    if (this.#lifetime.isTemporary) await rm(this.#plan.directory, { recursive: true, force: true });
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.#end('SIGTERM');
    await this.start();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    process.off('exit', this.#killOnExit);
    if (child === undefined || !isRunning(child)) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const abandon = new AbortController();
    const isLate = await Promise.race([ended.then(() => false), sleep(stopTimeoutMs, true, { signal: abandon.signal })]);
    abandon.abort();
    if (isLate) {
      child.kill('SIGKILL');
      await ended;
    }
  }
  async #spawn(logFile: string): Promise<ChildProcess> {
    const [program, ...args] = this.#plan.command as [string, ...string[]];
    const { detached } = this.#lifetime;
    const log = await open(logFile, 'a');
    const child = spawn(program, args, { stdio: ['ignore', log.fd, log.fd], detached });
    await log.close();
    this.#process = child;
    if (detached) child.unref();
    else process.on('exit', this.#killOnExit);
    return child;
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function lastLines(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trimEnd().split('\n').slice(-20).join('\n');
}
