import { FatalStreamsError, formatTaskId, type Logger, type TaskId, type TopicPartition } from '@millrace/core';
import type { Admin, Assignor, MemberAssignment, MemberSubscription } from '@millrace/client';
import { encodeAssignmentData } from './assignment-data.ts';
import { assignTasks, type AssignmentClient, type TaskToAssign } from './assign-tasks.ts';
import { decodeSubscriptionData, encodeSubscriptionData, type SubscriptionData } from './subscription-data.ts';

/** Protocol name in the group: members of another framework are refused by the broker. */
const PROTOCOL = 'millrace';

/** A task with the partitions it reads. */
export interface PlannedTask extends TaskToAssign {
  readonly partitions: readonly TopicPartition[];
}

export interface StreamsAssignorOptions {
  readonly admin: Admin;
  readonly logger: Logger;
  readonly transactionTimeoutMs: number;
  /** Source topics as the group protocol shows them; for tools, the assignment does not depend on it. */
  readonly topics: () => readonly string[];
  /** This member as it is now. */
  readonly describeSelf: () => SubscriptionData;
  /** Looks at the cluster, makes the internal topics, and says which tasks there are. Run on the leader. */
  readonly planTasks: () => Promise<readonly PlannedTask[]>;
  /** True for the transactional ids of this application. */
  readonly isOwnTransactionalId: (id: string) => boolean;
}

interface KnownMember {
  readonly memberId: string;
  readonly data: SubscriptionData;
}

/**
 * The application's side of a rebalance in the classic group protocol.
 *
 * Before it hands out tasks the leader fences the transactional ids of workers that are gone: their open transactions end at
 * once instead of after the transaction timeout, and the new owners can read stable offsets within milliseconds.
 */
export class StreamsAssignor implements Assignor {
  readonly name = PROTOCOL;
  readonly #options: StreamsAssignorOptions;

  constructor(options: StreamsAssignorOptions) {
    this.#options = options;
  }

  subscription(): { topics: readonly string[]; ownedPartitions: readonly TopicPartition[]; userData: Buffer } {
    return {
      topics: this.#options.topics(),
      ownedPartitions: [],
      userData: encodeSubscriptionData(this.#options.describeSelf()),
    };
  }

  async assign(members: readonly MemberSubscription[]): Promise<ReadonlyMap<string, MemberAssignment>> {
    const known = members.map(readMember);
    if (known.some(({ data }) => data.asksForShutdown)) return shutdownOf(known);
    this.#warnOfMixedTopologies(known);
    const [tasks] = await Promise.all([this.#options.planTasks(), this.#fenceTheDeparted(known)]);
    const placed = assignTasks(tasks, known.map(toClient));
    this.#options.logger.info('assigned tasks', {
      members: known.length,
      tasks: Object.fromEntries([...placed].map(([member, ids]) => [member, ids.map(formatTaskId)])),
    });
    const byId = new Map(tasks.map((task) => [formatTaskId(task.id), task]));
    return new Map([...placed].map(([member, ids]) => [member, toAssignment(ids, byId)]));
  }

  async #fenceTheDeparted(members: readonly KnownMember[]): Promise<void> {
    if (members.every(({ data }) => data.transactionalId === '')) return;
    const present = new Set(members.map(({ data }) => data.transactionalId));
    const open = await this.#options.admin.listOpenTransactions();
    const departed = open.filter((id) => this.#options.isOwnTransactionalId(id) && !present.has(id));
    await Promise.all(departed.map((id) => this.#fence(id)));
  }

  /** A failure costs time, not correctness: readers of the offsets wait until the transaction times out. */
  async #fence(transactionalId: string): Promise<void> {
    try {
      await this.#options.admin.fenceTransactionalId(transactionalId, this.#options.transactionTimeoutMs);
      this.#options.logger.info('fenced a departed worker', { transactionalId });
    } catch (error) {
      this.#options.logger.warn('could not fence a departed worker; its transaction ends by timeout', { transactionalId, error });
    }
  }

  #warnOfMixedTopologies(members: readonly KnownMember[]): void {
    const fingerprints = new Set(members.map(({ data }) => data.fingerprint));
    if (fingerprints.size <= 1) return;
    this.#options.logger.warn('members of the group run different topologies; finish the rollout of one version', {
      topologies: Object.fromEntries(members.map(({ memberId, data }) => [memberId, data.fingerprint])),
    });
  }
}

function readMember(member: MemberSubscription): KnownMember {
  if (member.userData === undefined) {
    throw new FatalStreamsError(
      'FOREIGN_MEMBER',
      `group member ${member.memberId} is not a Millrace worker; give the application an id of its own`,
    );
  }
  return { memberId: member.memberId, data: decodeSubscriptionData(member.userData) };
}

function toClient({ memberId, data }: KnownMember): AssignmentClient {
  return { memberId, activeTasks: new Set(data.activeTasks.map(formatTaskId)), stateOffsets: data.stateOffsets };
}

function toAssignment(ids: readonly TaskId[], tasks: ReadonlyMap<string, PlannedTask>): MemberAssignment {
  return {
    partitions: ids.flatMap((id) => tasks.get(formatTaskId(id))?.partitions ?? []),
    userData: encodeAssignmentData({ activeTasks: ids, shutdown: false }),
  };
}

/** Tells every member to stop. */
function shutdownOf(members: readonly KnownMember[]): Map<string, MemberAssignment> {
  const userData = encodeAssignmentData({ activeTasks: [], shutdown: true });
  return new Map(members.map(({ memberId }) => [memberId, { partitions: [], userData }]));
}
