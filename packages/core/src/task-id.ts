import { FatalStreamsError } from './errors.ts';

/** A task: one sub-topology over one partition number. Printed `<subtopology>_<partition>`, as Kafka Streams does. */
export interface TaskId {
  readonly subtopology: number;
  readonly partition: number;
}

export function formatTaskId(id: TaskId): string {
  return `${id.subtopology}_${id.partition}`;
}

/** Reads `<subtopology>_<partition>`; throws on anything else. */
export function parseTaskId(text: string): TaskId {
  const match = /^(\d{1,9})_(\d{1,9})$/.exec(text);
  if (match === null)
    throw new FatalStreamsError('INVALID_TASK_ID', `"${text}" is not a task id; expected <subtopology>_<partition>`);
  return { subtopology: Number(match[1]), partition: Number(match[2]) };
}

/** Orders by sub-topology, then by partition. */
export function compareTaskIds(a: TaskId, b: TaskId): number {
  return a.subtopology - b.subtopology || a.partition - b.partition;
}
