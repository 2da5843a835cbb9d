import type { RawClient } from '@millrace/broker/raw-client';
import {
  describeGroups,
  encodeSubscription,
  ErrorCode,
  heartbeat,
  joinGroup,
  type JoinGroupResponse,
  leaveGroup,
  offsetCommit,
  syncGroup,
} from '@millrace/wire';
import type { OperationOf } from '../operation.ts';
import type { Session } from '../session.ts';

/** The shortest that is allowed. */
const SILENT_SESSION_MS = 1000;
const SESSION_MS = 60_000;
const GROUP = 2;

type Options = OperationOf<'expireSession'>;

/** One of the two members. */
class Member {
  readonly connection: RawClient;
  readonly #groupId: string;
  readonly #options: Options;
  readonly #sessionTimeoutMs: number;
  readonly #instanceId: string | undefined;
  memberId = '';
  generationId = -1;

  constructor(connection: RawClient, groupId: string, options: Options, isSilent: boolean) {
    this.connection = connection;
    this.#groupId = groupId;
    this.#options = options;
    this.#sessionTimeoutMs = isSilent ? SILENT_SESSION_MS : SESSION_MS;
    this.#instanceId = isSilent && options.isStatic ? 'silent' : undefined;
  }

  async join(): Promise<string> {
    const first = await this.#askToJoin();
    if (first.errorCode !== ErrorCode.MEMBER_ID_REQUIRED) return this.#joined(first);
    this.memberId = first.memberId;
    return `79, ${this.#joined(await this.#askToJoin())}`;
  }

  async sync(): Promise<string> {
    const { memberId, generationId } = this;
    const who = { groupId: this.#groupId, generationId, memberId, groupInstanceId: this.#instanceId };
    const { errorCode } = await this.connection.send(syncGroup, 4, { ...who, assignments: [] });
    return `sync ${errorCode}`;
  }

  async beat(): Promise<number> {
    const { memberId, generationId } = this;
    const who = { groupId: this.#groupId, generationId, memberId, groupInstanceId: this.#instanceId };
    return (await this.connection.send(heartbeat, 4, who)).errorCode;
  }

  async commit(topic: string): Promise<string> {
    const { memberId, generationId } = this;
    const { topics } = await this.connection.send(offsetCommit, 8, {
      groupId: this.#groupId,
      generationIdOrMemberEpoch: generationId,
      memberId,
      groupInstanceId: this.#instanceId,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 1 }] }],
    });
    return `commit ${topics[0]?.partitions[0]?.errorCode}`;
  }

  async leave(): Promise<string> {
    const members = [{ memberId: this.memberId, groupInstanceId: this.#instanceId }];
    const answer = await this.connection.send(leaveGroup, 4, { groupId: this.#groupId, members });
    return `leave ${answer.errorCode} ${answer.members.map(({ errorCode }) => errorCode)}`;
  }

  #askToJoin(): Promise<JoinGroupResponse> {
    return this.connection.send(joinGroup, this.#options.version, {
      groupId: this.#groupId,
      sessionTimeoutMs: this.#sessionTimeoutMs,
      rebalanceTimeoutMs: SESSION_MS,
      memberId: this.memberId,
      groupInstanceId: this.#instanceId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: encodeSubscription({ topics: ['t'] }) }],
    });
  }

  #joined({ errorCode, generationId, memberId, members }: JoinGroupResponse): string {
    if (errorCode !== ErrorCode.NONE) return `join ${errorCode}`;
    this.memberId = memberId;
    this.generationId = generationId;
    return `join 0 generation ${generationId} of ${members.length}`;
  }
}

export async function expire(session: Session, operation: Options): Promise<string> {
  using silentConnection = await session.connect();
  using otherConnection = await session.connect();
  const groupId = session.group(GROUP);
  const silent = new Member(silentConnection, groupId, operation, true);
  const other = new Member(otherConnection, groupId, operation, false);
  const texts = operation.hasOther ? await beginTogether(silent, other) : [await silent.join(), await silent.sync()];
  texts.push(await silent.commit(session.topic(0)));
  if (operation.hasOther) {
    texts.push(
      `other ${await session.until(
        () => other.beat(),
        (errorCode) => errorCode !== ErrorCode.NONE,
      )}`,
    );
    texts.push(await other.join(), await other.sync());
  } else {
    texts.push(
      `then ${await session.until(
        () => stateOf(session, groupId),
        (state) => state === 'Empty',
      )}`,
    );
  }
  texts.push(`silent ${await silent.beat()}`, await silent.commit(session.topic(0)), await silent.leave());
  return texts.join('; ');
}

/** The other one comes first, so that it is the leader and stays it. */
async function beginTogether(silent: Member, other: Member): Promise<string[]> {
  const texts = [await other.join(), await other.sync()];
  const joining = silent.join();
  while ((await other.beat()) === ErrorCode.NONE);
  texts.push(await other.join(), await joining);
  const syncing = silent.sync();
  texts.push(await other.sync(), await syncing);
  return texts;
}

async function stateOf(session: Session, groupId: string): Promise<string | undefined> {
  await session.writeBeside(GROUP);
  return (await session.connection.send(describeGroups, 4, { groups: [groupId] })).groups[0]?.groupState;
}
