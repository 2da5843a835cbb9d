import { type Clock, type TaskId, TopologyError } from '@millrace/core';
import type { StateStore } from '@millrace/state';
import type { Topology } from '@millrace/topology';
import { contractOf } from '../assignment/topology-contract.ts';
import type { StreamsComponents } from '../components.ts';
import { withGlobalStores } from '../global/with-global-stores.ts';
import { type LoopWatch, watchLoop } from '../loop-watch/loop-watcher.ts';
import { LocalStates } from '../query/local-states.ts';
import { LocalStoreSource } from '../query/local-store-source.ts';
import { StoreQueries } from '../query/store-queries.ts';
import type { StoreSource } from '../query/store-source.ts';
import { resolveSettings } from '../settings/resolve-settings.ts';
import type { ResolvedSettings, StreamsSettings } from '../settings/settings.ts';
import { StateDirectory } from '../state-directory/state-directory.ts';
import { assertDeadLetterTopic } from '../topics/dead-letter-topic.ts';
import { createWorker } from '../worker/create-worker.ts';
import type { StreamWorker } from '../worker/stream-worker.ts';
import { ShutdownRequestedError } from './shutdown-requested-error.ts';
import { AppStateMachine, type AppState, type AppStateListener } from './app-state.ts';
import type { CloseOptions, RunningApplication } from './running-application.ts';
import { untilRunning } from './until-running.ts';

/** How many times in a row a worker is replaced before its failures count as permanent, and the pause between two. */
const REPLACE_PAUSE_MS = 1000;
/** As long as a timer can be. */
const KEEP_ALIVE_MS = 2 ** 31 - 1;

/** Which thread of a process an application is, when it has several. */
export interface ThreadPlace {
  /** Counts from 1; 0 is the only loop of a process. */
  readonly thread: number;
  /** Claimed by the process. */
  readonly directory: Pick<StateDirectory, 'path' | 'processId'>;
  /** True when it is to join the group only to tell all workers to stop. */
  readonly asksForShutdown: boolean;
  /** Is told which task has its turn. */
  readonly onTurn: (task: TaskId | undefined) => void;
}

/**
 * A running application with one loop: its topology, its worker, its state.
 *
 * Everything that can be wrong with topology and settings is found by the constructor; `start` returns at once and work goes on
 * in the background; `close` commits, leaves the group and releases everything.
 *
 * Source: Kafka Streams `KafkaStreams`.
 *
 * @example
 * await using app = new StreamsApplication(topology, { applicationId: 'checkout' }, components);
 * app.start();
 * await app.finished;
 */
export class StreamsApplication implements RunningApplication, AsyncDisposable {
  readonly settings: ResolvedSettings;
  /** Asks the stores from outside. */
  readonly queries: StoreQueries;
  /** The stores of this loop, for who asks those of several. */
  readonly storeSource: StoreSource;
  readonly #localStates = new LocalStates();
  readonly #topology: Topology;
  readonly #components: StreamsComponents;
  readonly #place: ThreadPlace | undefined;
  readonly #state = new AppStateMachine();
  readonly #stop = new AbortController();
  readonly #life = new AbortController();
  #directory: StateDirectory | undefined;
  #watch: LoopWatch | undefined;
  #run: Promise<void> | undefined;
  #leavesGroup = false;
  #failure: unknown;
  readonly #finished: Promise<void>;
  #finish: () => void = () => undefined;

  /**
   * @param place for a thread that shares the process's state directory with others; absent: the application claims one
   * @throws SettingsError, TopologyError
   */
  constructor(topology: Topology, settings: StreamsSettings, components: StreamsComponents, place?: ThreadPlace) {
    this.settings = resolveSettings(settings);
    this.#topology = topology;
    this.#components = components;
    this.#place = place;
    assertNotEmpty(topology);
    this.storeSource = new LocalStoreSource({
      plan: topology.plan(),
      applicationId: this.settings.applicationId,
      states: this.#localStates,
      admin: components.client.admin,
      clock: components.clock,
    });
    this.queries = new StoreQueries({ sources: () => [this.storeSource], state: () => this.state });
    this.#finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  get state(): AppState {
    return this.#state.state;
  }

  /** The error with which the application ended, if it did. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Resolves when the application has stopped, for whatever reason; look at `failure` then. */
  get finished(): Promise<void> {
    return this.#finished;
  }

  /** Calls back at each change of state. Returns a function that removes the listener. */
  onStateChange(listener: AppStateListener): () => void {
    return this.#state.listen(listener);
  }

  /** Resolves when the application is `running`; rejects when it ends before. */
  running(): Promise<void> {
    return untilRunning(this);
  }

