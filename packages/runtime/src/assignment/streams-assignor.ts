import {
  CancelledError,
  formatTaskId,
  RetriableError,
  StreamsError,
  type Logger,
  type TaskId,
  type TopicPartition,
} from '@millrace/core';
import type { Assignor, MemberAssignment, MemberSubscription } from '@millrace/client';
import { assignedHosts, type TasksInTransit } from './assigned-hosts.ts';
import { AT_ONCE, encodeAssignmentData, NO_ASSIGNMENT, type AssignmentData } from './assignment-data.ts';
import { MAX_STRING_BYTES } from './binary.ts';
import { withChangelogEnds, type ChangelogEndsOptions } from './changelog-ends.ts';
import { fenceDeparted, type DepartedWorkersOptions } from './departed-workers.ts';
import { newestGenerationOf, readMembers, toPlacementMember, type KnownMember } from './group-members.ts';
import { handOver, ownersOf, type Handover } from './handover.ts';
import { NO_PACKED_HOSTS, packHosts } from './packed-hosts.ts';
import type { MemberPlacement, Placement, PlacementSettings, TaskToPlace } from './placement/placement-input.ts';
import { placeTasks } from './placement/place-tasks.ts';
import type { PlannedTask } from './plan-tasks.ts';
import { PromisedTasks } from './promised-tasks.ts';
import { encodeSubscriptionData, type SubscriptionData } from './subscription-data.ts';
import { packContract, type TopologyContract } from './topology-contract.ts';
import { votedFingerprint } from './topology-vote.ts';

/** Protocol name in the group: members of another framework are refused by the broker. */
const PROTOCOL = 'millrace';
/** When the lags could not be looked up, they are looked up again soon. */
const UNKNOWN_ENDS_REBALANCE_MS = 10_000;

export interface StreamsAssignorOptions extends ChangelogEndsOptions, DepartedWorkersOptions {
  readonly logger: Logger;
  readonly placement: PlacementSettings;
  readonly probingRebalanceIntervalMs: number;
  /** Of this member's topology. */
  readonly contract: TopologyContract;
  /** Source topics as the group protocol shows them; for tools, the assignment does not depend on it. */
  readonly topics: () => readonly string[];
  /** This member as it is now. */
  readonly describeSelf: () => SubscriptionData;
  /** Looks at the cluster, makes the internal topics, and says which tasks there are. Run on the leader. */
  readonly planTasks: () => Promise<readonly PlannedTask[]>;
}

/**
 * The application's side of a rebalance in the classic group protocol: cooperative, in which a task changes hands in two
 * rebalances and all others go on.
 *
 * Source: Kafka Streams `StreamsPartitionAssignor`; KIP-429, KIP-441.
 */
export class StreamsAssignor implements Assignor {
  readonly name = PROTOCOL;
  readonly #options: StreamsAssignorOptions;
  readonly #promised = new PromisedTasks();

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

