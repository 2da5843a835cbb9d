import { formatTaskId, type TaskId, type TopicPartition } from '@millrace/core';
import type { CommittedOffset, FetchedPartition } from '@millrace/client';
import { decodeEmittedTimes } from '../task/offset-metadata.ts';
import type { TaskParts } from '../task/task-parts.ts';
import { emitsClosed, resumeEmission } from '../task-state/emitted-times.ts';
import type { TaskChangelog } from '../task-state/task-state.ts';

/**
 * A task of which only the state is here: what its owner commits is applied to it, so that this worker can take the task over
 * without restoring. Runs no user code.
 *
 * Source: Kafka Streams `StandbyTask`.
 */
export class StandbyTask {
  readonly id: TaskId;
  readonly taskId: string;
  /** The state, open, as the active task takes it over. */
  readonly parts: TaskParts;
  /**
   * Inputs of which the committed offsets matter: those that serve as changelogs are applied only that far, and their metadata say
   * which windows need not be kept any more.
   */
  readonly watchedInputs: readonly TopicPartition[];

  constructor(id: TaskId, parts: TaskParts, inputs: readonly TopicPartition[]) {
    this.id = id;
    this.taskId = formatTaskId(id);
    this.parts = parts;
    this.watchedInputs = emitsClosed(parts.state.stores) ? inputs : this.changelogs().filter(({ isInput }) => isInput);
  }

  changelogs(): TaskChangelog[] {
    return this.parts.state.changelogs();
  }

  changelogOffsetSum(): number {
    return this.parts.state.changelogOffsetSum;
  }

  /** Applies fetched changelog records, those before `endOffset`; returns how many. */
  apply(fetched: FetchedPartition, endOffset: number): Promise<number> {
    return this.parts.state.applyRestored(fetched, endOffset);
  }

  /** Takes from the commits of the owner which windows have been emitted. */
  resumeEmission(offsets: readonly CommittedOffset[]): void {
    resumeEmission(
      this.parts.state.stores,
      offsets.map(({ metadata }) => decodeEmittedTimes(metadata)),
    );
  }

  /** Writes what has been applied. */
  flush(): Promise<void> {
    return this.parts.state.flushRestored();
  }

  /** Closes the state; what has not been flushed is lost. */
  close(): Promise<void> {
    return this.parts.state.close();
  }
}
