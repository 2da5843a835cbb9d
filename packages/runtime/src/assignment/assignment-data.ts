import { compareTaskIds, formatTaskId, parseTaskId, type TaskId } from '@millrace/core';
import { UserDataReader, UserDataWriter } from './binary.ts';
import { assertVersion, USER_DATA_VERSION } from './subscription-data.ts';

/** What the leader tells a member. */
export interface AssignmentData {
  readonly activeTasks: readonly TaskId[];
  /** True when a member has asked the whole application to stop: nobody gets tasks any more. */
  readonly shutdown: boolean;
}

export function encodeAssignmentData(data: AssignmentData): Buffer {
  const writer = new UserDataWriter().int32(USER_DATA_VERSION);
  writer.list([...data.activeTasks].sort(compareTaskIds), (id) => writer.string(formatTaskId(id)));
  writer.int32(data.shutdown ? 1 : 0);
  return writer.toBuffer();
}

export function decodeAssignmentData(bytes: Buffer): AssignmentData {
  const reader = new UserDataReader(bytes);
  assertVersion(reader.int32());
  return { activeTasks: reader.list(() => parseTaskId(reader.string())), shutdown: reader.int32() === 1 };
}
