import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@millrace/core';
import type { StreamsSettings } from '@millrace/runtime';
import { TestCluster } from '../../integration/runtime/cluster.ts';
import { collectFromBroker } from '../../oracle/collect/collect-from-broker.ts';
import { dumpStores } from '../../oracle/collect/dump-stores.ts';
import { LiveReader } from '../../oracle/collect/live-reader.ts';
import type { AnnouncedSkip, Evidence, Recovery, StoreDump } from '../../oracle/evidence/evidence.ts';
import { lastOwners, type Tenancy } from '../../oracle/evidence/last-owner.ts';
import { describeFindings, judge } from '../../oracle/judge.ts';
import { consumedTopics, type Ledger, OUTPUTS, repartitionOf, taskIdsOf, topicOf } from '../../oracle/ledger/ledger.ts';
import type { LedgerOrders } from '../ledger/ledger-process.ts';
import { LedgerSource } from '../ledger/ledger-source.ts';
import { type LedgerEvent, LedgerWorker } from '../ledger/ledger-worker.ts';
import { KafkaProxy } from '../proxy/kafka-proxy.ts';
import { haveAnswered, keptTasks } from './last-answers.ts';
import { setTopicConfig } from './set-topic-config.ts';
import { PurgeWatch } from './purge-watch.ts';

/** Short times, so that a test need not wait long for what has died; long enough for a busy machine. */
export const TIMES = {
  sessionTimeoutMs: 2500,
  heartbeatIntervalMs: 250,
  requestTimeoutMs: 2000,
  transactionTimeoutMs: 8000,
} as const satisfies Partial<StreamsSettings>;

/** After a fault: the session runs out, the group rebalances, the tasks restore. */
const DRAIN_LIMIT_MS = TIMES.sessionTimeoutMs + 10_000;
/** A worker process starts in less, unless the machine is slow or does something else. */
const QUIET_START_MS = 2000;
const SLOWNESS_MAX = 10;
/** The reader is at the end of everything all the time. */
const READ_LIMIT_MS = 60_000;
const SEED = 20_261_121;
/** How the workers say that they leave out a record. */
const SKIPPED = /is skipped|is dropped/;

export interface FaultRunOptions {
  readonly brokers: string;
  readonly partitions?: number;
  readonly guarantee?: Ledger['guarantee'];
  readonly cached?: boolean;
  readonly settings?: Partial<StreamsSettings>;
  /** How long it may take to drain after the last fault, on a machine that is not slow. Default: session timeout and ten seconds. */
  readonly drainLimitMs?: number;
  /** Of input and outputs. Default: the broker's. */
  readonly recordBytesMax?: number;
  /** Workers see the brokers themselves, without a proxy: where there is more than one broker. */
  readonly direct?: boolean;
  /** Of the input. Default: always the same. */
  readonly seed?: number;
  /** Hears what the workers say while they say it. */
  readonly onEvent?: (worker: string, event: LedgerEvent) => void;
}

/** The end of a run. */
export interface Conclusion {
  readonly evidence: Evidence;
  /** What the oracle has found, as text; nothing when all is right. */
  readonly verdict: string;
  /** The verdict, if there is anything wrong, and behind it what the workers have said. */
  readonly findings: string;
  /** Records that were written, but in transactions that were aborted. */
  readonly abortedRecords: number;
}

/** A worker and the network that it sees. */
export interface Seat {
  readonly worker: LedgerWorker;
  readonly proxy: KafkaProxy;
}

/**
 * One run of the ledger under faults: topics, source, workers, a reader that watches; in the end the oracle's verdict. What it
 * started is gone when it goes out of scope.
 */
export class FaultRun implements AsyncDisposable {
  readonly ledger: Ledger;
  readonly cluster: TestCluster;
  readonly source: LedgerSource;
  readonly #options: FaultRunOptions;
  readonly #root = mkdtempSync(join(tmpdir(), 'millrace-fault-'));
  readonly #workers: LedgerWorker[] = [];
  readonly #proxies = new Map<string, KafkaProxy>();
  readonly #live: LiveReader;
  readonly #purges: PurgeWatch;
  readonly #dumps: StoreDump[] = [];
  readonly #over = new AbortController();
  #healedAtMs = systemClock.nowMs();

