import type { TaskId } from '@millrace/core';
import { UserDataReader, UserDataWriter } from './binary.ts';
import { NO_PACKED_HOSTS } from './packed-hosts.ts';
import { readTasks, writeTasks } from './subscription-data.ts';
import { checkedVersion, USER_DATA_VERSION } from './user-data-version.ts';

/** An error of the leader's that concerns every member: all end with it. */
export interface AssignmentError {
  readonly code: string;
  /** Without the place, which an error says by itself. */
  readonly message: string;
  readonly topic: string | undefined;
}

/** The topology that a group runs. */
export interface GroupTopology {
  readonly fingerprint: string;
  /** See `packContract`. */
  readonly contract: Buffer;
}

/** What the leader tells a member. */
export interface AssignmentData {
  readonly activeTasks: readonly TaskId[];
  /** Tasks whose state the member keeps warm, warm-ups among them. */
  readonly standbyTasks: readonly TaskId[];
  /** By standby task that is to move to the member: as soon as its state goes this far, the member asks for a rebalance. */
  readonly warmUpGoals: ReadonlyMap<string, number>;
  /**
   * The member asks for a rebalance after this time, ms; −1 for never. A duration, not a time of day: clocks of machines differ.
   * {@link AT_ONCE} for who has to give up tasks that others wait for.
   */
  readonly nextRebalanceMs: number;
  /** The process and the topology that the member had said it has: a static member may have come back as another. */
  readonly madeFor: { readonly processId: string; readonly fingerprint: string } | undefined;
  /** True when a member has asked the whole application to stop: nobody gets tasks any more. */
  readonly shutdown: boolean;
  readonly error: AssignmentError | undefined;
  /** For a member that runs another topology than the group and therefore gets nothing: the group's. */
  readonly groupTopology: GroupTopology | undefined;
  /** Which of the members that can be asked has which tasks: see `packHosts`. Empty: none can be asked, or there is no room. */
  readonly packedHosts: Buffer;
}

/**
 * The member asks for a rebalance as soon as it has made the assignment so. One that gives up tasks would do that by itself; a static
 * member that ends before it has done so comes back with this assignment and nothing to give up, and nobody else would ask.
 *
 * Source: Kafka Streams `StreamsPartitionAssignor`, the follow-up rebalance that is encoded as a probing rebalance at 0.
 */
export const AT_ONCE = 0;

/** An assignment of nothing. */
export const NO_ASSIGNMENT: AssignmentData = Object.freeze({
  activeTasks: [],
  standbyTasks: [],
  warmUpGoals: new Map(),
  nextRebalanceMs: -1,
  madeFor: undefined,
  shutdown: false,
  error: undefined,
  groupTopology: undefined,
  packedHosts: NO_PACKED_HOSTS,
});

export function encodeAssignmentData(data: AssignmentData): Buffer {
  const writer = new UserDataWriter().int32(USER_DATA_VERSION);
  writeTasks(writer, data.activeTasks);
  writer.boolean(data.shutdown);
  writeTasks(writer, data.standbyTasks);
  writer.list([...data.warmUpGoals], ([task, goal]) => writer.string(task).int64(goal));
  writer.int64(data.nextRebalanceMs);
  writer.string(data.madeFor?.processId ?? '').string(data.madeFor?.fingerprint ?? '');
  writer
    .string(data.error?.code ?? '')
    .string(data.error?.message ?? '')
    .string(data.error?.topic ?? '');
  writer.string(data.groupTopology?.fingerprint ?? '').block(data.groupTopology?.contract ?? Buffer.alloc(0));
  // Behind all that members of earlier programs read; they do not look for more.
  if (data.packedHosts.length > 0) writer.block(data.packedHosts);
  return writer.toBuffer();
}

/** @throws CorruptDataError; SettingsError for a version that is not known */
export function decodeAssignmentData(bytes: Buffer): AssignmentData {
  const reader = new UserDataReader(bytes);
  const version = checkedVersion(reader.int32());
  const first = { activeTasks: readTasks(reader), shutdown: reader.boolean() };
  if (version < 2) return { ...NO_ASSIGNMENT, ...first };
  return {
    ...first,
    standbyTasks: readTasks(reader),
    warmUpGoals: new Map(reader.list(() => [reader.string(), reader.int64()] as const)),
    nextRebalanceMs: reader.int64(),
    madeFor: readMadeFor(reader),
    error: readError(reader),
    groupTopology: readGroupTopology(reader),
    packedHosts: reader.hasMore ? reader.block() : NO_PACKED_HOSTS,
  };
}

function readMadeFor(reader: UserDataReader): AssignmentData['madeFor'] {
  const processId = reader.string();
  const fingerprint = reader.string();
  return processId === '' ? undefined : { processId, fingerprint };
}

function readError(reader: UserDataReader): AssignmentError | undefined {
  const code = reader.string();
  const message = reader.string();
  const topic = reader.string();
  return code === '' ? undefined : { code, message, topic: topic === '' ? undefined : topic };
}

function readGroupTopology(reader: UserDataReader): GroupTopology | undefined {
  const fingerprint = reader.string();
  const contract = reader.block();
  return fingerprint === '' ? undefined : { fingerprint, contract };
}
