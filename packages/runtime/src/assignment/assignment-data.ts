import { compareTaskIds, formatTaskId, parseTaskId, type TaskId } from '@millrace/core';
import { UserDataReader, UserDataWriter } from './binary.ts';
import { assertVersion, USER_DATA_VERSION } from './subscription-data.ts';

/** What the leader tells a member. */
export interface AssignmentData {
  readonly activeTasks: readonly TaskId[];
}

export function encodeAssignmentData(data: AssignmentData): Buffer {
  const writer = new UserDataWriter().int32(USER_DATA_VERSION);
  writer.list([...data.activeTasks].sort(compareTaskIds), (id) => writer.string(formatTaskId(id)));
  return writer.toBuffer();
}

export function decodeAssignmentData(bytes: Buffer): AssignmentData {
  const reader = new UserDataReader(bytes);
  assertVersion(reader.int32());
  return { activeTasks: reader.list(() => parseTaskId(reader.string())) };
}
