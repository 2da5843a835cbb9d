import { compareTaskIds, formatTaskId, parseTaskId, SettingsError, type TaskId } from '@millrace/core';
import { UserDataReader, UserDataWriter } from './binary.ts';

/** Highest version that this program writes and reads. */
const VERSION = 1;

/** What a member tells the leader about itself with each JoinGroup. */
export interface SubscriptionData {
  /** Stable for a process directory: tells two workers of one process, or a restarted process, from strangers. */
  readonly processId: string;
  /** Its producer's transactional id; empty at-least-once. The leader never fences the id of a present member. */
  readonly transactionalId: string;
  /** Of the topology it runs. */
  readonly fingerprint: string;
  /** `host:port` at which its stores can be queried; empty when there is none. */
  readonly endpoint: string;
  /** Tasks that it is running now. */
  readonly activeTasks: readonly TaskId[];
  /** Local state by task: the sum of the changelog offsets on its disk. More means closer to the end. */
  readonly stateOffsets: ReadonlyMap<string, number>;
  /** True when this member has failed and wants the whole application to stop. */
  readonly asksForShutdown: boolean;
}

export function encodeSubscriptionData(data: SubscriptionData): Buffer {
  const writer = new UserDataWriter().int32(VERSION);
  writer.string(data.processId).string(data.transactionalId).string(data.fingerprint).string(data.endpoint);
  writer.list([...data.activeTasks].sort(compareTaskIds), (id) => writer.string(formatTaskId(id)));
  writer.list([...data.stateOffsets], ([task, offsets]) => writer.string(task).int64(offsets));
  writer.int32(data.asksForShutdown ? 1 : 0);
  return writer.toBuffer();
}

export function decodeSubscriptionData(bytes: Buffer): SubscriptionData {
  const reader = new UserDataReader(bytes);
  assertVersion(reader.int32());
  return {
    processId: reader.string(),
    transactionalId: reader.string(),
    fingerprint: reader.string(),
    endpoint: reader.string(),
    activeTasks: reader.list(() => parseTaskId(reader.string())),
    stateOffsets: new Map(reader.list(() => [reader.string(), reader.int64()] as const)),
    asksForShutdown: reader.int32() === 1,
  };
}

export function assertVersion(version: number): void {
  if (version >= 1 && version <= VERSION) return;
  throw new SettingsError(
    'USER_DATA_VERSION',
    `a member of the group speaks version ${version} of the assignment protocol, this one knows up to ${VERSION}; upgrade this process`,
  );
}

export const USER_DATA_VERSION = VERSION;
