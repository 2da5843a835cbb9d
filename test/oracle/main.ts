import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { collectFromBroker } from './collect/collect-from-broker.ts';
import { dumpStores, type StoreContent } from './collect/dump-stores.ts';
import type { Evidence, StoreDump } from './evidence/evidence.ts';
import { describeFindings, judge } from './judge.ts';
import type { Ledger } from './ledger/ledger.ts';

const HELP = `Judges a run of the ledger that is over: topics, group and state directories are looked at, nothing is changed.

  npm run oracle -- --brokers 127.0.0.1:9092 --application-id run.app --prefix run. [--partitions 3] [--at-least-once]
                    [--uncached] [--state-dir DIR]...

Prints what is wrong, a line per finding that begins with the number of the check (docs/reliability.md), and ends with 1 if there
is anything. What only a witness of the run can know is not judged here: V11, V12, and the concurrent reader of V8.
`;

const { values } = parseArgs({
  options: {
    brokers: { type: 'string' },
    'application-id': { type: 'string' },
    prefix: { type: 'string' },
    partitions: { type: 'string', default: '3' },
    'at-least-once': { type: 'boolean', default: false },
    uncached: { type: 'boolean', default: false },
    'state-dir': { type: 'string', multiple: true, default: [] },
  },
});

async function evidenceOf(brokers: string, ledger: Ledger, stateDirs: readonly string[]): Promise<Evidence> {
  const stores: StoreDump[] = [];
  for (const worker of stateDirs)
    for (const content of await dumpStores(join(worker, ledger.applicationId)))
      stores.push({ ...content, worker, moment: 'end', isOwner: false });
  return {
    ledger,
    ...(await collectFromBroker(brokers, ledger)),
    stores: stores.map((dump) => ({ ...dump, isOwner: isFurthest(dump, stores) })),
    askedTasks: new Set(),
    live: new Map(),
    purges: [],
    workers: [],
    skips: [],
    recovery: { drainedAfterMs: 0, drainLimitMs: 0, rebalancesAfter: 0, unassignedTasks: [] },
  };
}

/** Nobody saw who had a task last: its most advanced copy has to be the complete one. */
function isFurthest(dump: StoreDump, all: readonly StoreContent[]): boolean {
  return all.every(
    ({ taskId, store, changelogOffset = -1 }) =>
      taskId !== dump.taskId || store !== dump.store || changelogOffset <= (dump.changelogOffset ?? -1),
  );
}

async function main(): Promise<void> {
  const { brokers, 'application-id': applicationId, prefix } = values;
  if (brokers === undefined || applicationId === undefined || prefix === undefined) {
    console.log(HELP);
    process.exitCode = 2;
    return;
  }
  const guarantee = values['at-least-once'] ? 'at_least_once' : 'exactly_once_v2';
  const ledger: Ledger = { applicationId, prefix, guarantee, partitions: Number(values.partitions), cached: !values.uncached };
  const findings = judge(await evidenceOf(brokers, ledger, values['state-dir']));
  console.log(findings.length === 0 ? 'nothing is wrong' : describeFindings(findings, Infinity));
  process.exitCode = findings.length === 0 ? 0 : 1;
}

await main();
