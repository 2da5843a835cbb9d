import type { Cancel } from '@millrace/core';
import type { joinGroup, ResponseInput, syncGroup } from '@millrace/wire';

/** One way of sharing partitions that a member knows, with what it tells the leader about itself. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

export type JoinReply = (response: ResponseInput<typeof joinGroup>) => void;
export type SyncReply = (response: ResponseInput<typeof syncGroup>) => void;

/** A member of a group. */
export interface GroupMember {
  id: string;
  readonly groupInstanceId: string | undefined;
  clientId: string;
  clientHost: string;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  readonly protocolType: string;
  protocols: readonly MemberProtocol[];
  assignment: Buffer;
  /** Its JoinGroup that waits for the others. */
  awaitingJoin: JoinReply | undefined;
  /** Its SyncGroup that waits for the leader. */
  awaitingSync: SyncReply | undefined;
  cancelSession: Cancel | undefined;
}

/** Whether the member knows the same protocols with the same bytes: then it asks for no rebalance. */
export function hasProtocols(member: GroupMember, protocols: readonly MemberProtocol[]): boolean {
  return (
    member.protocols.length === protocols.length &&
    member.protocols.every(({ name, metadata }, index) => {
      const other = protocols[index] as MemberProtocol;
      return other.name === name && other.metadata.equals(metadata);
    })
  );
}

/** What the member says under that protocol. */
export function metadataFor(member: GroupMember, protocolName: string | undefined): Buffer {
  return member.protocols.find(({ name }) => name === protocolName)?.metadata ?? Buffer.alloc(0);
}
