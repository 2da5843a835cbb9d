import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKafkaClient, type KafkaClient } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { silentLogger } from '@millrace/core';
import type { Transport } from '@millrace/client';
import { LedgerSource } from '../../faults/ledger/ledger-source.ts';
import { LiveReader } from '../../oracle/collect/live-reader.ts';
import { RawLogReader } from '../../oracle/collect/raw-log-reader.ts';
import type { Evidence, Recovery, StoreDump } from '../../oracle/evidence/evidence.ts';
import { lastOwners } from '../../oracle/evidence/last-owner.ts';
import { allTopics, consumedTopics, OUTPUTS, repartitionOf, taskIdsOf, topicOf } from '../../oracle/ledger/ledger.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { Choices, randomOf } from '../plan/seeded-choices.ts';
import { EPOCH_MS, Scheduler } from '../world/scheduler.ts';
import { SimulatedBroker } from '../world/simulated-broker.ts';
import { SimulatedNetwork } from '../world/simulated-network.ts';
import { SimulatedProcess } from '../world/simulated-process.ts';
import { Trace } from '../world/trace.ts';
import { FaultInjection } from './fault-injection.ts';
import { Journal } from './journal.ts';
import { RepartitionWatch } from './repartition-watch.ts';
import { SimulatedWorker } from './simulated-worker.ts';
import { SlowRecords } from './slow-records.ts';
import { StoreQuestions } from './store-questions.ts';

/** So few that what is done to one commit shows in the next: a run has at most 240 records. */
const KEYS = 12;
/** Of virtual time: sessions, transactions and rebalances run out one after the other, and states are restored. */
const DRAIN_LIMIT_MS = 50_000;
const RUN_LIMIT_MS = 300_000;
const WRITES = 40;
const CHECK_MS = 100;

/** How a run has ended. */
export interface RunResult {
  /** `undefined` when it has not come to its end. */
  readonly evidence: Evidence | undefined;
  readonly failure: string | undefined;
  readonly trace: string;
  readonly events: number;
  /** Events of the second of virtual time that had most of them. */
  readonly busiestSecond: number;
  readonly virtualMs: number;
  readonly happened: ReadonlySet<number>;
  /** Where crashes came that were tied to a request or to a step, and the places that workers with such steps came to. */
  readonly places: { readonly crashes: readonly string[]; readonly seen: ReadonlySet<string> };
  /** What everybody has said, in the order of time. */
  readonly journal: () => string;
}