  /** @throws RetriableError `TOPOLOGY_NOT_THE_GROUPS` when another member has to lead */
  async assign(subscriptions: readonly MemberSubscription[]): Promise<ReadonlyMap<string, MemberAssignment>> {
    const members = readMembers(subscriptions);
    if (members.some(({ data }) => data.asksForShutdown)) return toAll(members, { shutdown: true });
    const { contract } = this.#options;
    const voted = votedFingerprint(members, contract.fingerprint);
    if (voted !== contract.fingerprint) throw notTheGroups();
    const partakers = members.filter(({ data }) => data.fingerprint === voted);
    const [tasks] = await Promise.all([this.#plan(), fenceDeparted(members, this.#options)]);
    if (tasks instanceof StreamsError) return toAll(members, { error: errorOf(tasks) });
    const assigned = await this.#place(tasks, partakers, members, newestGenerationOf(subscriptions));
    const waiting = members.filter(({ data }) => data.fingerprint !== voted);
    return new Map([...assigned, ...this.#ofWaiting(waiting)]);
  }

  /** @returns the tasks, or the error with which every member has to end */
  async #plan(): Promise<readonly PlannedTask[] | StreamsError> {
    try {
      return await this.#options.planTasks();
    } catch (error) {
      // This worker stops, or something passes by itself: no matter of the others'.
      const isOwn = error instanceof RetriableError || error instanceof CancelledError;
      if (!(error instanceof StreamsError) || isOwn) throw error;
      this.#options.logger.error('the tasks cannot be assigned; all workers of the application are told to stop', { error });
      return error;
    }
  }

  async #place(
    planned: readonly PlannedTask[],
    partakers: readonly KnownMember[],
    members: readonly KnownMember[],
    newestGeneration: number,
  ): Promise<[string, MemberAssignment][]> {
    const tasks = await withChangelogEnds(planned, this.#options);
    const candidates = partakers.map((member) => toPlacementMember(member, this.#promised.to(member.memberId, newestGeneration)));
    const placement = placeTasks(tasks, candidates, this.#options.placement);
    const owners = ownersOf(members);
    const byId = new Map(planned.map((task) => [formatTaskId(task.id), task]));
    const nextRebalanceMs = this.#nextRebalanceMs(tasks, placement);
    const handovers = new Map(
      partakers.map(({ memberId }) => {
        const { active } = placement.byMember.get(memberId) as MemberPlacement;
        return [memberId, handOver(memberId, active, owners)] as const;
      }),
    );
    const awaited = new Set([...handovers.values()].flatMap(({ promised }) => promised.map(formatTaskId)));
    const assigned = partakers.map((member): [KnownMember, AssignmentData] => {
      const placed = placement.byMember.get(member.memberId) as MemberPlacement;
      const { handed, promised } = handovers.get(member.memberId) as Handover;
      return [
        member,
        {
          ...NO_ASSIGNMENT,
          activeTasks: handed,
          standbyTasks: [...placed.standby, ...placed.warmUps, ...followed(member, promised)],
          warmUpGoals: this.#goals(placed, tasks),
          nextRebalanceMs: gives(member, awaited) ? AT_ONCE : nextRebalanceMs,
          madeFor: madeFor(member),
        },
      ];
    });
    this.#promised.note(
      [...handovers].map(([memberId, { promised }]) => [memberId, promised]),
      newestGeneration,
    );
    this.#log(assigned, nextRebalanceMs);
    const packedHosts = this.#packHosts(assigned, { owners, awaited });
    return assigned.map(([{ memberId }, data]) => [memberId, toAssignment({ ...data, packedHosts }, byId)]);
  }

  #packHosts(assigned: readonly (readonly [KnownMember, AssignmentData])[], inTransit: TasksInTransit): Buffer {
    const hosts = assignedHosts(assigned, inTransit);
    const packed = packHosts(hosts, assigned.length);
    if (packed !== undefined) return packed;
    this.#options.logger.warn('the group is too large for its members to be told where its tasks can be asked for', {
      members: assigned.length,
      endpoints: hosts.length,
    });
    return NO_PACKED_HOSTS;
  }

  #nextRebalanceMs(tasks: readonly TaskToPlace[], { isSettled }: Placement): number {
    if (isSettled) return -1;
    const { probingRebalanceIntervalMs } = this.#options;
    const endsKnown = tasks.every(({ stateful, changelogEnd }) => !stateful || changelogEnd !== undefined);
    return endsKnown ? probingRebalanceIntervalMs : Math.min(probingRebalanceIntervalMs, UNKNOWN_ENDS_REBALANCE_MS);
  }

  #goals({ warmUps }: MemberPlacement, tasks: readonly TaskToPlace[]): Map<string, number> {
    const ends = new Map(tasks.map(({ id, changelogEnd }) => [formatTaskId(id), changelogEnd]));
    // Half of what is accepted: it must still be caught up when the rebalance comes.
    const lag = Math.floor(this.#options.placement.acceptableRecoveryLag / 2);
    return new Map(
      warmUps.map(formatTaskId).flatMap((task) => {
        const end = ends.get(task);
        return end === undefined ? [] : [[task, Math.max(0, end - lag)] as const];
      }),
    );
  }

  #log(assigned: readonly [KnownMember, AssignmentData][], nextRebalanceMs: number): void {
    this.#options.logger.info('assigned tasks', {
      members: assigned.length,
      active: Object.fromEntries(assigned.map(([{ memberId }, { activeTasks }]) => [memberId, activeTasks.map(formatTaskId)])),
      standby: Object.fromEntries(assigned.map(([{ memberId }, { standbyTasks }]) => [memberId, standbyTasks.map(formatTaskId)])),
      ...(nextRebalanceMs < 0 ? {} : { nextRebalanceMs }),
    });
  }

  /** Members of another version: they get nothing, and learn what the group runs. */
  #ofWaiting(members: readonly KnownMember[]): [string, MemberAssignment][] {
    if (members.length === 0) return [];
    const { contract, logger } = this.#options;
    logger.warn('members of the group run a topology that cannot share its tasks; they get none until the others are gone', {
      members: members.map(({ memberId }) => memberId),
    });
    const groupTopology = { fingerprint: contract.fingerprint, contract: packContract(contract) };
    return members.map((member) => {
      const nextRebalanceMs = member.owned.size > 0 ? AT_ONCE : NO_ASSIGNMENT.nextRebalanceMs;
      const data = { ...NO_ASSIGNMENT, groupTopology, nextRebalanceMs, madeFor: madeFor(member) };
      return [member.memberId, toAssignment(data, new Map())];
    });
  }
}

/** True when the member runs something that another one is to have. */
function gives({ owned }: KnownMember, awaited: ReadonlySet<string>): boolean {
  return [...owned].some((task) => awaited.has(task));
}

/** Of the tasks that it waits for, those whose state the member follows already: it goes on until it runs them. */
function followed({ data }: KnownMember, promised: readonly TaskId[]): TaskId[] {
  const standby = new Set(data.standbyTasks.map(formatTaskId));
  return promised.filter((id) => standby.has(formatTaskId(id)));
}

function madeFor({ data }: KnownMember): NonNullable<AssignmentData['madeFor']> {
  return { processId: data.processId, fingerprint: data.fingerprint };
}

function toAssignment(data: AssignmentData, tasks: ReadonlyMap<string, PlannedTask>): MemberAssignment {
  return {
    partitions: data.activeTasks.flatMap((id) => tasks.get(formatTaskId(id))?.partitions ?? []),
    userData: encodeAssignmentData(data),
  };
}

function toAll(members: readonly KnownMember[], data: Partial<AssignmentData>): Map<string, MemberAssignment> {
  return new Map(
    members.map((member) => [member.memberId, toAssignment({ ...NO_ASSIGNMENT, madeFor: madeFor(member), ...data }, new Map())]),
  );
}

/** The message may hold names of many topics; what does not fit is cut off. */
function errorOf({ code, message, topic }: StreamsError): AssignmentData['error'] {
  const place = ` [topic ${topic}]`;
  const text = message.endsWith(place) ? message.slice(0, -place.length) : message;
  const cut = Buffer.from(text)
    .subarray(0, MAX_STRING_BYTES - 4)
    .toString('utf8');
  return { code, message: cut, topic };
}

/** By leaving, this member makes another one the leader: it does not know the tasks of the version that the group runs. */
function notTheGroups(): RetriableError {
  return new RetriableError(
    'TOPOLOGY_NOT_THE_GROUPS',
    'the members that own the tasks run another topology than this one, which was made the leader; it joins again as a follower',
  );
}
