import { FatalStreamsError } from '@millrace/core';
import type { StreamsGroupHeartbeatResponse } from '@millrace/wire';

/** What the broker says about the group. Source: Kafka `StreamsGroupHeartbeatResponse.Status`. */
export const GroupStatus = {
  STALE_TOPOLOGY: 0,
  MISSING_SOURCE_TOPICS: 1,
  INCORRECTLY_PARTITIONED_TOPICS: 2,
  MISSING_INTERNAL_TOPICS: 3,
  SHUTDOWN_APPLICATION: 4,
  ASSIGNMENT_DELAYED: 5,
} as const;

type Statuses = NonNullable<StreamsGroupHeartbeatResponse['status']>;

interface Bound {
  readonly code: string;
  readonly wayOut: string;
  /** For how long it may pass by itself. */
  readonly forMs: number;
}

/** What stands in the way of an assignment, and for how long it may. */
const OBSTACLES: Readonly<Record<number, Bound>> = {
  [GroupStatus.STALE_TOPOLOGY]: {
    code: 'STALE_TOPOLOGY',
    wayOut: 'the group runs a newer topology: start the newer program',
    forMs: 0,
  },
  // A topic that was made a moment ago is not known to the coordinator yet.
  [GroupStatus.MISSING_SOURCE_TOPICS]: {
    code: 'SOURCE_TOPIC_MISSING',
    wayOut: 'create the topics before the application starts',
    forMs: 5_000,
  },
  [GroupStatus.INCORRECTLY_PARTITIONED_TOPICS]: {
    code: 'NOT_COPARTITIONED',
    wayOut: 'give the topics the partition counts that the topology needs, or reset the application',
    forMs: 0,
  },
  [GroupStatus.MISSING_INTERNAL_TOPICS]: {
    code: 'INTERNAL_TOPIC_MISSING',
    wayOut: 'the broker makes them: grant the principal CREATE on them, and check topicConfig',
    forMs: 30_000,
  },
};

/** Keeps watch over what the broker says about the group, and for how long it has been saying so. */
export class GroupStatusWatch {
  readonly #since = new Map<number, number>();
  #isDelayed = false;
  #shutdown = false;

  /** Members have to wait for an assignment; one that is empty meanwhile is no assignment. */
  get isWaiting(): boolean {
    return this.#isDelayed || this.#since.size > 0;
  }

  /** The broker knows which tasks there are: the source topics exist, with the partitions that they need. */
  get knowsTasks(): boolean {
    return !this.#since.has(GroupStatus.MISSING_SOURCE_TOPICS) && !this.#since.has(GroupStatus.INCORRECTLY_PARTITIONED_TOPICS);
  }

  /** A member has asked the application to stop. */
  get shutdown(): boolean {
    return this.#shutdown;
  }

  /** Takes note of an answer. @throws FatalStreamsError when something is in the way that does not pass by itself */
  observe(statuses: Statuses, nowMs: number): void {
    this.#isDelayed = statuses.some(({ statusCode }) => statusCode === GroupStatus.ASSIGNMENT_DELAYED);
    this.#shutdown = statuses.some(({ statusCode }) => statusCode === GroupStatus.SHUTDOWN_APPLICATION);
    for (const code of this.#since.keys()) {
      if (!statuses.some(({ statusCode }) => statusCode === code)) this.#since.delete(code);
    }
    for (const { statusCode, statusDetail } of statuses) {
      const obstacle = OBSTACLES[statusCode];
      if (obstacle === undefined) continue;
      const sinceMs = this.#since.get(statusCode) ?? nowMs;
      this.#since.set(statusCode, sinceMs);
      if (nowMs - sinceMs < obstacle.forMs) continue;
      throw new FatalStreamsError(obstacle.code, `the broker assigns no tasks: ${statusDetail}; ${obstacle.wayOut}`);
    }
  }

  /** A new membership begins. */
  reset(): void {
    this.#since.clear();
    this.#isDelayed = false;
    this.#shutdown = false;
  }
}