/** Does the run that the plan describes: everything in this process, in virtual time. */
export async function simulate(plan: RunPlan): Promise<RunResult> {
  const root = mkdtempSync(join(tmpdir(), 'millrace-simulation-'));
  try {
    return await new Simulation(plan, root).run();
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

class Simulation {
  readonly #plan: RunPlan;
  readonly #trace = new Trace();
  readonly #scheduler: Scheduler;
  readonly #network: SimulatedNetwork;
  readonly #broker: SimulatedBroker;
  readonly #operator: SimulatedProcess;
  readonly #workers: SimulatedWorker[] = [];
  readonly #journal: Journal;
  readonly #root: string;
  #faults: FaultInjection | undefined;
  #healedAtMs = 0;
  #stoppedAtMs = 0;
  readonly #slowRecords = new SlowRecords(() => this.#scheduler.nowMs);
  /** Which tasks each worker had when all were told to stop. */
  readonly #owned = new Map<SimulatedWorker, ReadonlySet<string>>();
  /** Which of them it had since before it was asked for everything. */
  #asked: ReadonlyMap<SimulatedWorker, ReadonlySet<string>> = new Map();

  constructor(plan: RunPlan, root: string) {
    this.#plan = plan;
    this.#root = root;
    this.#scheduler = new Scheduler(randomOf(plan.seed, 'scheduler'), this.#trace);
    this.#journal = new Journal('run', () => this.#scheduler.nowMs);
    let brokers = 0;
    this.#broker = new SimulatedBroker(plan.broker, () => this.#process(`broker.${brokers++}`));
    this.#network = new SimulatedNetwork({
      scheduler: this.#scheduler,
      random: randomOf(plan.seed, 'network'),
      latencyMaxMs: plan.latencyMaxMs,
      broker: () => this.#broker.running,
    });
    this.#operator = this.#process('operator');
  }

  async run(): Promise<RunResult> {
    let evidence: Evidence | undefined;
    let failure: string | undefined;
    try {
      evidence = await this.#scheduler.run(this.#scenario(), RUN_LIMIT_MS);
    } catch (error) {
      failure = String(error instanceof Error ? error.stack : error);
    }
    return {
      evidence,
      failure,
      trace: this.#trace.digest(),
      events: this.#trace.events,
      busiestSecond: this.#trace.busiestSecond,
      virtualMs: this.#scheduler.nowMs,
      happened: this.#faults?.happened ?? new Set(),
      places: {
        crashes: this.#faults?.crashPlaces ?? [],
        seen: new Set(this.#workers.flatMap(({ steps }) => [...steps.seen])),
      },
      journal: () => this.#lines(),
    };
  }

  async #scenario(): Promise<Evidence> {
    const { ledger, seed, faults } = this.#plan;
    await this.#broker.start();
    const client = this.#client();
    for (const name of ['in', 'rates', ...OUTPUTS] as const)
      await client.admin.createTopics([
        { name: topicOf(ledger, name), partitions: ledger.partitions, replicationFactor: -1, configs: { 'retention.ms': '-1' } },
      ]);
    const live = new LiveReader(client);
    for (const name of OUTPUTS) live.watch(topicOf(ledger, name), ledger.partitions);
    const source = new LedgerSource(ledger, client, randomOf(seed, 'source').next() * 2 ** 32, EPOCH_MS, KEYS);
    await source.writeRates();
    this.#createWorkers();
    const injection = this.#injection((forMs, number) => void source.write(1, { order: `${forMs} ${number}` }));
    this.#faults = injection;
    for (const fault of faults) injection.arm(fault);
    const repartition = new RepartitionWatch(
      ledger,
      this.#network,
      () => this.#broker.running,
      () => this.#scheduler.nowMs,
    );
    const questions = this.#questions();
    questions.begin();
    await this.#feed(source);
    await injection.heal();
    this.#healedAtMs = this.#scheduler.nowMs;
    this.#journal.note('healed');
    await source.writeBarriers();
    await this.#drained();
    await this.#until(() => this.#unassigned().length === 0);
    const recovery = this.#recovery();
    // At least once, whoever has lost its tasks in the middle of a record writes what comes of it all the same.
    await this.#until(() => this.#slowRecords.haveEnded);
    await this.#drained();
    await this.#until(() => this.#unassigned().length === 0);
    await this.#askAll(questions);
    this.#stoppedAtMs = this.#scheduler.nowMs;
    for (const worker of this.#workers) this.#owned.set(worker, new Set(worker.journal.openTasks));
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    questions.end();
    await this.#until(() => this.#isQuiet());
    await live.finish(AbortSignal.any([]));
    await source.close();
    repartition.look();
    const evidence = await this.#evidence(live, repartition, recovery);
    await client.close();
    return evidence;
  }

  #createWorkers(): void {
    const { ledger, settings, workers, isStatic, seed } = this.#plan;
    const random = randomOf(seed, 'starts');
    for (let number = 0; number < workers; number++) {
      const name = `w${number}`;
      const worker = new SimulatedWorker(
        {
          name,
          ledger,
          settings: isStatic ? { ...settings, groupInstanceId: name } : settings,
          network: this.#network,
          brokers: this.#broker.bootstrapServers,
          root: this.#root,
          createProcess: (processName) => this.#process(processName),
          slowRecords: this.#slowRecords,
        },
        () => this.#scheduler.nowMs,
      );
      this.#workers.push(worker);
      const startsAtMs = number === 0 ? 0 : (this.#plan.faultsMs / 2) * random.next() ** 2;
      this.#operator.after(startsAtMs, 'start', () => worker.start());
    }
  }

  #injection(writeSlowRecord: (forMs: number, number: number) => void): FaultInjection {
    return new FaultInjection({
      workers: this.#workers,
      network: this.#network,
      broker: this.#broker,
      operator: this.#operator,
      writeSlowRecord,
      note: (text) => this.#journal.note(text),
      applicationId: this.#plan.ledger.applicationId,
      topic: repartitionOf(this.#plan.ledger),
    });
  }

  #questions(): StoreQuestions {
    const { ledger, seed } = this.#plan;
    const choices = new Choices(randomOf(seed, 'questions'));
    return new StoreQuestions({ ledger, workers: this.#workers, process: this.#process('questioner'), choices });
  }

  /** Asks for everything; again, if a task was on its way to another worker meanwhile. */
  async #askAll(questions: StoreQuestions): Promise<void> {
    const endMs = this.#scheduler.nowMs + DRAIN_LIMIT_MS;
    do {
      // What is committed comes to be on the disks.
      await this.#operator.clock.sleep(CHECK_MS);
      this.#asked = await questions.askAll();
    } while (this.#unassigned().length > 0 && this.#scheduler.nowMs < endMs);
  }

  /** Writes the input bit by bit, as long as faults may happen. */
  async #feed(source: LedgerSource): Promise<void> {
    const { records, faultsMs } = this.#plan;
    for (let write = 0; write < WRITES; write++) {
      await source.write(Math.ceil(records / WRITES));
      await this.#operator.clock.sleep(faultsMs / WRITES);
    }
  }

  /** Waits until everything that is there has been processed and committed. */
  async #drained(): Promise<void> {
    const endMs = this.#scheduler.nowMs + DRAIN_LIMIT_MS;
    for (let missing = this.#missing(); missing !== undefined; missing = this.#missing()) {
      if (this.#scheduler.nowMs > endMs) throw new Error(`not drained ${DRAIN_LIMIT_MS} ms after the last fault: ${missing}`);
      await this.#operator.clock.sleep(CHECK_MS);
    }
  }

  /** What is not committed yet, in words. */
  #missing(): string | undefined {
    const { ledger } = this.#plan;
    const contents = this.#broker.running?.inspect();
    const offsets = contents?.groups.find(({ groupId }) => groupId === ledger.applicationId)?.offsets ?? [];
    for (const name of consumedTopics(ledger)) {
      const topic = contents?.topics.find((one) => one.name === name);
      if (topic === undefined) return `${name} is not there`;
      for (const partition of topic.partitions.keys()) {
        const batches = this.#broker.running?.readLog(name, partition) ?? [];
        const last = batches.findLast(
          ({ marker, isAborted, records }) => marker === undefined && !isAborted && records.length > 0,
        );
        const committed = offsets.find((one) => one.topic === name && one.partition === partition)?.offset ?? 0;
        if (last !== undefined && committed <= last.lastOffset)
          return `${name}-${partition}: ${committed} of ${last.lastOffset + 1}`;
      }
    }
    return undefined;
  }

  /** No transaction is open and nobody is in the group: static members are until their sessions run out. */
  #isQuiet(): boolean {
    const contents = this.#broker.running?.inspect();
    const isOpen = contents?.topics.some(({ partitions }) => partitions.some((one) => one.lastStableOffset < one.highWatermark));
    return isOpen === false && contents?.groups.every(({ members }) => members.length === 0) === true;
  }

  /** Tasks that nobody has now. */
  #unassigned(): string[] {
    const owned = new Set(this.#workers.flatMap(({ journal }) => [...journal.openTasks]));
    return taskIdsOf(this.#plan.ledger).filter((task) => !owned.has(task));
  }

  /** Waits for the condition as long as recovering may take; whether it came about is judged later. */
  async #until(condition: () => boolean): Promise<void> {
    const endMs = this.#scheduler.nowMs + DRAIN_LIMIT_MS;
    while (!condition() && this.#scheduler.nowMs < endMs) await this.#operator.clock.sleep(CHECK_MS);
  }

  #recovery(): Recovery {
    return {
      drainedAfterMs: this.#scheduler.nowMs - this.#healedAtMs,
      drainLimitMs: DRAIN_LIMIT_MS,
      // How often it may be is a question for runs in which nobody starts again when all is healed.
      rebalancesAfter: 0,
      unassignedTasks: this.#unassigned(),
    };
  }

  async #evidence(live: LiveReader, repartition: RepartitionWatch, recovery: Recovery): Promise<Evidence> {
    const { ledger } = this.#plan;
    const contents = this.#broker.running?.inspect();
    const group = contents?.groups.find(({ groupId }) => groupId === ledger.applicationId);
    for (const worker of this.#workers) await worker.dump('end', (taskId) => this.#ownersOf(taskId).includes(worker));
    await using reader = new RawLogReader('', this.#transport());
    return {
      ledger,
      recovery,
      logs: await reader.read(allTopics(ledger)),
      committedOffsets: new Map(group?.offsets.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset])),
      groupMembers: group?.members.length ?? 0,
      stores: this.#workers.flatMap((worker) => [...worker.dumps, ...this.#answersOf(worker)]),
      askedTasks: new Set([...this.#asked.values()].flatMap((tasks) => [...tasks])),
      live: new Map([...live.seen, ...repartition.records]),
      purges: repartition.purges,
      workers: this.#workers.flatMap((worker) => worker.evidence()),
      skips: [],
    };
  }

  #answersOf(worker: SimulatedWorker): StoreDump[] {
    return worker.answers.map((answer) => {
      const isOwner = answer.moment === 'last-query' && this.#asked.get(worker)?.has(answer.taskId) === true;
      return { ...answer, isOwner };
    });
  }

  #ownersOf(taskId: string): SimulatedWorker[] {
    const tenancies = this.#workers.map((worker) => ({
      worker,
      openings: worker.journal.openings,
      ownedAtStop: this.#owned.get(worker) ?? new Set<string>(),
    }));
    return lastOwners(taskId, tenancies, this.#stoppedAtMs).map(({ worker }) => worker);
  }

  #process(name: string): SimulatedProcess {
    return new SimulatedProcess(name, this.#scheduler, randomOf(this.#plan.seed, name));
  }

  #transport(): Transport {
    const { clock, random } = this.#operator;
    const brokers = this.#broker.bootstrapServers.split(',');
    const openStream = (endpoint: { readonly port: number }, signal: AbortSignal) =>
      this.#network.open(this.#operator, endpoint.port, signal);
    return createSocketTransport({ brokers, clientId: 'operator', clock, random, logger: silentLogger, openStream });
  }

  #client(): KafkaClient {
    const { clock, random } = this.#operator;
    return createKafkaClient({ transport: this.#transport(), clock, random, requestTimeoutMs: 5000 });
  }

  #lines(): string {
    const lines = [this.#journal, ...this.#workers.map(({ journal }) => journal)].flatMap((journal) => journal.lines());
    return lines
      .toSorted((one, other) => one.atMs - other.atMs)
      .map(({ line }) => line)
      .join('\n');
  }
}
