import type { RawClient } from '@millrace/broker/raw-client';
import { systemClock } from '@millrace/core';
import { describeGroups } from '@millrace/wire';

/** A request that is answered when others have come. */
interface Parked {
  readonly kind: 'join' | 'sync';
  /** The answer as a text, when it has come. */
  answer: string | undefined;
  answered: Promise<void>;
}

/** One member of the group of a script. */
export interface ScriptMember {
  readonly index: number;
  /** Members 2 and 3 share one: each takes the place of the other. */
  readonly instanceId: string | undefined;
  connection: RawClient | undefined;
  memberId: string;
  generation: number;
  protocol: string;
  isLeader: boolean;
  /** Ids of all members, if it is the leader. */
  followers: readonly string[];
  parked: Parked | undefined;
}

const instanceIds: readonly (string | undefined)[] = [undefined, undefined, 'i0', 'i0'];

/** How long a request must have got no answer to count as one that waits, and how long when its answer seems to be due. */
const PARKED_AFTER_MS = 150;
const PATIENCE_MS = 2000;
/** How often the group must have been looked at besides: on a busy machine all that time may pass between two looks. */
const LOOKS_MIN = 20;

/**
 * The members of a group, each with a connection of its own, because a broker takes no further request from a connection on
 * which a JoinGroup waits.
 */
export class GroupMembers implements Disposable {
  readonly all: readonly ScriptMember[];
  readonly #connect: () => Promise<RawClient>;
  readonly #group: string;
  readonly #symbols = new Map<string, string>();

  constructor(connect: () => Promise<RawClient>, group: string) {
    this.#connect = connect;
    this.#group = group;
    this.all = instanceIds.map((instanceId, index) => ({
      index,
      instanceId,
      connection: undefined,
      memberId: '',
      generation: -1,
      protocol: '',
      isLeader: false,
      followers: [],
      parked: undefined,
    }));
  }

  /** @param index −1 for somebody who is no member */
  get(index: number): ScriptMember | undefined {
    return this.all[index];
  }

  /** The member whose id it is, `?` while it has not learnt it itself. */
  symbol(memberId: string): string {
    return memberId === '' ? '-' : (this.#symbols.get(memberId) ?? '?');
  }

  /** A member has learnt its id; with each further one it gets an apostrophe. */
  learn(member: ScriptMember, memberId: string): void {
    if (member.memberId === memberId && this.#symbols.has(memberId)) return;
    const former = [...this.#symbols.values()].filter((symbol) => symbol.startsWith(`M${member.index}`)).length;
    member.memberId = memberId;
    this.#symbols.set(memberId, `M${member.index}${"'".repeat(former)}`);
  }

  async connectionOf(member: ScriptMember): Promise<RawClient> {
    member.connection ??= await this.#connect();
    return member.connection;
  }

  /**
   * Whether the group would have to choose among several for a new leader if this member left, also by its instance id alone.
   * Which it chooses is left to a hash map in Kafka.
   */
  leavesChoiceOfLeader(member: ScriptMember): boolean {
    const { instanceId } = member;
    const present = this.all.filter(({ memberId, parked }) => memberId !== '' || parked !== undefined);
    const isLeader = present.some(
      (one) => one.isLeader && (one === member || (instanceId !== undefined && one.instanceId === instanceId)),
    );
    return isLeader && present.length > 2;
  }

  /** Sends what may have to wait. Resolves when it was answered, or it is clear that it waits. */
  async park(kind: Parked['kind'], member: ScriptMember, send: () => Promise<string>, control: RawClient): Promise<string> {
    const parked: Parked = { kind, answer: undefined, answered: Promise.resolve() };
    const answered = async (): Promise<void> => {
      parked.answer = await send().catch(() => 'the connection was closed');
    };
    parked.answered = answered();
    member.parked = parked;
    await this.#settled(parked, control);
    if (parked.answer === undefined) return 'waits';
    member.parked = undefined;
    return parked.answer;
  }

  /** Answers that earlier requests got meanwhile. */
  async released(control: RawClient): Promise<string> {
    const texts: string[] = [];
    for (const member of this.all) {
      const { parked } = member;
      if (parked === undefined) continue;
      await this.#settled(parked, control);
      if (parked.answer === undefined) continue;
      member.parked = undefined;
      texts.push(`; then ${member.index}: ${parked.answer}`);
    }
    return texts.join('');
  }

  [Symbol.dispose](): void {
    for (const { connection } of this.all) connection?.[Symbol.dispose]();
  }

  /** Waits while the state of the group says that the answer is on its way. */
  async #settled(parked: Parked, control: RawClient): Promise<void> {
    const start = systemClock.monotonicMs();
    for (let looks = 1; parked.answer === undefined; looks++) {
      const isDue = await this.#isDue(parked.kind, control);
      const waitedMs = systemClock.monotonicMs() - start;
      if (looks >= LOOKS_MIN && waitedMs > (isDue ? PATIENCE_MS : PARKED_AFTER_MS)) return;
      await Promise.race([parked.answered, systemClock.sleep(3)]);
    }
  }

  async #isDue(kind: Parked['kind'], control: RawClient): Promise<boolean> {
    const { groups } = await control.send(describeGroups, 4, { groups: [this.#group] });
    const state = groups[0]?.groupState;
    if (kind === 'sync') return state !== 'CompletingRebalance';
    const joining = this.all.filter(({ parked }) => parked?.kind === 'join').length;
    return state !== 'PreparingRebalance' || (groups[0]?.members.length ?? 0) <= joining;
  }
}
