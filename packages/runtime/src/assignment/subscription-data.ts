import { compareTaskIds, formatTaskId, parseTaskId, type TaskId } from '@millrace/core';
import { UserDataReader, UserDataWriter } from './binary.ts';
import { checkedVersion, USER_DATA_VERSION } from './user-data-version.ts';

/** What a member tells the leader about itself with each JoinGroup. */
export interface SubscriptionData {
  /** Stable for a process directory: tells two workers of one process, or a restarted process, from strangers. */
  readonly processId: string;
  /** Its producer's transactional id; empty at-least-once. The leader never fences the id of a present member. */
  readonly transactionalId: string;
  /** Of the topology it runs, see `contractOf`. */
  readonly fingerprint: string;
  /** `host:port` at which its stores can be queried; empty when there is none. */
  readonly endpoint: string;
  /** Tasks that it is running now. */
  readonly activeTasks: readonly TaskId[];
  /** Tasks whose state it keeps warm now. */
  readonly standbyTasks: readonly TaskId[];
  /** Local state by task: the sum of the changelog offsets on its disk, or `LATEST_OFFSET` for a running task. */
  readonly stateOffsets: ReadonlyMap<string, number>;
  /** Where it runs, in words of the user's. */
  readonly clientTags: ReadonlyMap<string, string>;
  /** True when this member has failed and wants the whole application to stop. */
  readonly asksForShutdown: boolean;
}

export function encodeSubscriptionData(data: SubscriptionData): Buffer {
  const writer = new UserDataWriter().int32(USER_DATA_VERSION);
  writer.string(data.processId).string(data.transactionalId).string(data.fingerprint).string(data.endpoint);
  writeTasks(writer, data.activeTasks);
  writer.list([...data.stateOffsets], ([task, offsets]) => writer.string(task).int64(offsets));
  writer.boolean(data.asksForShutdown);
  writeTasks(writer, data.standbyTasks);
  writer.list([...data.clientTags], ([tag, value]) => writer.string(tag).string(value));
  return writer.toBuffer();
}

/** @throws CorruptDataError; SettingsError for a version that is not known */
export function decodeSubscriptionData(bytes: Buffer): SubscriptionData {
  const reader = new UserDataReader(bytes);
  const version = checkedVersion(reader.int32());
  return {
    processId: reader.string(),
    transactionalId: reader.string(),
    fingerprint: reader.string(),
    endpoint: reader.string(),
    activeTasks: readTasks(reader),
    stateOffsets: new Map(reader.list(() => [reader.string(), reader.int64()] as const)),
    asksForShutdown: reader.boolean(),
    standbyTasks: version < 2 ? [] : readTasks(reader),
    clientTags: new Map(version < 2 ? [] : reader.list(() => [reader.string(), reader.string()] as const)),
  };
}

export function writeTasks(writer: UserDataWriter, ids: readonly TaskId[]): void {
  writer.list([...ids].sort(compareTaskIds), (id) => writer.string(formatTaskId(id)));
}

export function readTasks(reader: UserDataReader): TaskId[] {
  return reader.list(() => parseTaskId(reader.string()));
}
