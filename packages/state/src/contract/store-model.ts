import fc from 'fast-check';
import type { StateStore, StoreBuilder } from '../contracts/state-store.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';
import { StoreRig } from './store-rig.ts';

/** A naive form of a store: what the real one is compared with. */
export interface StoreModel<S, C> {
  /** Does the same to the model and the store, and compares what they answer. */
  run(store: S, command: C): void;
  /** Compares everything that can be read. */
  compare(store: S): Promise<void>;
  /** Compares everything that a reader shows. Default: {@link compare}. */
  compareReader?(reader: S): Promise<void>;
  copy(): StoreModel<S, C>;
  /** Called with the store whenever it has been opened: to install listeners. */
  attach?(store: S): void;
  /** Called after each commit: what has been reported by then must be all there is. */
  flushed?(): void;
}

/** What can happen to a store besides being used. */
type LifeEvent = 'commit' | 'commitLater' | 'rollback' | 'reopen' | 'die' | 'move' | 'compare';

export interface ModelTest<S extends StateStore, C> {
  readonly builder: StoreBuilder<S>;
  readonly commands: fc.Arbitrary<C>;
  createModel(rig: () => StoreRig<S>): StoreModel<S, C>;
}

/** After these the database is another one. */
const ENDS_DATABASE: readonly LifeEvent[] = ['reopen', 'die', 'move'];

const lifeEvents = fc.constantFrom<LifeEvent>('commit', 'commitLater', 'rollback', 'reopen', 'die', 'move', 'compare');
const budgets = fc.constantFrom(0, 700, 1 << 20);

/** Random commands, commits, rollbacks, restarts and restores must leave a store equal to its model. */
export async function assertBehavesLikeModel<S extends StateStore, C>(
  harness: StateEngineHarness,
  test: ModelTest<S, C>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(budgets, stepsOf(test, 60), async (cleanCacheBytes, steps) => {
      const run = await ModelRun.start(harness, test, cleanCacheBytes);
      for (const one of steps) {
        if ('use' in one) run.use(one.use);
        else await run.live(one.life);
      }
      await run.live('commit');
      await run.live('move');
      await run.live('compare');
      await run.rig.close();
    }),
    { numRuns: harness.createDirectory === undefined ? 300 : 25 },
  );
}

/**
 * Whatever is done to a store, a reader must show what had been committed when it was opened, before and after, and while a commit
 * is written.
 */
export async function assertReadersSeeCommits<S extends StateStore, C>(
  harness: StateEngineHarness,
  test: ModelTest<S, C>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(budgets, stepsOf(test, 30), async (cleanCacheBytes, steps) => {
      const run = await ModelRun.start(harness, test, cleanCacheBytes);
      for (const one of steps) {
        if ('use' in one) await run.readAround(async () => run.use(one.use), true);
        else await run.readAround(() => run.live(one.life), !ENDS_DATABASE.includes(one.life));
      }
      await run.live('compare');
      await run.rig.close();
    }),
    { numRuns: harness.createDirectory === undefined ? 60 : 8 },
  );
}

function stepsOf<S extends StateStore, C>(test: ModelTest<S, C>, maxLength: number) {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ use: test.commands }) },
    { weight: 1, arbitrary: fc.record({ life: lifeEvents }) },
  );
  return fc.array(step, { maxLength, size: 'max' });
}

class ModelRun<S extends StateStore, C> {
  readonly rig: StoreRig<S>;
  #model: StoreModel<S, C>;
  #committed: StoreModel<S, C>;
  /** The model as it was when the commit that is still running was prepared. */
  #prepared: StoreModel<S, C> | undefined;

  private constructor(rig: StoreRig<S>, model: StoreModel<S, C>) {
    this.rig = rig;
    this.#model = model;
    this.#committed = model.copy();
  }

  static async start<S extends StateStore, C>(harness: StateEngineHarness, test: ModelTest<S, C>, cleanCacheBytes: number) {
    let attach: (store: S) => void = () => undefined;
    const rig = await StoreRig.open(test.builder, { harness, cleanCacheBytes }, (store) => attach(store));
    const run = new ModelRun(
      rig,
      test.createModel(() => rig),
    );
    attach = (store) => run.#model.attach?.(store);
    attach(rig.store);
    return run;
  }

  use(command: C): void {
    this.#model.run(this.rig.store, command);
  }

  async live(event: LifeEvent): Promise<void> {
    if (event === 'compare') return this.#model.compare(this.rig.store);
    if (event === 'rollback') return this.#rollback();
    if (event === 'die') return this.#die();
    if (event === 'commitLater' && this.#prepared === undefined) return this.#prepare();
    await this.#commit();
    if (event === 'reopen') await this.rig.reopen();
    if (event === 'move') await this.rig.move();
  }

  /** Reads before, while and after something happens to the store, as far as the database of before is there. */
  async readAround(step: () => Promise<void>, keepsDatabase: boolean): Promise<void> {
    const before = this.#committed;
    const reader = await this.rig.openReader();
    const done = step();
    if (keepsDatabase) await compareReader(before, reader);
    await done;
    if (keepsDatabase) await compareReader(before, reader);
    reader.close();
    const next = await this.rig.openReader();
    await compareReader(this.#committed, next);
    next.close();
  }

  #prepare(): void {
    this.rig.prepareCommit();
    this.#model.flushed?.();
    this.#prepared = this.#model.copy();
  }

  async #commit(): Promise<void> {
    if (this.#prepared !== undefined) await this.#finish();
    this.#prepare();
    await this.#finish();
  }

  async #finish(): Promise<void> {
    await this.rig.finishCommit();
    this.#committed = this.#prepared ?? this.#committed;
    this.#prepared = undefined;
  }

  async #die(): Promise<void> {
    if (this.#prepared === undefined) this.#prepare();
    this.#committed = this.#prepared ?? this.#committed;
    // Whoever comes after the death knows what was committed, before it restores the store.
    this.#model = this.#committed.copy();
    await this.rig.dieBeforeWrite();
    this.#goBack();
  }

  #rollback(): void {
    this.rig.rollback();
    this.#goBack();
  }

  /** To the last commit. */
  #goBack(): void {
    this.#prepared = undefined;
    this.#model = this.#committed.copy();
    this.#model.attach?.(this.rig.store);
  }
}

function compareReader<S, C>(model: StoreModel<S, C>, reader: S): Promise<void> {
  return model.compareReader === undefined ? model.compare(reader) : model.compareReader(reader);
}