  /**
   * Starts the worker.
   *
   * @throws FatalStreamsError when the state directory cannot be used
   */
  start(): void {
    if (this.#run !== undefined) return;
    const { stateDir, applicationId } = this.settings;
    this.#directory =
      this.#place === undefined
        ? StateDirectory.claim(stateDir, applicationId, this.#components.random)
        : StateDirectory.join(this.#place.directory);
    this.#state.transition('rebalancing');
    this.#watch = this.#beginWatch();
    void keepProcessAlive(this.#components.clock, this.#life.signal);
    this.#run = this.#supervise(this.#directory);
  }

  /** Stops cleanly: commits, closes the tasks, leaves the group. Never rejects; a second call waits for the first. */
  async close(options: CloseOptions = {}): Promise<void> {
    this.#leavesGroup ||= options.leaveGroup === true;
    if (this.#state.alive) this.#state.transition('pending-shutdown');
    this.#stop.abort();
    if (this.#run === undefined) await this.#end();
    else await this.#withTimeout(this.#run);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Runs the worker, and replaces it when it failed and the policy says so. */
  async #supervise(directory: StateDirectory): Promise<void> {
    try {
      if (this.#place?.asksForShutdown === true) {
        this.#move('pending-shutdown');
        await this.#tellTheOthers(directory);
        this.#stop.abort();
      }
      while (!this.#stop.signal.aborted) {
        try {
          await this.#runWorker(directory);
        } catch (error) {
          await this.#onWorkerFailure(error, directory);
        }
      }
    } finally {
      await this.#end();
    }
  }

  async #runWorker(directory: StateDirectory): Promise<void> {
    const { client, clock, logger } = this.#components;
    await assertDeadLetterTopic(this.settings.deadLetterTopic, { admin: client.admin, clock, logger }, this.#stop.signal);
    const options = { plan: this.#topology.plan(), settings: this.settings, components: this.#components };
    return withGlobalStores(
      { ...options, directory: directory.globalPath(this.#place?.thread ?? 0) },
      (globalStores, signal) => {
        this.#localStates.setGlobalStores(globalStores);
        return this.#createWorker(directory, globalStores, false).run(signal);
      },
      this.#stop.signal,
    );
  }

  #createWorker(
    directory: StateDirectory,
    globalStores: ReadonlyMap<string, StateStore>,
    asksForShutdown: boolean,
  ): StreamWorker {
    const plan = this.#topology.plan();
    return createWorker({
      asksForShutdown,
      workerNumber: this.#place?.thread ?? 0,
      leavesGroup: () => this.#leavesGroup,
      globalStores,
      localStates: this.#localStates,
      plan,
      contract: contractOf(plan, String(this.#topology.describe())),
      settings: this.settings,
      components: this.#components,
      directory,
      events: {
        onRebalancing: () => this.#move('rebalancing'),
        onRunning: () => this.#move('running'),
        onTurn: this.#place?.onTurn ?? this.#watch?.onTurn,
      },
    });
  }

  /** The loop of a thread is watched by the main thread. */
  #beginWatch(): LoopWatch | undefined {
    const { loopWatcher, clock } = this.#components;
    const { applicationId, eventLoopStallWarningMs: stallMs } = this.settings;
    if (loopWatcher === undefined || stallMs === 0 || this.#place !== undefined) return undefined;
    return watchLoop(loopWatcher, { applicationId, stallMs }, clock);
  }

  #move(to: AppState): void {
    if (this.#state.alive) this.#state.transition(to);
  }

  async #onWorkerFailure(error: unknown, directory: StateDirectory): Promise<void> {
    const { logger, clock, onUncaughtError } = this.#components;
    const isAsked = error instanceof ShutdownRequestedError;
    const response = isAsked ? 'shutdown-client' : ((await onUncaughtError?.(error)) ?? 'shutdown-client');
    logger.error('the worker failed', { error, response });
    if (response === 'replace-worker') {
      this.#move('rebalancing');
      await pause(clock, this.#stop.signal);
      return;
    }
    this.#failure = error;
    if (this.#state.alive) this.#state.transition('pending-error');
    if (response === 'shutdown-application') await this.#tellTheOthers(directory);
    this.#stop.abort();
  }

  /** Joins the group once more, only to say that everybody is to stop. */
  async #tellTheOthers(directory: StateDirectory): Promise<void> {
    try {
      await this.#createWorker(directory, new Map(), true).run(this.#stop.signal);
    } catch (error) {
      if (error instanceof ShutdownRequestedError) return;
      this.#components.logger.error('could not tell the other workers to stop', { error });
    }
  }

  async #end(): Promise<void> {
    await this.#components.client
      .close()
      .catch((error: unknown) => this.#components.logger.warn('the client could not be closed cleanly', { error }));
    this.#directory?.release();
    this.#watch?.stop();
    if (this.state === 'pending-error') this.#state.transition('error');
    else if (this.state === 'pending-shutdown') this.#state.transition('not-running');
    this.#life.abort();
    this.#finish();
  }

  async #withTimeout(run: Promise<void>): Promise<void> {
    const { clock, logger } = this.#components;
    let cancel: () => void = () => undefined;
    const timeout = new Promise<void>((resolve) => {
      cancel = clock.setTimer(this.settings.shutdownTimeoutMs, () => {
        logger.error('the clean stop takes too long; the rest is left to the next start', {
          shutdownTimeoutMs: this.settings.shutdownTimeoutMs,
        });
        resolve();
      });
    });
    await Promise.race([run, timeout]);
    cancel();
  }
}

/** @throws TopologyError when the topology reads nothing */
function assertNotEmpty(topology: Topology): void {
  const { subtopologies, globalStores } = topology.plan();
  if (subtopologies.length > 0 || globalStores.length > 0) return;
  throw new TopologyError(
    'EMPTY_TOPOLOGY',
    'the topology reads no topic: add at least one source or global store before the application is made',
  );
}

async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  await clock.sleep(REPLACE_PAUSE_MS, signal).catch(() => undefined);
}

/**
 * Timers keep no process alive, only connections do: without this a worker that waits for nothing in particular would end,
 * without a word, when its broker goes away.
 */
async function keepProcessAlive(clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await clock.sleep(KEEP_ALIVE_MS, signal).catch(() => undefined);
}
