import { FatalStreamsError, MetricsRegistry, SettingsError, StreamsError, type Topic } from '@millrace/core';
import type {
  ReadOnlyKeyValueStore,
  ReadOnlyWindowStore,
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  TimestampedWindowStore,
  VersionedKeyValueStore,
} from '@millrace/state';
import { matchesTopic, type SubtopologyPlan, type Topology } from '@millrace/topology';
import { globalSubtopology, internalTopicName } from '@millrace/runtime';
import { DriverBroker } from '../broker/driver-broker.ts';
import { TestClock } from '../clock/test-clock.ts';
import { DrivenTask, type DrivenTaskOptions } from './driven-task.ts';
import { resolveDriverOptions, type ResolvedDriverOptions, type TopologyTestDriverOptions } from './driver-options.ts';
import { mergedPlan } from './merged-plan.ts';
import { TestInputTopic, type InputPort, type TestInputTopicOptions } from './test-input-topic.ts';
import { TestOutputTopic } from './test-output-topic.ts';
import { keyValueView, windowView } from './value-views.ts';

const DONE = Promise.resolve();

/**
 * Runs a topology without a broker: the task is the one that runs in production, time is virtual, every topic has one
 * partition, and all sub-topologies run in one task.
 *
 * Records are processed one at a time, in the order in which they are piped. After each one, and after each that it sends to
 * a repartition topic or another topic that is read: stream-time punctuation, then a commit. So outputs do not depend on
 * commit intervals, and caching is not seen beyond one input.
 *
 * Asynchronous operators: what needs neither I/O nor time has ended when `pipeInput` resolves. Else the record stays under way,
 * further ones may be piped beside it, and outputs are seen when nothing is under way any more: {@link settled} waits for I/O,
 * {@link advanceWallClock} for time limits and retries.
 *
 * Not covered: several partitions, rebalances, real transactions, failing brokers.
 *
 * Source: Kafka Streams `TopologyTestDriver`.
 *
 * @example
 * await using driver = await TopologyTestDriver.open(buildTopology());
 * const words = driver.createInputTopic(topic('words', { key: string(), value: string() }));
 * const counts = driver.createOutputTopic(topic('counts', { key: string(), value: int64() }));
 * await words.pipeInput('k', 'hello');
 * expect(counts.readKeyValue()).toEqual({ key: 'hello', value: 1 });
 */
export class TopologyTestDriver implements AsyncDisposable {
  /** The virtual clock; {@link advanceWallClock} moves it and lets the topology notice. */
  readonly clock: TestClock;
  /** Every figure that the application reports. */
  readonly metrics = new MetricsRegistry();
  readonly #options: ResolvedDriverOptions;
  readonly #broker = new DriverBroker();
  readonly #plan: SubtopologyPlan;
  readonly #globalPlan: SubtopologyPlan | undefined;
  #topics: readonly string[];
  #task: DrivenTask | undefined;
  /** Fills the global stores. */
  #globalTask: DrivenTask | undefined;
  /** Work is done in the order in which it was asked for. */
  #last: Promise<unknown> = DONE;
  /** Pieces of work that are under way or have to wait for another one. */
  #waiting = 0;

  private constructor(topology: Topology, options: ResolvedDriverOptions) {
    this.#options = options;
    this.clock = new TestClock(options.initialWallClockMs);
    this.#plan = mergedPlan(topology.plan());
    this.#globalPlan = globalSubtopology(topology.plan());
    const { sourceTopics, repartitionSources } = this.#plan;
    this.#topics = [...sourceTopics, ...repartitionSources.map(({ name }) => internalTopicName(options.applicationId, name))];
  }

  /**
   * Starts the topology.
   *
   * @throws TopologyError when it cannot be planned; SettingsError; whatever the `init` of a processor throws
   */
  static async open(topology: Topology, options: TopologyTestDriverOptions = {}): Promise<TopologyTestDriver> {
    const resolved = resolveDriverOptions(options);
    if (resolved.engine.persistent && options.stateDir === undefined) {
      throw new SettingsError(
        'STATE_DIR_MISSING',
        `the state engine ${resolved.engine.name} keeps files: give the driver a stateDir for them`,
      );
    }
    const driver = new TopologyTestDriver(topology, resolved);
    await driver.restart();
    return driver;
  }

  // ---- topics ----

  /** @throws StreamsError `UNKNOWN_TOPIC` when no source of the topology reads the topic */
  createInputTopic<K, V>(topic: Topic<K, V>, options?: TestInputTopicOptions): TestInputTopic<K, V> {
    this.#assertReadable(topic.name);
    const log = this.#broker.log(topic.name);
    const port: InputPort = {
      isIdle: () => this.#waiting === 0 && this.#task !== undefined,
      begin: (timestamp) => log.begin(timestamp),
      endKey: (isPresent) => log.endKey(isPresent),
      end: (hasValue, headers) => this.#broker.endInput(log, hasValue, headers),
      processAppended: () => this.#exclusively(this.#settleInput),
      process: (appendNext) => this.#exclusively(() => this.#processInput(appendNext)),
    };
    return new TestInputTopic(topic, port, () => this.clock.nowMs(), options);
  }

