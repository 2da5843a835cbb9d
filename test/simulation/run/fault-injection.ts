import type { Fault, Step, When } from '../plan/fault-plan.ts';
import type { SimulatedBroker } from '../world/simulated-broker.ts';
import type { SimulatedNetwork } from '../world/simulated-network.ts';
import type { SimulatedProcess } from '../world/simulated-process.ts';
import type { SimulatedWorker } from './simulated-worker.ts';
import { StepCount } from './step-watch.ts';

export interface InjectionParts {
  readonly workers: readonly SimulatedWorker[];
  readonly network: SimulatedNetwork;
  readonly broker: SimulatedBroker;
  /** Whose events the faults are. */
  readonly operator: SimulatedProcess;
  /** Writes a record whose processing takes so long. */
  readonly writeSlowRecord: (forMs: number, number: number) => void;
  readonly note: (text: string) => void;
  readonly applicationId: string;
  readonly topic: string;
}

/** Does to a run what its plan says, until it is healed. */
export class FaultInjection {
  readonly #parts: InjectionParts;
  readonly #endings = new Set<() => void>();
  readonly #happened = new Set<number>();
  readonly #crashPlaces: string[] = [];
  #isHealed = false;
  #heldUntilMs = 0;

  constructor(parts: InjectionParts) {
    this.#parts = parts;
  }

  /** Numbers of the faults that have come about. */
  get happened(): ReadonlySet<number> {
    return this.#happened;
  }

  /** Where the crashes that were tied to a step or to a request have come. */
  get crashPlaces(): readonly string[] {
    return this.#crashPlaces;
  }

