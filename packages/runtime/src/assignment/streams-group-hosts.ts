import type { TaskId } from '@millrace/core';
import type { GroupEndpoint, TopicPartitions } from '@millrace/client';
import type { TopologyPlan } from '@millrace/topology';
import { sourceTopicsOf } from './plan-tasks.ts';
import { mergeHosts, type TaskHost } from './task-hosts.ts';

/**
 * Which tasks the members of a streams group have that can be asked. The broker names partitions of inputs: one of them belongs to the
 * task with its number, of the sub-topology that reads the topic. Topics that this topology does not read are none of its tasks'.
 */
export class StreamsGroupHosts {
  /** Ids of the sub-topologies that read a topic. */
  readonly #readers = new Map<string, number[]>();
  #endpoints: readonly GroupEndpoint[] = [];
  #hosts: readonly TaskHost[] = [];

  constructor(plan: TopologyPlan, applicationId: string) {
    for (const part of plan.subtopologies) {
      for (const topic of sourceTopicsOf({ ...plan, subtopologies: [part] }, applicationId)) {
        this.#readers.set(topic, [...(this.#readers.get(topic) ?? []), part.id]);
      }
    }
  }

  /** @param endpoints the same array as long as nothing has changed: it is asked for often and changes rarely */
  of(endpoints: readonly GroupEndpoint[]): readonly TaskHost[] {
    if (endpoints === this.#endpoints) return this.#hosts;
    this.#endpoints = endpoints;
    this.#hosts = mergeHosts(
      endpoints.map(({ endpoint, active, standby }) => ({
        endpoint,
        activeTasks: this.#tasksOf(active),
        standbyTasks: this.#tasksOf(standby),
      })),
    );
    return this.#hosts;
  }

  #tasksOf(inputs: readonly TopicPartitions[]): TaskId[] {
    return inputs.flatMap(({ topic, partitions }) =>
      (this.#readers.get(topic) ?? []).flatMap((subtopology) => partitions.map((partition) => ({ subtopology, partition }))),
    );
  }
}