  private constructor(options: FaultRunOptions) {
    const { partitions = 3, guarantee = 'exactly_once_v2', cached = true } = options;
    const prefix = `fault-${randomUUID().slice(0, 8)}.`;
    this.#options = options;
    this.ledger = { applicationId: `${prefix}app`, prefix, guarantee, partitions, cached };
    this.cluster = new TestCluster(options.brokers);
    this.source = new LedgerSource(this.ledger, this.cluster.client, options.seed ?? SEED);
    this.#live = new LiveReader(this.cluster.client);
    this.#purges = new PurgeWatch(this.cluster.client, this.ledger);
  }

  static async start(options: FaultRunOptions): Promise<FaultRun> {
    const run = new FaultRun(options);
    const { ledger, cluster } = run;
    const { recordBytesMax } = options;
    const limit: { [name: string]: string } = recordBytesMax === undefined ? {} : { 'max.message.bytes': String(recordBytesMax) };
    for (const name of ['in', 'rates', ...OUTPUTS] as const)
      await cluster.create(topicOf(ledger, name), ledger.partitions, { 'retention.ms': '-1', ...limit });
    for (const name of OUTPUTS) run.#live.watch(topicOf(ledger, name), ledger.partitions);
    await run.source.writeRates();
    return run;
  }

  /** Starts a worker that sees the broker through a proxy of its own. The same name finds the same state again. */
  async worker(
    name: string,
    orders: Partial<Omit<LedgerOrders, 'settings'>> & { settings?: Partial<StreamsSettings> } = {},
  ): Promise<Seat> {
    const proxy = this.#proxies.get(name) ?? (await this.#proxy());
    this.#proxies.set(name, proxy);
    const { settings, ...rest } = orders;
    const full: LedgerOrders = {
      brokers: this.#options.direct === true ? this.#options.brokers : proxy.address,
      ledger: this.ledger,
      settings: {
        commitIntervalMs: 100,
        // What found no partner has to come out with the barrier, which is a single record.
        emitIntervalMs: 0,
        ...TIMES,
        // Without a proxy nobody can hold a deletion back until the reader has seen what goes.
        ...(this.#options.direct === true ? { repartitionPurgeIntervalMs: 3_600_000 } : {}),
        stateDir: join(this.#root, name),
        ...this.#options.settings,
        ...settings,
        applicationId: this.ledger.applicationId,
        guarantee: this.ledger.guarantee,
      },
      ...rest,
    };
    const worker = new LedgerWorker(name, full, (event) => this.#options.onEvent?.(name, event));
    this.#workers.push(worker);
    return { worker, proxy };
  }

  async #proxy(): Promise<KafkaProxy> {
    const proxy = await KafkaProxy.start(this.#options.brokers.split(',')[0] as string);
    // What is purged rightly is known from the reader alone, so it must have seen it: however late it is, and the machine.
    const action = async (): Promise<void> => {
      await this.watchRepartition();
      await this.#live.catchUp(this.#over.signal);
    };
    proxy.add({ api: 'DeleteRecords', side: 'request', times: Infinity, stays: true, action });
    return proxy;
  }

  /** Starts workers and waits until all of them run. */
  async workers(...names: string[]): Promise<Seat[]> {
    const seats: Seat[] = [];
    for (const name of names) seats.push(await this.worker(name));
    await Promise.all(seats.map(({ worker }) => worker.running()));
    await this.watchRepartition();
    return seats;
  }

  /** From here on it is seen what comes into the repartition topic, and goes; the topic is there when a worker runs. */
  async watchRepartition(): Promise<void> {
    const topic = repartitionOf(this.ledger);
    const isThere = (await this.cluster.partitions(topic)).length > 0;
    if (!isThere || this.#live.isWatching(topic)) return;
    this.#live.watch(topic, this.ledger.partitions);
    this.#purges.start();
  }

  /** Waits until the group has committed all input that is there now. */
  async drained(): Promise<void> {
    const deadline = systemClock.monotonicMs() + this.#drainLimitMs;
    for (;;) {
      try {
        for (const topic of consumedTopics(this.ledger)) await this.cluster.drained(this.ledger.applicationId, topic);
        return;
      } catch (cause) {
        // The cluster has a limit of its own; where more is allowed, it is asked again.
        if (systemClock.monotonicMs() > deadline) throw new Error(`not drained: ${String(cause)}\n${this.log}`, { cause });
      }
    }
  }

  get #drainLimitMs(): number {
    return (this.#options.drainLimitMs ?? DRAIN_LIMIT_MS) * this.#slowness;
  }

  /** How many times longer than it should everything takes on this machine just now, going by how its processes start. */
  get #slowness(): number {
    const starts = this.#workers.map(({ startedAfterMs }) => startedAfterMs).filter(Number.isFinite);
    return Math.min(SLOWNESS_MAX, Math.max(1, ...starts.map((ms) => ms / QUIET_START_MS)));
  }

  /** Kills a worker, and takes a copy of what it has on its disk. */
  async kill(seat: Seat): Promise<void> {
    await seat.worker.kill();
    await this.buried(seat);
  }

  /**
   * Takes a copy of the state of a worker that is killed by somebody else.
   *
   * @param how for the findings
   */
  async buried({ worker }: Seat, how = 'killed'): Promise<void> {
    worker.expectedEnd = 'killed';
    await worker.ended;
    for (const content of await dumpStores(join(worker.stateDir, this.ledger.applicationId)))
      this.#dumps.push({ ...content, worker: `${worker.name}, ${how}`, moment: 'kill', isOwner: false });
  }

  /** Waits until these workers have all tasks among them. */
  async haveAllTasks(...seats: Seat[]): Promise<void> {
    const all = taskIdsOf(this.ledger);
    await Promise.any(
      seats.map(({ worker }) =>
        worker.until('with the others in possession of all tasks', () =>
          all.every((task) => seats.some((one) => one.worker.openTasks.has(task))),
        ),
      ),
    );
  }

  /** Sets the largest batch that a topic takes, while everything runs; the broker may hear of it a little later. */
  async limit(topic: string, bytes: number): Promise<void> {
    const [name, value] = ['max.message.bytes', String(bytes)];
    await setTopicConfig(this.#options.brokers, topic, name, value);
    while ((await this.cluster.client.admin.describeConfigs(topic)).get(name) !== value) await systemClock.sleep(50);
  }

  stateDirOf(name: string): string {
    return join(this.#root, name);
  }

  /** From here on nothing is wrong any more: the time to recover begins. */
  healed(): void {
    for (const proxy of this.#proxies.values()) proxy.heal();
    this.#healedAtMs = systemClock.nowMs();
  }

  /** Writes the barriers, waits, stops everything, and collects what is known. */
  async #evidence(): Promise<Evidence> {
    await this.watchRepartition();
    await this.source.writeBarriers();
    await this.drained();
    const drainedAfterMs = systemClock.nowMs() - this.#healedAtMs;
    const opened = await this.#askAll();
    const recovery = this.#recovery(drainedAfterMs);
    const stoppedAtMs = systemClock.nowMs();
    const ownedAtStop = new Map(this.#workers.map((worker) => [worker, new Set(worker.isAlive ? worker.openTasks.keys() : [])]));
    await Promise.all(this.#workers.filter(({ isAlive }) => isAlive).map((worker) => worker.stop()));
    await this.#groupIsEmpty();
    await this.#purges.stop();
    await this.cluster.settled(this.ledger.prefix);
    await this.#live.finish(AbortSignal.timeout(READ_LIMIT_MS));
    const tenancies = this.#workers.map((worker) => tenancyOf(worker, ownedAtStop.get(worker)));
    const asked = new Map(
      this.#workers.map((worker) => [worker, keptTasks(worker, opened.get(worker), ownedAtStop.get(worker))]),
    );
    for (const worker of this.#workers) this.#collectAnswers(worker, asked.get(worker));
    for (const name of new Set(this.#workers.map((worker) => worker.name)))
      await this.#dumpEnd(name, (taskId) => lastOwners(taskId, tenancies, stoppedAtMs).some((owner) => owner.name === name));
    return {
      ledger: this.ledger,
      recovery,
      ...(await collectFromBroker(this.#options.brokers, this.ledger)),
      stores: this.#dumps,
      askedTasks: new Set([...asked.values()].flatMap((tasks) => [...tasks])),
      live: this.#live.seen,
      purges: this.#purges.samples,
      workers: this.#workers.map((worker) => worker.evidence()),
      skips: this.#skips(),
    };
  }

  /** Lets everything come to an end and asks the oracle. */
  async conclude(): Promise<Conclusion> {
    const evidence = await this.#evidence();
    const verdict = describeFindings(judge(evidence));
    const entries = [...evidence.logs.values()].flatMap((log) =>
      log.entries.filter(({ kind, offset }) => kind === 'record' && !log.visible.has(offset)),
    );
    return { evidence, abortedRecords: entries.length, verdict, findings: verdict === '' ? '' : `${verdict}\n${this.log}` };
  }

  /** The verdict alone: nothing when all is right. */
  async verdict(): Promise<string> {
    return (await this.conclude()).findings;
  }

  /** A hand-over may still be under way when everything is committed; if it does not end, the oracle says so. */
  async #atRest(deadline: number): Promise<void> {
    while (this.#recovery(0).unassignedTasks.length > 0 && systemClock.monotonicMs() < deadline) await systemClock.sleep(50);
  }

  /**
   * Asks everybody for everything before anybody stops; again, as long as a task is on its way to another worker, or was opened so
   * lately that it does not answer. Who ends does not answer either; what is missing at the deadline the oracle misses.
   *
   * @returns the tasks that each had before
   */
  async #askAll(): Promise<Map<LedgerWorker, Map<string, number>>> {
    const deadline = systemClock.monotonicMs() + this.#drainLimitMs;
    for (;;) {
      await this.#atRest(deadline);
      const alive = this.#workers.filter(({ isAlive }) => isAlive);
      const opened = new Map(alive.map((worker) => [worker, worker.openTasks]));
      await Promise.all(alive.map((worker) => worker.askAll().catch(() => undefined)));
      if (haveAnswered(this.ledger, opened) || systemClock.monotonicMs() > deadline) return opened;
    }
  }

  #collectAnswers({ name, answers }: LedgerWorker, asked: ReadonlySet<string> = new Set()): void {
    for (const { taskId, store, moment, rows } of answers) {
      const isOwner = moment === 'last-query' && asked.has(taskId);
      this.#dumps.push({ taskId, store, worker: name, moment, isOwner, changelogOffset: undefined, rows: new Map(rows) });
    }
  }

  /** Static members do not leave: their sessions run out. If that does not happen, the oracle says so. */
  async #groupIsEmpty(): Promise<void> {
    const { sessionTimeoutMs = TIMES.sessionTimeoutMs } = this.#options.settings ?? {};
    const deadline = systemClock.monotonicMs() + sessionTimeoutMs + this.#drainLimitMs;
    while (systemClock.monotonicMs() < deadline) {
      if ((await this.cluster.client.admin.describeGroup(this.ledger.applicationId)).members.length === 0) return;
      await systemClock.sleep(100);
    }
  }

  #recovery(drainedAfterMs: number): Recovery {
    const alive = this.#workers.filter(({ isAlive }) => isAlive);
    const owned = new Set(alive.flatMap((worker) => [...worker.openTasks.keys()]));
    return {
      drainedAfterMs,
      drainLimitMs: this.#drainLimitMs,
      rebalancesAfter: Math.max(0, ...alive.map((worker) => worker.rebalancesSince(this.#healedAtMs))),
      unassignedTasks: taskIdsOf(this.ledger).filter((task) => !owned.has(task)),
    };
  }

  async #dumpEnd(name: string, isOwner: (taskId: string) => boolean): Promise<void> {
    for (const content of await dumpStores(join(this.stateDirOf(name), this.ledger.applicationId)))
      this.#dumps.push({ ...content, worker: name, moment: 'end', isOwner: isOwner(content.taskId) });
  }

  #skips(): AnnouncedSkip[] {
    const input = topicOf(this.ledger, 'in');
    const places = new Map<string, AnnouncedSkip>();
    for (const { event, message, topic, partition = -1, offset = -1 } of this.#workers.flatMap(({ events }) => events)) {
      if (event !== 'log' || topic !== input || !SKIPPED.test(message ?? '')) continue;
      places.set(`${partition}:${offset}`, { partition, offset, by: 'log' });
    }
    return [...places.values()];
  }

  /** What the workers have said, for the messages of failed tests. */
  get log(): string {
    return this.#workers.map(({ name, output }) => `--- ${name}\n${output}`).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.source.close();
    await this.#purges.stop();
    await this.#live.finish(AbortSignal.abort()).catch(() => undefined);
    for (const worker of this.#workers) await worker[Symbol.asyncDispose]();
    for (const proxy of this.#proxies.values()) await proxy[Symbol.asyncDispose]();
    const names = (await this.cluster.client.admin.listTopics()).map(({ name }) => name);
    await this.cluster.client.admin
      .deleteTopics(names.filter((name) => name.startsWith(this.ledger.prefix)))
      .catch(() => undefined);
    await this.cluster[Symbol.asyncDispose]();
    rmSync(this.#root, { recursive: true, force: true });
  }
}

function tenancyOf({ name, openings }: LedgerWorker, ownedAtStop: ReadonlySet<string> = new Set()): Tenancy & { name: string } {
  return { name, openings, ownedAtStop };
}