  /** Before the workers start. */
  arm(fault: Fault): void {
    const { request, step } = fault.when;
    if (step !== undefined) this.#workerOf(fault).steps.watch();
    this.#parts.operator.after(fault.when.atMs, 'fault', () => {
      if (this.#isHealed) return;
      if (request !== undefined) this.#watch(fault, request);
      else if (step !== undefined) this.#watchSteps(fault, step);
      else this.#happen(fault);
    });
  }

  /** Everything is well again, or comes to be at once; what the network held back has arrived. */
  async heal(): Promise<void> {
    this.#isHealed = true;
    for (const end of [...this.#endings]) end();
    const { broker, workers, operator } = this.#parts;
    await broker.start();
    for (const worker of workers) if (worker.process === undefined) worker.start();
    // At least once, a commit that comes so late takes an offset back: only with the next record does somebody commit again.
    await operator.clock.sleep(Math.max(0, this.#heldUntilMs - operator.clock.monotonicMs()));
  }

  /** So long something may still be on its way. */
  #holdsFor(ms: number): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, this.#parts.operator.clock.monotonicMs() + ms);
  }

  /** Waits until a process of the fault's worker comes to the step. */
  #watchSteps(fault: Fault, step: Step): void {
    const count = new StepCount();
    const stop = this.#workerOf(fault).steps.listen((process, place) => {
      if (!count.isAt(step, process, place)) return;
      stop();
      this.#endings.delete(stop);
      this.#happen(fault, place);
    });
    this.#endings.add(stop);
  }

  /** Waits for the n-th request of its kind by the fault's worker. */
  #watch(fault: Fault, { api, apiKey, nth, moment }: NonNullable<When['request']>): void {
    const place = `${api} ${moment}`;
    let left = nth;
    const side = moment === 'unsent' ? 'request' : 'response';
    const stop = this.#parts.network.listen((passing) => {
      if (passing.process !== this.#workerOf(fault).process || passing.apiKey !== apiKey || passing.side !== side)
        return undefined;
      if (--left > 0) return undefined;
      stop();
      this.#endings.delete(stop);
      if (fault.kind === 'hold') {
        this.#noteDown(fault);
        this.#holdsFor(fault.forMs);
        return { holdMs: fault.forMs };
      }
      if (moment === 'answered') return { onArrival: () => this.#happen(fault, place) };
      // Not while the sender is in the middle of something: at the next step.
      this.#parts.operator.after(0, 'fault at a frame', () => this.#happen(fault, place));
      return { holdMs: 1 };
    });
    this.#endings.add(stop);
  }

  /** @param place where the worker was, if the fault came because it was there */
  #happen(fault: Fault, place?: string): void {
    if (this.#isHealed) return;
    this.#noteDown(fault, place);
    const { broker } = this.#parts;
    const { process, disk } = this.#workerOf(fault);
    if (fault.kind === 'broker-crash') {
      void broker.crash();
      this.#until(fault.downMs, () => void broker.start());
    } else if (fault.kind === 'move') this.#move(fault);
    else if (fault.kind === 'slow-record') this.#parts.writeSlowRecord(fault.forMs, fault.number);
    else if (fault.kind === 'full-disk') {
      disk.isFull = true;
      this.#until(fault.forMs, () => {
        disk.isFull = false;
      });
    } else if (fault.kind === 'crash') this.#crash(fault, place);
    else if (process !== undefined) this.#happenTo(process, fault);
  }

  /** Also in the middle of a clean stop. */
  #crash(fault: Extract<Fault, { kind: 'crash' }>, place: string | undefined): void {
    const worker = this.#workerOf(fault);
    if (!worker.isUp) return;
    if (place !== undefined) this.#crashPlaces.push(place);
    void worker.crash(fault.disk, fault.losesSent);
    this.#until(fault.downMs, () => worker.start());
  }

  #happenTo(process: SimulatedProcess, fault: Fault): void {
    const { network } = this.#parts;
    const worker = this.#workerOf(fault);
    switch (fault.kind) {
      case 'stop':
        void worker.stop();
        this.#until(fault.downMs, () => worker.start());
        break;
      case 'pause':
        process.pause();
        this.#until(fault.forMs, () => process.resume());
        break;
      case 'slow':
        network.slow(process, fault.byMaxMs);
        this.#until(fault.forMs, () => {
          network.slow(process, 0);
          this.#holdsFor(fault.byMaxMs);
        });
        break;
      case 'cut':
        network.cut(process, fault.connection);
        break;
      case 'clock':
        process.jump(fault.byMs);
        break;
      default:
        break;
    }
  }

  #noteDown(fault: Fault, place?: string): void {
    this.#happened.add(fault.number);
    this.#parts.note(`fault ${describeFault(fault)}${place === undefined ? '' : `: ${place}`}`);
  }

  #workerOf({ worker }: Fault): SimulatedWorker {
    return this.#parts.workers[worker] as SimulatedWorker;
  }

  #move(fault: Extract<Fault, { kind: 'move' }>): void {
    const { broker, applicationId, topic } = this.#parts;
    if (fault.what === 'group') broker.running?.moveCoordinator('group', applicationId, fault.node);
    else broker.running?.moveLeader(topic, fault.partition, fault.node);
  }

  /** Ends something after a time, or when everything is healed. */
  #until(forMs: number, end: () => void): void {
    const once = (): void => {
      if (!this.#endings.delete(once)) return;
      end();
    };
    this.#endings.add(once);
    this.#parts.operator.after(forMs, 'end of a fault', once);
  }
}

/** A fault in one line. */
export function describeFault({ number, worker, when, ...rest }: Fault): string {
  const at = describeWhen(when);
  const details = Object.entries(rest)
    .filter(([name]) => name !== 'kind')
    .map(([name, value]) => `${name}=${value}`);
  return `${number}: ${rest.kind} of w${worker} ${at} ${details.join(' ')}`;
}

function describeWhen({ atMs, request, step }: When): string {
  if (request !== undefined) return `from ${atMs} on, ${request.api} ${request.nth} ${request.moment}`;
  if (step !== undefined) return `from ${atMs} on, visit ${step.visit} of place ${step.place}`;
  return `at ${atMs}`;
}
