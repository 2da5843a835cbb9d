import { RawClient } from '@millrace/broker/raw-client';
import { systemClock } from '@millrace/core';
import { ErrorCode, findCoordinator, offsetCommit } from '@millrace/wire';
import { GroupMembers } from './group-members.ts';
import { ScriptProducer } from './script-producer.ts';

/** Shows in what brokers say of group members. */
const CLIENT_ID = 'differential';
/** Longest wait for something that a broker does in its own time. */
const PATIENCE_MS = 15_000;
const PAUSE_MS = 3;

/** A transactional id per producer, or none; two producers with one id fence each other. */
const transactionalIds: readonly (number | undefined)[] = [undefined, 0, 0, 1, undefined];

/** One run of a script against one broker: its connections, names, and what the answers so far have told. */
export class Session implements AsyncDisposable {
  /** Of all names, so that many sessions share a broker. */
  readonly prefix: string;
  readonly connection: RawClient;
  readonly producers: readonly ScriptProducer[];
  readonly members: GroupMembers;
  /** Counts the records written, so that each has a value of its own. */
  written = 0;
  readonly #producerIds = new Map<number, string>();

  /** Opens one more connection, which the caller closes. */
  readonly connect: () => Promise<RawClient>;

  private constructor(connect: () => Promise<RawClient>, prefix: string, connection: RawClient) {
    this.connect = connect;
    this.prefix = prefix;
    this.connection = connection;
    this.producers = transactionalIds.map(
      (id, index) => new ScriptProducer(index !== 4, id === undefined ? undefined : `${prefix}-x${id}`),
    );
    this.members = new GroupMembers(connect, this.group(0));
  }

  static async open(address: string, prefix: string): Promise<Session> {
    const connect = () => RawClient.connect(address, CLIENT_ID);
    const connection = await connect();
    const session = new Session(connect, prefix, connection);
    for (const keyType of [0, 1]) {
      await session.until(
        () => connection.send(findCoordinator, 3, { key: prefix, keyType }),
        ({ errorCode }) => errorCode === ErrorCode.NONE,
      );
    }
    return session;
  }

  topic(index: number): string {
    return `${this.prefix}-t${index}`;
  }

  group(index: number): string {
    return `${this.prefix}-gAa${index}`;
  }

  /**
   * Makes the broker write to the partition of `__consumer_offsets` that keeps a group, by a commit in the name of another one:
   * `Aa` and `BB` have the same hash in Java.
   *
   * Why: Kafka shows of a group what was true when something was last written there. A refused request may have left an empty
   * group behind, on which a JoinGroup then finds nothing to write.
   */
  async writeBeside(group: number): Promise<void> {
    const partitions = [{ partitionIndex: 0, committedOffset: 0 }];
    await this.connection.send(offsetCommit, 2, {
      groupId: this.group(group).replace('-gAa', '-gBB'),
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [{ name: this.topic(0), partitions }],
    });
  }

  producer(index: number): ScriptProducer {
    const producer = this.producers[index];
    if (producer === undefined) throw new Error(`no producer ${index}`);
    return producer;
  }

  /** Producer ids by the order in which they were first seen. */
  producerSymbol(producerId: number): string {
    if (producerId < 0) return '-';
    const known = this.#producerIds.get(producerId);
    if (known !== undefined) return known;
    const symbol = `P${this.#producerIds.size}`;
    this.#producerIds.set(producerId, symbol);
    return symbol;
  }

  /** Asks until the answer is good, or too much time has passed; gives the last answer. */
  async until<T>(ask: () => Promise<T>, isGood: (answer: T) => boolean): Promise<T> {
    const end = systemClock.monotonicMs() + PATIENCE_MS;
    for (;;) {
      const answer = await ask();
      if (isGood(answer) || systemClock.monotonicMs() > end) return answer;
      await systemClock.sleep(PAUSE_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection[Symbol.dispose]();
    this.members[Symbol.dispose]();
  }
}