  /** Any topic; one that the topology has not written to (yet) is empty. */
  createOutputTopic<K, V>(topic: Topic<K, V>): TestOutputTopic<K, V> {
    return new TestOutputTopic(topic, this.#broker.log(topic.name));
  }

  /** Names of the topics that the application has written to: outputs, repartition topics and changelogs. */
  producedTopicNames(): string[] {
    return this.#broker.producedTopics;
  }

  /** A topic that is new and matches a pattern is read from now on. */
  #assertReadable(topic: string): void {
    const task = this.#running();
    if (task.reads(topic) || this.#globalTask?.reads(topic) === true) return;
    if (!this.#plan.sourcePatterns.some((pattern) => matchesTopic(pattern, topic))) {
      throw new StreamsError('UNKNOWN_TOPIC', `no source reads ${topic}; the topology reads ${this.#topics.join(', ')}`, {
        topic,
      });
    }
    this.#topics = [...this.#topics, topic];
    task.addInput(topic);
  }

  // ---- time and commits ----

  /**
   * Moves the wall clock, fires the wall-clock punctuators that are due (each once), and processes what they cause. Time limits
   * and pauses of asynchronous operators are over when the clock has passed them.
   */
  advanceWallClock(ms: number): Promise<void> {
    return this.#exclusively(async () => {
      const task = this.#running();
      const untilMs = this.clock.nowMs() + ms;
      // Timer by timer: a call that is made at one of them may fail, and its pause begins then.
      while (task.hasAsyncWork && this.clock.nextTimerMs <= untilMs) {
        this.clock.advance(Math.max(0, this.clock.nextTimerMs - this.clock.nowMs()));
        await this.#settleInput();
      }
      this.clock.advance(untilMs - this.clock.nowMs());
      await task.punctuateWallClock();
      await this.#settleInput();
    });
  }

  /**
   * Waits until no function of an asynchronous operator runs any more, and processes what they gave: for functions that do I/O or
   * wait for real time. It moves no clock: a pause before a retry, a time limit and whatever waits on `driver.clock` take
   * {@link advanceWallClock}.
   *
   * Not needed for functions that wait for nothing but other promises: `pipeInput` has seen those through.
   */
  settled(): Promise<void> {
    return this.#exclusively(() => this.#running().settleCalls());
  }

  /**
   * Commits what has been processed, and processes what that makes visible; needed only without `autoCommit`. While
   * asynchronous work is under way the commit waits for it, this call does not.
   */
  commit(): Promise<void> {
    return this.#exclusively(async () => {
      await this.#running().commit();
      await this.#settleInput();
    });
  }

  // ---- state ----

  /** A key-value store, of timestamped ones the values only. @throws StreamsError when there is no such store */
  getKeyValueStore<K, V>(name: string): ReadOnlyKeyValueStore<K, V> {
    const store = this.#store(name, 'keyValue', 'timestampedKeyValue');
    if (store.kind === 'timestampedKeyValue') return keyValueView(store as TimestampedKeyValueStore<K, V>);
    return store as StateStore & ReadOnlyKeyValueStore<K, V>;
  }

  /** @throws StreamsError when there is no such store */
  getTimestampedKeyValueStore<K, V>(name: string): TimestampedKeyValueStore<K, V> {
    return this.#store(name, 'timestampedKeyValue') as TimestampedKeyValueStore<K, V>;
  }

  /** @throws StreamsError when there is no such store */
  getVersionedKeyValueStore<K, V>(name: string): VersionedKeyValueStore<K, V> {
    return this.#store(name, 'versioned') as VersionedKeyValueStore<K, V>;
  }

  /** A window store, of timestamped ones the values only. @throws StreamsError when there is no such store */
  getWindowStore<K, V>(name: string): ReadOnlyWindowStore<K, V> {
    const store = this.#store(name, 'window', 'timestampedWindow');
    if (store.kind === 'timestampedWindow') return windowView(store as TimestampedWindowStore<K, V>);
    return store as StateStore & ReadOnlyWindowStore<K, V>;
  }

  /** @throws StreamsError when there is no such store */
  getTimestampedWindowStore<K, V>(name: string): TimestampedWindowStore<K, V> {
    return this.#store(name, 'timestampedWindow') as TimestampedWindowStore<K, V>;
  }

  /** @throws StreamsError when there is no such store */
  getSessionStore<K, V>(name: string): SessionStore<K, V> {
    return this.#store(name, 'session') as SessionStore<K, V>;
  }

  /** Every store of the topology by name, those that the DSL made for itself included. */
  getAllStateStores(): Map<string, StateStore> {
    const stores = [...this.#running().stores, ...(this.#globalTask?.stores ?? [])];
    return new Map(stores.map((store) => [store.name, store]));
  }

  #store(name: string, ...kinds: readonly string[]): StateStore {
    const stores = this.getAllStateStores();
    const store = stores.get(name);
    if (store === undefined) {
      throw new StreamsError(
        'UNKNOWN_STORE',
        `the topology has no store ${name}; it has ${[...stores.keys()].join(', ') || 'none'}`,
        { store: name },
      );
    }
    if (kinds.includes(store.kind)) return store;
    throw new StreamsError('WRONG_STORE_KIND', `the store ${name} is a ${store.kind} store, not ${kinds.join(' or ')}`, {
      store: name,
    });
  }

  // ---- crash and end ----

  /**
   * The application dies: uncommitted rows, uncommitted outputs, everything in memory is lost. Topics and committed offsets
   * stay; so does the state of a persistent engine.
   */
  crash(): Promise<void> {
    return this.#exclusively(async () => {
      this.#running();
      this.#broker.abort();
      await this.#closeTasks(false);
    });
  }

  /** Starts the application again after a crash: restores from the changelogs, and goes on from the committed offsets. */
  restart(): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#task !== undefined)
        throw new FatalStreamsError('ALREADY_RUNNING', 'the application is running; crash() it before restart()');
      const common = { broker: this.#broker, clock: this.clock, metrics: this.metrics, driver: this.#options };
      if (this.#globalPlan !== undefined) this.#globalTask = await this.#openGlobalTask(this.#globalPlan, common);
      const globalStores = new Map([...(this.#globalTask?.stores ?? [])].map((store) => [store.name, store]));
      const onCommit = this.#globalTask === undefined ? undefined : () => this.#fillGlobalStores();
      const options = { ...common, id: { subtopology: 0, partition: 0 }, plan: this.#plan, globalStores, onCommit };
      this.#task = await DrivenTask.open(options, this.#topics);
      await this.#settleInput();
    });
  }

  /** Global stores write no dead letters, and take rows of any time. */
  async #openGlobalTask(plan: SubtopologyPlan, common: CommonTaskOptions): Promise<DrivenTask> {
    const { deadLetterTopic: _none, ...driver } = { ...this.#options, maxTimestampAheadMs: 0 };
    const id = { subtopology: -1, partition: 0 };
    const options = { ...common, driver, id, plan, globalStores: new Map(), resumesFromState: true };
    const task = await DrivenTask.open(options, plan.sourceTopics);
    await task.settle();
    return task;
  }

  async #processInput(appendNext: () => number): Promise<void> {
    const task = this.#running();
    for (let count = appendNext(); count > 0; count = appendNext()) {
      await this.#fillGlobalStores();
      await (count === 1 ? task.settle() : task.settleTogether(count));
    }
    await task.endTogether();
  }

  /** Global stores come first: what is joined with them finds what was piped before. */
  readonly #settleInput = (): Promise<void> | undefined => {
    const task = this.#running();
    const filled = this.#globalTask?.settle();
    return filled === undefined ? task.settle() : filled.then(() => task.settle());
  };

  async #fillGlobalStores(): Promise<void> {
    await this.#globalTask?.settle();
  }

  /** Closes the application and deletes its state. Idempotent. */
  close(): Promise<void> {
    return this.#exclusively(async () => {
      const closed = await this.#closeTasks(true);
      for (const { directory } of closed) await this.#options.engine.destroy(directory);
    });
  }

  async #closeTasks(clean: boolean): Promise<DrivenTask[]> {
    const tasks = [this.#task, this.#globalTask].filter((task) => task !== undefined);
    this.#task = undefined;
    this.#globalTask = undefined;
    for (const task of tasks) await task.close(clean);
    return tasks;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #running(): DrivenTask {
    if (this.#task === undefined)
      throw new FatalStreamsError(
        'NOT_RUNNING',
        'the application is not running: it was closed, or it crashed and needs restart()',
      );
    return this.#task;
  }

  /**
   * One piece of work at a time, in the order of the calls; without a wait when nothing is going on. A failure is that of its
   * caller; the next piece finds the task as it was left.
   */
  #exclusively(work: () => Promise<void> | undefined): Promise<void> {
    if (this.#waiting > 0) return this.#occupy(this.#last.then(work));
    this.#waiting++;
    try {
      const result = work();
      return result === undefined ? DONE : this.#occupy(result);
    } catch (error) {
      return Promise.reject(error);
    } finally {
      this.#waiting--;
    }
  }

  #occupy(result: Promise<void>): Promise<void> {
    this.#waiting++;
    const ended = (): void => void this.#waiting--;
    this.#last = result.then(ended, ended);
    return result;
  }
}

type CommonTaskOptions = Pick<DrivenTaskOptions, 'broker' | 'clock' | 'metrics' | 'driver'>;
