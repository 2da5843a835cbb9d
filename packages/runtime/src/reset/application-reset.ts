import { FatalStreamsError, TaskMigratedError, type Clock, type TopicPartition } from '@millrace/core';
import type { KafkaClient } from '@millrace/client';
import type { Topology } from '@millrace/topology';
import { resolveSettings } from '../settings/resolve-settings.ts';
import type { StreamsSettings } from '../settings/settings.ts';
import { holdLocalState } from './local-state.ts';
import { readFacts, type ResetSubject } from './read-facts.ts';
import { planReset, type ResetPlan } from './reset-plan.ts';
import type { ResetRequest } from './reset-request.ts';

/** How long removed members and deleted topics may take to be gone. Unit ms. */
const GONE_WITHIN_MS = 30_000;
const LOOK_AGAIN_MS = 100;

/** What a reset needs of the world. The client is closed with the reset. */
export interface ResetComponents {
  readonly client: KafkaClient;
  readonly clock: Clock;
}

/**
 * Takes an application back to where it has processed nothing: `plan` says what that means and changes nothing, `execute` does it.
 *
 * All its workers must be stopped. Output topics stay as they are. Local state is deleted on this machine only; elsewhere it is
 * found not to fit the new changelogs, or is to be deleted by hand. A reset that was interrupted is completed by another one:
 * offsets are set last, so that until then a worker refuses to start on topics that are gone.
 *
 * Source: Kafka `StreamsResetter` (which leaves local state to `KafkaStreams.cleanUp`).
 *
 * @example
 * await using reset = createReset(topology, { applicationId: 'checkout', brokers: ['localhost:9092'] });
 * const plan = await reset.plan();
 * if (plan.obstacles.length === 0) await reset.execute(plan);
 */
export class ApplicationReset implements AsyncDisposable {
  readonly #subject: ResetSubject;
  readonly #client: KafkaClient;
  readonly #clock: Clock;

  /** @throws SettingsError, TopologyError */
  constructor(topology: Topology, settings: Pick<StreamsSettings, 'applicationId' | 'stateDir'>, components: ResetComponents) {
    const { applicationId, stateDir } = resolveSettings(settings);
    this.#subject = { plan: topology.plan(), applicationId, stateDir };
    this.#client = components.client;
    this.#clock = components.clock;
  }

  /**
   * Looks what there is to do.
   *
   * @throws FatalStreamsError `RESET_TOPIC_MISSING`, `RESET_TOPIC_FOREIGN`, or the broker's name of a right that is missing
   */
  async plan(request: ResetRequest = {}): Promise<ResetPlan> {
    return planReset(await readFacts(this.#client, this.#subject, request), request);
  }

  /**
   * Does what the plan says.
   *
   * @throws FatalStreamsError `RESET_OBSTACLE` the plan has obstacles; `RESET_STATE_IN_USE` a worker runs here;
   * `RESET_GROUP_ACTIVE` the group has members, or got some meanwhile
   */
  async execute(plan: ResetPlan): Promise<void> {
    if (plan.obstacles.length > 0) throw new FatalStreamsError('RESET_OBSTACLE', plan.obstacles.join('; '));
    using localState = holdLocalState(plan.localState);
    const { admin, offsets } = this.#client;
    const groupId = plan.applicationId;
    await admin.removeMembers(
      groupId,
      plan.members.map(({ memberId }) => memberId),
    );
    await this.#untilGroupEmpty(groupId, plan.members.length > 0);
    for (const id of plan.transactions) await admin.fenceTransactionalId(id, GONE_WITHIN_MS);
    await admin.deleteGroupOffsets(groupId, await this.#partitionsOf(plan.topics));
    await admin.deleteTopics(plan.topics);
    await this.#untilTopicsGone(plan.topics);
    localState.delete();
    await this.#commit(plan, offsets);
  }

  async #commit({ applicationId: groupId, offsets }: ResetPlan, client: KafkaClient['offsets']): Promise<void> {
    const outside = { groupId, generationId: -1, memberId: '', groupInstanceId: undefined };
    try {
      await client.commit(
        outside,
        offsets.map(({ topic, partition, to }) => ({ topic, partition, offset: to, metadata: '' })),
      );
    } catch (error) {
      if (!(error instanceof TaskMigratedError)) throw error;
      throw groupActive(groupId, 'a worker has joined it in the middle of the reset; stop it and reset again', error);
    }
  }

  async #partitionsOf(topics: readonly string[]): Promise<TopicPartition[]> {
    const found = await this.#client.admin.describeTopics(topics);
    return [...found].flatMap(([topic, description]) =>
      Array.from({ length: description?.partitions ?? 0 }, (_, partition) => ({ topic, partition })),
    );
  }

  /** Who is removed although it lives joins again within a heartbeat or two. */
  async #untilGroupEmpty(groupId: string, wasForced: boolean): Promise<void> {
    const isEmpty = async () => (await this.#client.admin.describeGroup(groupId)).members.length === 0;
    if (await (wasForced ? this.#within(isEmpty) : isEmpty())) return;
    throw groupActive(groupId, 'its workers live, nothing was deleted; stop them');
  }

  /** A topic that is still known somewhere could be taken for the new one. */
  async #untilTopicsGone(topics: readonly string[]): Promise<void> {
    const areGone = async () =>
      [...(await this.#client.admin.describeTopics(topics)).values()].every((found) => found === undefined);
    if (await this.#within(areGone)) return;
    throw new FatalStreamsError(
      'RESET_TOPICS_REMAIN',
      `the brokers still have some of ${topics.join(', ')} ${GONE_WITHIN_MS} ms after their deletion; look at their logs, then reset again`,
    );
  }

  async #within(condition: () => Promise<boolean>): Promise<boolean> {
    const deadlineMs = this.#clock.monotonicMs() + GONE_WITHIN_MS;
    while (!(await condition())) {
      if (this.#clock.monotonicMs() >= deadlineMs) return false;
      await this.#clock.sleep(LOOK_AGAIN_MS);
    }
    return true;
  }

  /** Closes the client. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}

function groupActive(groupId: string, what: string, cause?: unknown): FatalStreamsError {
  return new FatalStreamsError('RESET_GROUP_ACTIVE', `the group ${groupId} has members: ${what}`, { cause });
}
