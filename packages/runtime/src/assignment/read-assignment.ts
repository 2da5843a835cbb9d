import { FatalStreamsError, type Logger } from '@millrace/core';
import type { MemberAssignment } from '@millrace/client';
import type { TopologyPlan } from '@millrace/topology';
import { ShutdownRequestedError } from '../app/shutdown-requested-error.ts';
import type { TopologyMismatchPolicy } from '../settings/settings.ts';
import type { TaskAssignment } from '../worker/task-assignment.ts';
import { AT_ONCE, decodeAssignmentData, type AssignmentData, type GroupTopology } from './assignment-data.ts';
import { unpackHosts } from './packed-hosts.ts';
import { subtopologyOf, topicMatcher } from './plan-tasks.ts';
import type { TaskHost } from './task-hosts.ts';
import type { TopologyContract } from './topology-contract.ts';
import { differenceFrom } from './topology-difference.ts';

/** What an assignment means to a worker. */
export interface LeadersWord {
  readonly tasks: TaskAssignment;
  /** See `AssignmentData`. */
  readonly warmUpGoals: ReadonlyMap<string, number>;
  /** The worker asks for a rebalance after this time, ms; −1 for never. */
  readonly nextRebalanceMs: number;
  /** Why the worker has to ask for another rebalance at once: the group does not know it as it is. */
  readonly rejoinReason: string | undefined;
  /** Which of the members that can be asked has which tasks, as the leader knows it. */
  readonly hosts: readonly TaskHost[];
}

export interface AssignmentReaderOptions {
  readonly plan: TopologyPlan;
  readonly contract: TopologyContract;
  readonly applicationId: string;
  readonly processId: string;
  readonly onTopologyMismatch: TopologyMismatchPolicy;
  /** Where this static member can be asked; `undefined`: it is none, or nowhere. */
  readonly staticEndpoint: string | undefined;
  readonly logger: Logger;
}

const NOTHING: LeadersWord = {
  tasks: { active: [], standby: [] },
  warmUpGoals: new Map(),
  nextRebalanceMs: -1,
  rejoinReason: undefined,
  hosts: [],
};

/** Reads what the leader says to this member. */
export class AssignmentReader {
  readonly #options: AssignmentReaderOptions;
  /** The topology that it has warned of: not at every rebalance. */
  #warnedOf: string | undefined;
  /** It has asked that the group be told its endpoint: a leader of an earlier program never does that. */
  #hasAskedToBeNamed = false;

  constructor(options: AssignmentReaderOptions) {
    this.#options = options;
  }

  /**
   * @throws ShutdownRequestedError; FatalStreamsError with the code of an error that the leader found, or `TOPOLOGY_MISMATCH`;
   * CorruptDataError; SettingsError `USER_DATA_VERSION`
   */
  read({ partitions, userData }: MemberAssignment): LeadersWord {
    if (userData === undefined) return NOTHING;
    const data = decodeAssignmentData(userData);
    if (data.shutdown) throw new ShutdownRequestedError();
    if (data.error !== undefined) throw new FatalStreamsError(data.error.code, data.error.message, { topic: data.error.topic });
    const hosts = unpackHosts(data.packedHosts);
    const rejoinReason = this.#rejoinReason(data, hosts);
    // The tasks are those of another topology: nothing of it means anything here.
    if (this.#isOtherTopology(data)) return { ...NOTHING, rejoinReason };
    if (data.groupTopology !== undefined) this.#onMismatch(data.groupTopology);
    return {
      tasks: { active: data.activeTasks.map((id) => this.#taskOf(id, partitions)), standby: data.standbyTasks },
      warmUpGoals: data.warmUpGoals,
      nextRebalanceMs: data.nextRebalanceMs === AT_ONCE ? -1 : data.nextRebalanceMs,
      rejoinReason,
      hosts,
    };
  }

  /** A static member gets the assignment of its former self, without a word from the leader. */
  #rejoinReason(data: AssignmentData, hosts: readonly TaskHost[]): string | undefined {
    if (this.#isOtherTopology(data)) return 'this static member runs another topology than before';
    if (data.madeFor?.processId !== this.#options.processId) return 'this static member has another state directory now';
    if (data.nextRebalanceMs === AT_ONCE) return 'others wait for tasks that this member had';
    return this.#isUnnamed(data, hosts) ? 'this static member can be asked at another place than before' : undefined;
  }

  /** Source: Kafka Streams `StreamsPartitionAssignor.verifyHostInfo`. */
  #isUnnamed({ groupTopology }: AssignmentData, hosts: readonly TaskHost[]): boolean {
    const { staticEndpoint } = this.#options;
    if (staticEndpoint === undefined || groupTopology !== undefined) return false;
    const hasAsked = this.#hasAskedToBeNamed;
    this.#hasAskedToBeNamed = hosts.every(({ endpoint }) => endpoint !== staticEndpoint);
    return this.#hasAskedToBeNamed && !hasAsked;
  }

  #isOtherTopology({ madeFor }: AssignmentData): boolean {
    return madeFor?.fingerprint !== this.#options.contract.fingerprint;
  }

  /** Which of the partitions belong to which task follows from the topology. */
  #taskOf(
    id: AssignmentData['activeTasks'][number],
    partitions: MemberAssignment['partitions'],
  ): TaskAssignment['active'][number] {
    const { plan, applicationId } = this.#options;
    const reads = topicMatcher(subtopologyOf(plan, id.subtopology), applicationId);
    return { id, partitions: partitions.filter(({ topic, partition }) => partition === id.partition && reads(topic)) };
  }

  #onMismatch({ fingerprint, contract: packed }: GroupTopology): void {
    const { contract, onTopologyMismatch, logger } = this.#options;
    if (onTopologyMismatch === 'wait' && this.#warnedOf === fingerprint) return;
    this.#warnedOf = fingerprint;
    const difference = differenceFrom(packed, contract);
    if (onTopologyMismatch === 'wait') {
      logger.warn('the group runs another topology: this worker gets no tasks until the workers of that version are gone', {
        difference,
      });
      return;
    }
    throw new FatalStreamsError(
      'TOPOLOGY_MISMATCH',
      `the group runs another topology, and the two cannot share its tasks; stop the workers of the other version first, or set onTopologyMismatch to 'wait'\n${difference}`,
    );
  }
}
