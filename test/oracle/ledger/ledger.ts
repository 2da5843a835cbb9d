/**
 * The workload under test: every record is accounted for. One input with gapless numbers per partition goes into an echo, sums
 * and counts per key, a count behind a repartition topic, a join with a table, a windowed count and an assigner of unique ids. The
 * echo is split in two streams again, which are joined.
 */
export interface Ledger {
  readonly applicationId: string;
  /** Of all topics that the application does not make itself. */
  readonly prefix: string;
  readonly guarantee: 'exactly_once_v2' | 'at_least_once';
  /** Of the input, the table and all outputs. */
  readonly partitions: number;
  /** Whether updates of the count per key are merged before they are forwarded. */
  readonly cached: boolean;
}

export const WINDOW_MS = 1000;
/** Less than the disorder of the input would need: no record of the ledger is late. */
export const GRACE_MS = 5000;
/** How far apart in event time two records may be that are joined; no less than the disorder, so that none comes too late to wait. */
export const JOIN_MS = 2000;
/** Groups behind the repartition topic. */
const GROUPS = 97;

export const OUTPUTS = ['echo', 'sum', 'cnt', 'rcnt', 'joined', 'pairs', 'win', 'uid'] as const;
export type Output = (typeof OUTPUTS)[number];

/** Stores whose rows the oracle compares with changelog and input, and the number of the sub-topology that they belong to. */
export const STORES = { sums: 0, counts: 0, rates: 0, uids: 0, 'group-counts': 1 } as const;
export type LedgerStore = keyof typeof STORES;

/** Stores of other layouts: only their changelogs are looked at. */
export const OTHER_STORES = [
  'windows',
  'closed-store',
  'pairs-this-join-store',
  'pairs-outer-other-join-store',
  'pairs-left-shared-join-store',
] as const;

export type LedgerTopic = 'in' | 'rates' | Output;

export function topicOf({ prefix }: Ledger, name: LedgerTopic): string {
  return `${prefix}${name}`;
}

export function changelogOf({ applicationId }: Ledger, store: LedgerStore | (typeof OTHER_STORES)[number]): string {
  return `${applicationId}-${store}-changelog`;
}

export function repartitionOf({ applicationId }: Ledger): string {
  return `${applicationId}-groups-repartition`;
}

/** Topics in which a transaction may be open. */
export function writtenTopics(ledger: Ledger): string[] {
  const stores = [...(Object.keys(STORES) as LedgerStore[]), ...OTHER_STORES];
  return [
    ...OUTPUTS.map((name) => topicOf(ledger, name)),
    ...stores.map((store) => changelogOf(ledger, store)),
    repartitionOf(ledger),
  ];
}

/** All topics of the application, and what it reads. */
export function allTopics(ledger: Ledger): string[] {
  return [topicOf(ledger, 'in'), topicOf(ledger, 'rates'), ...writtenTopics(ledger)];
}

/** What the group consumes. */
export function consumedTopics(ledger: Ledger): string[] {
  return [topicOf(ledger, 'in'), topicOf(ledger, 'rates'), repartitionOf(ledger), topicOf(ledger, 'echo')];
}

/** What the tasks of the three sub-topologies are called: of the input, behind the repartition topic, behind the echo. */
export function taskIdsOf(ledger: Ledger): string[] {
  const partitions = Array.from({ length: ledger.partitions }, (_, partition) => partition);
  return [0, 1, 2].flatMap((subtopology) => partitions.map((partition) => `${subtopology}_${partition}`));
}

/** A record of the input. */
export interface LedgerEntry {
  readonly id: string;
  /** Gapless from 0 in its partition. */
  readonly seq: number;
  readonly v: number;
  /** What the workload is to do with this record instead of processing it, see the ledger program. */
  readonly order?: string;
  /** Makes the record large. */
  readonly padding?: string;
  /** Id of the schema that a reader has to look up in a registry; none: nothing to look up. */
  readonly schema?: number;
}

/** Output of `sum`, its state too. */
export interface SumValue {
  readonly n: number;
  readonly sum: number;
  readonly id: string;
}

/** Output of `cnt` and `rcnt`, their state too. */
export interface CountValue {
  readonly n: number;
  readonly id: string;
}

export interface JoinedValue {
  readonly id: string;
  readonly rate: number | null;
}

/** A record of the left side, and one of the right side or none. */
export interface PairValue {
  readonly left: string;
  readonly right: string | null;
}

export interface WindowValue {
  readonly n: number;
}

export interface UidValue {
  readonly id: string;
  readonly uid: number;
}

/** Header of `echo` and `uid`: `<partition>:<offset>` of the input. */
export const SOURCE_HEADER = 'source';
/** Key of the counter in the store `uids`. */
export const UID_KEY = 'next';
const BARRIER = '~barrier-';
/** How the key of the record begins that closes the windows of a partition; it lies behind everything else. */
export function barrierPrefix(partition: number): string {
  return `${BARRIER}${partition}-`;
}

/** On which side of the join of two streams a record is, if on any. Barriers have to get there, since they move its time. */
export function sideOf(key: string, { v }: Pick<LedgerEntry, 'v'>): 'left' | 'right' | undefined {
  if (key.startsWith(BARRIER) || v % 4 === 3) return 'right';
  return v % 4 === 1 ? 'left' : undefined;
}

/** The key behind the repartition topic. */
export function groupOf(key: string): string {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (hash * 31 + key.charCodeAt(i)) % 1_000_003;
  return `g${hash % GROUPS}`;
}

/** The key under which a closed window is written. */
export function windowKey(key: string, start: number): string {
  return `${key}@${start}`;
}
