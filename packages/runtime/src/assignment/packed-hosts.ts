import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { compareTaskIds, type TaskId } from '@millrace/core';
import { malformed, MAX_BLOCK_BYTES, UserDataReader, UserDataWriter } from './binary.ts';
import { isEndpoint } from '../settings/application-server-problems.ts';
import type { TaskHost } from './task-hosts.ts';

/**
 * The group is kept in one record, with what each member is told in it, and the broker refuses it beyond 1 MiB (`max.message.bytes`):
 * half of it at most is for the hosts, which all members are told.
 */
const MAX_BYTES_IN_ALL = 512 * 1024;
const MAX_UNPACKED_BYTES = 1024 * 1024;

/** No hosts. */
export const NO_PACKED_HOSTS: Buffer = Buffer.alloc(0);

/** By sub-topology, for each partition the number of the host that has the task, from 1 on. */
type Layer = Map<number, (number | undefined)[]>;

/**
 * Makes hosts small: endpoints are named once, and a task is the place of a number in a list. 100 members with 1 000 tasks and a standby
 * of each take 3 kB.
 *
 * @param members how many are told
 * @returns without standbys where there is no room for them; `undefined` where there is none for the active tasks either
 */
export function packHosts(hosts: readonly TaskHost[], members: number): Buffer | undefined {
  if (hosts.length === 0) return NO_PACKED_HOSTS;
  const actives = (): TaskHost[] => hosts.map((host) => ({ ...host, standbyTasks: [] }));
  return packWithin(hosts, members) ?? packWithin(actives(), members);
}

function packWithin(hosts: readonly TaskHost[], members: number): Buffer | undefined {
  const writer = new UserDataWriter();
  writer.list(hosts, ({ endpoint }) => writer.string(endpoint));
  for (const layers of [layersOf(hosts.map((host) => host.activeTasks)), layersOf(hosts.map((host) => host.standbyTasks))]) {
    writer.list(layers, (layer) =>
      writer.list([...layer], ([subtopology, numbers]) =>
        writer.int32(subtopology).list(Array.from(numbers), (number) => writer.int32(number ?? 0)),
      ),
    );
  }
  const unpacked = writer.toBuffer();
  if (unpacked.length > MAX_UNPACKED_BYTES) return undefined;
  const packed = deflateRawSync(unpacked);
  return packed.length > MAX_BLOCK_BYTES || packed.length * members > MAX_BYTES_IN_ALL ? undefined : packed;
}

/** Of a task that several hosts have, each layer says one. */
function layersOf(tasksOfHosts: readonly (readonly TaskId[])[]): Layer[] {
  const layers: Layer[] = [];
  for (const [index, tasks] of tasksOfHosts.entries()) {
    for (const { subtopology, partition } of tasks) {
      const free = layers.find((layer) => layer.get(subtopology)?.[partition] === undefined) ?? new Map<number, number[]>();
      if (!layers.includes(free)) layers.push(free);
      const numbers = free.get(subtopology) ?? [];
      numbers[partition] = index + 1;
      free.set(subtopology, numbers);
    }
  }
  return layers;
}

/**
 * What `packHosts` made. A host that does not say `host:port` is left out: who asks is sent there.
 *
 * @throws CorruptDataError
 */
export function unpackHosts(packed: Buffer): TaskHost[] {
  if (packed.length === 0) return [];
  const reader = new UserDataReader(inflate(packed));
  const hosts = reader.list(() => ({ endpoint: reader.string(), activeTasks: [] as TaskId[], standbyTasks: [] as TaskId[] }));
  const read = (tasksOf: (host: (typeof hosts)[number]) => TaskId[]): void => {
    for (const { task, number } of readLayers(reader)) {
      const host = hosts[number - 1];
      if (host === undefined) throw malformed(`a host with the number ${number} of ${hosts.length}`);
      tasksOf(host).push(task);
    }
  };
  read(({ activeTasks }) => activeTasks);
  read(({ standbyTasks }) => standbyTasks);
  for (const { activeTasks, standbyTasks } of hosts) for (const tasks of [activeTasks, standbyTasks]) tasks.sort(compareTaskIds);
  return hosts.filter(({ endpoint }) => isEndpoint(endpoint));
}

function readLayers(reader: UserDataReader): { readonly task: TaskId; readonly number: number }[] {
  const rows = reader.list(() =>
    reader.list(() => ({ subtopology: reader.int32(), numbers: reader.list(() => reader.int32()) })),
  );
  return rows.flat().flatMap(({ subtopology, numbers }) => {
    if (subtopology < 0) throw malformed(`a sub-topology ${subtopology}`);
    const named = numbers.map((number, partition) => ({ task: { subtopology, partition }, number }));
    return named.filter(({ number }) => number !== 0);
  });
}

function inflate(packed: Buffer): Buffer {
  try {
    return inflateRawSync(packed, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch {
    throw malformed('hosts that cannot be unpacked');
  }
}
