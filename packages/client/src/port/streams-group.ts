import type { TopicPartition } from '@millrace/core';

/** Tasks of one sub-topology, as a streams group names them. */
export interface StreamsTasks {
  readonly subtopologyId: string;
  readonly partitions: readonly number[];
}

/** The tasks of one member by the part that it plays in them. */
export interface StreamsGroupTasks {
  readonly active: readonly StreamsTasks[];
  readonly standby: readonly StreamsTasks[];
  /** Standbys that the broker means to make active here as soon as they have caught up. */
  readonly warmup: readonly StreamsTasks[];
}

/** Partitions of one topic. */
export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

/** A place at which a member can be asked, and the inputs of the tasks that it has: those of its warm-ups are not among them. */
export interface GroupEndpoint {
  /** `host:port`, IPv6 in brackets. */
  readonly endpoint: string;
  readonly active: readonly TopicPartitions[];
  readonly standby: readonly TopicPartitions[];
}

/** What the group wants of a member. */
export interface StreamsGroupTarget extends StreamsGroupTasks {
  /** A member has asked the whole application to stop. */
  readonly shutdown: boolean;
}

/** An internal topic that the broker makes. */
export interface StreamsGroupTopic {
  readonly name: string;
  /** `undefined`: as many as follow from the inputs. */
  readonly partitions: number | undefined;
  /** −1: the broker's default. */
  readonly replicationFactor: number;
  readonly configs: Readonly<{ [name: string]: string }>;
}

/** A sub-topology as the broker has to know it in order to assign its tasks. All names as on the broker. */
export interface StreamsGroupSubtopology {
  readonly id: string;
  readonly sourceTopics: readonly string[];
  readonly repartitionSinks: readonly string[];
  readonly repartitionSources: readonly StreamsGroupTopic[];
  readonly changelogs: readonly StreamsGroupTopic[];
  /** Sets of topics among the sources that must have equal partition counts. */
  readonly copartitionGroups: readonly (readonly string[])[];
}

/** A target in the form in which a join returns it, like that of any group. */
export interface StreamsGroupAssignment {
  readonly partitions: readonly TopicPartition[];
  readonly userData: Buffer | undefined;
}

export interface StreamsGroupMemberOptions {
  readonly groupId: string;
  /** The same for all members of a process: standbys are put on others. */
  readonly processId: string;
  /** How long the broker waits until a member has given up what it is to give up. Default 300 000 ms. */
  readonly rebalanceTimeoutMs?: number;
  /** The broker's interval (`group.streams.heartbeat.interval.ms`) counts where it is shorter. Default 500 ms. */
  readonly heartbeatIntervalMs?: number;
  readonly subtopologies: readonly StreamsGroupSubtopology[];
  /** Tags of this client, for the placement of standbys. */
  readonly clientTags?: Readonly<{ [key: string]: string }>;
  /** Where this member can be asked: the group is told. IPv6 without brackets. Default: nowhere. */
  readonly userEndpoint?: { readonly host: string; readonly port: number };
  /** True: this member makes every member stop. */
  readonly asksForShutdown?: boolean;
  /** What the owner has open now. A task that is missing here has been committed and closed: the broker may give it away. */
  readonly ownedTasks: () => StreamsGroupTasks;
  /** What the group wants, in the form in which `join` returns it. A rejection with a RetriableError is tried again. */
  readonly assignmentOf: (target: StreamsGroupTarget) => Promise<StreamsGroupAssignment>;
}
