import * as compaction from './execute/compaction.ts';
import * as groups from './execute/groups.ts';
import * as offsets from './execute/offsets.ts';
import * as records from './execute/records.ts';
import * as sessions from './execute/sessions.ts';
import * as topics from './execute/topics.ts';
import * as transactions from './execute/transactions.ts';
import type { Operation, OperationOf } from './operation.ts';
import { Session } from './session.ts';

type Executors = { readonly [Name in Operation['do']]: (session: Session, operation: OperationOf<Name>) => Promise<string> };

const executors: Executors = {
  createTopic: topics.createTopic,
  createIllegalTopic: topics.createIllegalTopic,
  deleteTopic: topics.deleteTopic,
  createPartitions: topics.addPartitions,
  metadata: topics.describeTopic,
  describeConfigs: topics.describeTopicConfigs,
  alterConfig: topics.alterConfig,
  deleteRecords: topics.purge,
  produce: records.write,
  fetch: records.read,
  listOffset: records.listOffset,
  leaderEpoch: records.leaderEpoch,
  initProducer: transactions.initProducer,
  addPartition: transactions.addPartition,
  addOffsets: transactions.addOffsets,
  commitInTransaction: transactions.commitInTransaction,
  endTransaction: transactions.endTransaction,
  describeTransaction: transactions.describeTransaction,
  join: groups.join,
  sync: groups.sync,
  heartbeat: groups.beat,
  leave: groups.leave,
  rebalance: groups.rebalance,
  describeGroup: groups.describeGroup,
  deleteGroup: groups.deleteGroup,
  compact: compaction.compact,
  expireSession: sessions.expire,
  commitOffset: offsets.commitOffset,
  fetchOffsets: offsets.fetchOffsets,
  deleteOffset: offsets.deleteOffset,
};

/**
 * Runs a script against the broker at `address`.
 *
 * @param prefix of all names; must not have been used on that broker before
 * @returns an answer per operation, with everything that may rightly differ between brokers replaced by symbols
 */
export async function runScript(address: string, prefix: string, script: readonly Operation[]): Promise<string[]> {
  await using session = await Session.open(address, prefix);
  const answers: string[] = [];
  for (const operation of script) {
    const execute = executors[operation.do] as (session: Session, operation: Operation) => Promise<string>;
    answers.push(await execute(session, operation).catch(textOfFailure));
    // A broker that closes a connection has answered, but has nothing more to say on it.
    if (!session.connection.isOpen) break;
  }
  return answers;
}

function textOfFailure(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
