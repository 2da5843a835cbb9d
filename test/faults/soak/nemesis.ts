import { systemClock } from '@millrace/core';
import type { BrokerProcess } from '../../integration/embedded/broker-process.ts';
import type { FaultRun, Seat } from '../rig/fault-run.ts';
import { type Fault, MORTALS, SPARED } from './fault-plan.ts';

/** The line that `delay` leaves: 1 Mbit/s. */
const SLOW_BYTES_PER_SECOND = 125_000;
/** An answer of that kind may not come at all in that time, as from a worker without tasks. */
const ANSWER_WAIT_MS = 5000;
/** How long a lost answer is left alone, so that what follows from it happens. */
const AFTERMATH_MS = 2500;

/** Brings faults about, and afterwards the state of before: the same workers, a broker, a network without defects. */
export class Nemesis {
  readonly #run: FaultRun;
  readonly #broker: BrokerProcess | undefined;
  readonly #seats = new Map<string, Seat>();
  #kills = 0;
  #killsInCommit = 0;

  /** @param broker one that may be killed; without it the plan must not have that fault */
  constructor(run: FaultRun, broker: BrokerProcess | undefined) {
    this.#run = run;
    this.#broker = broker;
  }

  /** How often a worker was killed when all records of its transaction were written, and the end of it was not: they are aborted. */
  get killsInCommit(): number {
    return this.#killsInCommit;
  }

  /** Starts the workers that are always there, and waits until they run. */
  async start(): Promise<void> {
    const names = [SPARED, ...MORTALS];
    const seats = await this.#run.workers(...names);
    for (const [index, seat] of seats.entries()) this.#seats.set(names[index] as string, seat);
  }

  /** Brings these about at the same time; resolves when each is over. */
  async strike(faults: readonly Fault[]): Promise<void> {
    await Promise.all(faults.map((fault) => this.#strike(fault)));
  }

  /**
   * Waits until every worker runs and everything is committed that was there when it began.
   *
   * @returns how long that took, in ms
   * @throws Error when a worker has ended, or it takes too long
   */
  async recovered(): Promise<number> {
    const startedAtMs = systemClock.monotonicMs();
    this.#run.healed();
    await Promise.all([...this.#seats.values()].map(({ worker }) => worker.running()));
    await this.#run.drained();
    for (const { worker } of this.#seats.values())
      if (!worker.isAlive) throw new Error(`${worker.name} has ended by itself:\n${worker.output}`);
    return systemClock.monotonicMs() - startedAtMs;
  }

  async #strike(fault: Fault): Promise<void> {
    switch (fault.kind) {
      case 'kill':
        return this.#kill(fault.seat, fault.awayMs);
      case 'pause':
        return this.#pause(fault.seat, fault.forMs);
      case 'broker':
        return this.#killBroker(fault.downMs);
      case 'cuts':
        return this.#cut(fault.seat, fault.times, fault.everyMs);
      case 'lost-answer':
        return this.#loseAnswer(fault.seat, fault.api, fault.action);
      case 'delay':
        return this.#delay(fault.seat, fault.latencyMs, fault.forMs);
      case 'scale-in':
        return this.#scaleIn(fault.seat, fault.awayMs);
      case 'scale-out':
        return this.#scaleOut(fault.seat, fault.forMs);
    }
  }

  async #kill(name: string, awayMs: number): Promise<void> {
    const seat = this.#seat(name);
    if (this.#kills++ % 2 === 0) await this.#killInCommit(seat);
    await this.#run.kill(seat);
    await systemClock.sleep(awayMs);
    this.#seats.set(name, await this.#run.worker(name));
  }

  /** A moment by chance is hardly ever one in a commit. Gives up when there is none for a while. */
  async #killInCommit({ proxy, worker }: Seat): Promise<void> {
    const action = async (): Promise<'drop'> => {
      await worker.kill();
      return 'drop';
    };
    const commit = proxy.add({ api: 'EndTxn', side: 'request', action });
    await Promise.race([commit.hit(), systemClock.sleep(ANSWER_WAIT_MS)]);
    proxy.remove(commit);
    this.#killsInCommit += commit.hits;
  }

  async #pause(name: string, forMs: number): Promise<void> {
    const { worker } = this.#seat(name);
    worker.signal('SIGSTOP');
    await systemClock.sleep(forMs);
    worker.signal('SIGCONT');
  }

  async #killBroker(downMs: number): Promise<void> {
    await this.#broker?.kill();
    await systemClock.sleep(downMs);
    await this.#broker?.restart();
  }

  async #cut(name: string, times: number, everyMs: number): Promise<void> {
    const { proxy } = this.#seat(name);
    for (let time = 0; time < times; time++) {
      proxy.cut();
      await systemClock.sleep(everyMs);
    }
  }

  async #loseAnswer(name: string, api: string, action: 'cut' | 'swallow'): Promise<void> {
    const { proxy } = this.#seat(name);
    const lost = proxy.add({ api, side: 'response', action });
    await Promise.race([lost.hit(), systemClock.sleep(ANSWER_WAIT_MS)]);
    await systemClock.sleep(AFTERMATH_MS);
    proxy.remove(lost);
  }

  async #delay(name: string, latencyMs: number, forMs: number): Promise<void> {
    const { proxy } = this.#seat(name);
    proxy.conditions = { latencyMs, bytesPerSecond: SLOW_BYTES_PER_SECOND };
    await systemClock.sleep(forMs);
    proxy.conditions = {};
  }

  async #scaleIn(name: string, awayMs: number): Promise<void> {
    await this.#seat(name).worker.stop();
    await systemClock.sleep(awayMs);
    this.#seats.set(name, await this.#run.worker(name));
  }

  async #scaleOut(name: string, forMs: number): Promise<void> {
    const { worker } = await this.#run.worker(name);
    await systemClock.sleep(forMs);
    await worker.stop();
  }

  #seat(name: string): Seat {
    const seat = this.#seats.get(name);
    if (seat === undefined) throw new Error(`no worker ${name} is there`);
    return seat;
  }
}
