import { assert, topicPartitionKey } from '@millrace/core';
import type { StreamTask } from '../task/stream-task.ts';

/** Whether a task takes records. */
export type TaskPhase = 'restoring' | 'running';

interface Held {
  readonly task: StreamTask;
  phase: TaskPhase;
}

/** The tasks of a worker, found by id and by input partition. */
export class TaskSet {
  readonly #tasks = new Map<string, Held>();
  readonly #byPartition = new Map<string, StreamTask>();
  #running: readonly StreamTask[] = [];

  get size(): number {
    return this.#tasks.size;
  }

  get all(): StreamTask[] {
    return [...this.#tasks.values()].map(({ task }) => task);
  }

  /** Tasks that take records; the array changes only when the set does. */
  get running(): readonly StreamTask[] {
    return this.#running;
  }

  get restoring(): StreamTask[] {
    return [...this.#tasks.values()].filter(({ phase }) => phase === 'restoring').map(({ task }) => task);
  }

  has(taskId: string): boolean {
    return this.#tasks.has(taskId);
  }

  get(taskId: string): StreamTask | undefined {
    return this.#tasks.get(taskId)?.task;
  }

  add(task: StreamTask): void {
    assert(!this.#tasks.has(task.taskId), `task ${task.taskId} is added twice`);
    this.#tasks.set(task.taskId, { task, phase: 'restoring' });
    for (const { topic, partition } of task.inputPartitions) this.#byPartition.set(topicPartitionKey(topic, partition), task);
  }

  setRunning(task: StreamTask): void {
    const held = this.#tasks.get(task.taskId);
    assert(held?.task === task, `task ${task.taskId} is not held by this worker`);
    held.phase = 'running';
    this.#refresh();
  }

  remove(task: StreamTask): void {
    this.#tasks.delete(task.taskId);
    for (const { topic, partition } of task.inputPartitions) this.#byPartition.delete(topicPartitionKey(topic, partition));
    this.#refresh();
  }

  /** The task that reads a partition. */
  reading(topic: string, partition: number): StreamTask | undefined {
    return this.#byPartition.get(topicPartitionKey(topic, partition));
  }

  #refresh(): void {
    this.#running = [...this.#tasks.values()].filter(({ phase }) => phase === 'running').map(({ task }) => task);
  }
}
