import { ErrorCode } from '@millrace/wire';
import type { Clock } from '@millrace/core';
import { Refusal } from '../refusal.ts';
import { ClassicGroup } from './classic-group.ts';
import type { GroupOffsets } from './group-offsets.ts';
import type { OffsetsLog } from './offsets-log.ts';

/** The groups that exist: with members, or only with offsets. */
export class GroupRegistry {
  readonly offsets: GroupOffsets;
  readonly log: OffsetsLog;
  readonly #clock: Clock;
  readonly #groups = new Map<string, ClassicGroup>();

  constructor(offsets: GroupOffsets, log: OffsetsLog, clock: Clock) {
    this.offsets = offsets;
    this.log = log;
    this.#clock = clock;
    log.replay({
      onGroup: (groupId, protocolType, generationId) => this.#restore(groupId, protocolType, generationId),
      onGroupDeleted: (groupId) => {
        this.#groups.delete(groupId);
        offsets.deleteGroup(groupId);
      },
    });
    for (const groupId of offsets.groupIds()) this.getOrCreate(groupId);
  }

  get all(): IterableIterator<ClassicGroup> {
    return this.#groups.values();
  }

  get(groupId: string): ClassicGroup | undefined {
    return this.#groups.get(groupId);
  }

  getOrCreate(groupId: string): ClassicGroup {
    const group = this.#groups.get(groupId) ?? new ClassicGroup(groupId, this.#clock.nowMs());
    this.#groups.set(groupId, group);
    return group;
  }

  /** @throws Refusal UNKNOWN_MEMBER_ID: nobody can be a member of a group that is not there */
  groupOfMember(groupId: string): ClassicGroup {
    const group = this.#groups.get(groupId);
    if (group === undefined) throw new Refusal(ErrorCode.UNKNOWN_MEMBER_ID);
    return group;
  }

  saveGeneration(group: ClassicGroup): void {
    this.log.writeGeneration(group.id, group.protocolType ?? '', group.generationId);
  }

  /** Forgets a group without members, with its offsets. */
  delete(group: ClassicGroup): void {
    const changes = [...this.offsets.of(group.id)].map(({ topic, partition }) => ({
      key: { groupId: group.id, topic, partition },
      value: undefined,
    }));
    this.log.write(changes);
    this.log.writeGroupDeletion(group.id);
    group.state = 'Dead';
    for (const cancel of group.pendingMembers.values()) cancel();
    this.offsets.deleteGroup(group.id);
    this.#groups.delete(group.id);
  }

  /** The offsets of a topic that was deleted mean nothing any more. */
  forgetTopic(topic: string): void {
    const changes = [...this.#groups.keys()].flatMap((groupId) =>
      [...this.offsets.of(groupId)]
        .filter((offset) => offset.topic === topic)
        .map(({ partition }) => ({ key: { groupId, topic, partition }, value: undefined })),
    );
    this.log.write(changes);
  }

  /** Forgets groups that have had no members for so long, and no commits either. */
  expire(nowMs: number, retentionMs: number): void {
    for (const group of this.#groups.values()) {
      if (group.state !== 'Empty' || group.pendingMembers.size > 0) continue;
      const lastCommitMs = Math.max(0, ...[...this.offsets.of(group.id)].map(({ committedMs }) => committedMs));
      const isOld = nowMs - Math.max(group.emptySinceMs, lastCommitMs) > retentionMs;
      if (isOld && this.offsets.pendingOf(group.id).length === 0) this.delete(group);
    }
  }

  #restore(groupId: string, protocolType: string, generationId: number): void {
    const group = new ClassicGroup(groupId, this.#clock.nowMs(), generationId);
    if (protocolType !== '') group.protocolType = protocolType;
    this.#groups.set(groupId, group);
  }
}
