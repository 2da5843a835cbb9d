import type { TaskId } from '@millrace/core';
import type { StateStore } from '@millrace/state';
import type { TaskHost } from '../assignment/task-hosts.ts';
import type { TaskState } from '../task-state/task-state.ts';
import type { StatePhase } from './store-source.ts';

/** The state of a task that is open. */
export interface LocalState {
  readonly id: TaskId;
  readonly phase: StatePhase;
  readonly state: Pick<TaskState, 'openReader' | 'store'>;
}

/** Where a worker's state is found, and that of the others. */
export interface FollowedWorker {
  readonly states: () => Iterable<LocalState>;
  readonly hosts: () => readonly TaskHost[];
}

/** The state that the application has open now: that of its present worker, and its global stores. */
export class LocalStates {
  #worker: FollowedWorker | undefined;
  #globalStores: ReadonlyMap<string, StateStore> = new Map();

  /** From now on the state of this worker counts. */
  follow(worker: FollowedWorker): void {
    this.#worker = worker;
  }

  /** From now on these global stores count, which are loaded. */
  setGlobalStores(stores: ReadonlyMap<string, StateStore>): void {
    this.#globalStores = stores;
  }

  globalStore(name: string): StateStore | undefined {
    return this.#globalStores.get(name);
  }

  ofSubtopology(subtopology: number): LocalState[] {
    return [...(this.#worker?.states() ?? [])].filter(({ id }) => id.subtopology === subtopology);
  }

  get hosts(): readonly TaskHost[] {
    return this.#worker?.hosts() ?? [];
  }
}
