import { type BrokerSettings, type DevBroker, MemoryDisk, startBroker } from '@millrace/broker';
import type { SimulatedProcess } from './simulated-process.ts';

/** The broker and its disk: one process after the other, on the same disk. */
export class SimulatedBroker {
  readonly #settings: BrokerSettings;
  readonly #createProcess: () => SimulatedProcess;
  readonly #disk = new MemoryDisk();
  #process: SimulatedProcess | undefined;
  #running: DevBroker | undefined;
  #starting: Promise<void> | undefined;
  /** Where clients begin; stays the same. */
  bootstrapServers = '';

  constructor(settings: BrokerSettings, createProcess: () => SimulatedProcess) {
    this.#settings = settings;
    this.#createProcess = createProcess;
  }

  /** `undefined` while it is down. */
  get running(): DevBroker | undefined {
    return this.#running;
  }

  /** Several faults may end at once, each of which would start it. */
  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    this.#starting ??= this.#startProcess().finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
  }

  async #startProcess(): Promise<void> {
    const process = this.#createProcess();
    const { clock, random } = process;
    this.#process = process;
    this.#running = await startBroker({ ...this.#settings, clock, random, disk: this.#disk });
    this.bootstrapServers = this.#running.bootstrapServers;
  }

  /** Ends it at once. What it had written is on its disk. */
  async crash(): Promise<void> {
    await this.#starting;
    const broker = this.#running;
    this.#running = undefined;
    await broker?.crash();
    this.#process?.kill();
  }
}
