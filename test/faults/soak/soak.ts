import { seededRandom, systemClock } from '@millrace/core';
import { BrokerProcess } from '../../integration/embedded/broker-process.ts';
import { FaultRun, TIMES } from '../rig/fault-run.ts';
import { describeFault, FaultPlan, type FaultKind, type Round, SPARED } from './fault-plan.ts';
import { growthBetween } from './flatness.ts';
import { Nemesis } from './nemesis.ts';
import { ResourceSeries, type Span, thirdsOf } from './resource-series.ts';
import { describeThirds, type Passage } from './soak-table.ts';

export interface SoakOptions {
  readonly minutes: number;
  /** Of the faults and of the input. */
  readonly seed: number;
  readonly recordsPerSecond: number;
  /** Default: a development broker of its own, which is killed now and then. */
  readonly brokers?: string | undefined;
  /** Where samples, faults and rebalances are written, a JSON object a line. */
  readonly seriesPath: string;
  /** Takes a line about what happens. */
  readonly say: (line: string) => void;
}

export interface SoakResult {
  readonly table: string;
  /** What is wrong; nothing when all is right. */
  readonly defects: readonly string[];
  /** What the workers have said. */
  readonly log: string;
}

/** Below this time growth says nothing: what is seen is how a young process fills its caches. The oracle's rule has the same. */
const GROWTH_MINUTES_MIN = 15;
/** It is drained after every round too; the last one has its quiet time in it, and may find a machine that does something else. */
const DRAIN_LIMIT_MS = 45_000;

/** A round that is over. */
interface Past {
  readonly atMs: number;
  readonly written: number;
  readonly faults: number;
  readonly recoveredAfterMs: number;
}

/**
 * Hours in minutes: the ledger under a steady load on three processes with a standby, all kinds of faults at random with quiet
 * times between them, and the oracle in the end. One worker is never killed: it shows whether anything grows.
 */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const series = new ResourceSeries(options.seriesPath);
  await using broker = options.brokers === undefined ? await BrokerProcess.start() : undefined;
  try {
    return await soakOn(options, series, broker);
  } finally {
    await series.close();
  }
}

async function soakOn(options: SoakOptions, series: ResourceSeries, broker: BrokerProcess | undefined): Promise<SoakResult> {
  const { say, seed, minutes } = options;
  await using run = await FaultRun.start({
    brokers: options.brokers ?? (broker as BrokerProcess).brokers,
    seed,
    drainLimitMs: DRAIN_LIMIT_MS,
    settings: { numStandbyReplicas: 1 },
    onEvent: (worker, event) => series.hear(worker, event),
  });
  try {
    const nemesis = new Nemesis(run, broker);
    await nemesis.start();
    const fromMs = systemClock.nowMs();
    const past = await rounds(options, run, nemesis, broker === undefined ? ['broker'] : [], series);
    const toMs = systemClock.nowMs();
    const passages = passagesOf(past, { fromMs, toMs });
    say(`the load is over after ${run.source.written} records; everything stops, and the oracle judges`);
    const { verdict, abortedRecords, evidence } = await run.conclude();
    say(`${abortedRecords} records were written in transactions that were aborted`);
    const entries = [...evidence.logs.values()].reduce((sum, log) => sum + log.entries.length, 0);
    const peakMib = Math.round(process.resourceUsage().maxRSS / 1024);
    say(`${entries} log entries judged ${secondsSince(toMs)} s after the end of the load, with ${peakMib} MiB of memory at most`);
    const defects = [verdict, ...hits(abortedRecords), ...(minutes < GROWTH_MINUTES_MIN ? [] : growth(series, passages))];
    return { table: describeThirds(series, passages), defects: defects.filter((defect) => defect !== ''), log: run.log };
  } catch (error) {
    return { table: '', defects: [String(error).slice(0, 4000)], log: run.log };
  }
}

/** Faults and quiet times, until the time is over; and until one has certainly aborted something, however short the time is. */
async function rounds(
  options: SoakOptions,
  run: FaultRun,
  nemesis: Nemesis,
  without: readonly FaultKind[],
  series: ResourceSeries,
): Promise<Past[]> {
  const plan = new FaultPlan(seededRandom(options.seed), TIMES.sessionTimeoutMs, without);
  const deadline = systemClock.monotonicMs() + options.minutes * 60_000;
  const past: Past[] = [];
  run.source.feed(options.recordsPerSecond);
  while (systemClock.monotonicMs() < deadline || nemesis.killsInCommit === 0) {
    const round = plan.next();
    past.push(await oneRound(round, past.length + 1, { run, nemesis, series, say: options.say }));
  }
  return past;
}

interface Scene extends Pick<SoakOptions, 'say'> {
  readonly run: FaultRun;
  readonly nemesis: Nemesis;
  readonly series: ResourceSeries;
}

async function oneRound({ faults, quietMs }: Round, number: number, { run, nemesis, series, say }: Scene): Promise<Past> {
  const before = run.source.written;
  const atMs = systemClock.nowMs();
  for (const fault of faults) series.note({ event: 'fault', atMs, ...fault });
  await nemesis.strike(faults);
  const recoveredAfterMs = await nemesis.recovered();
  await systemClock.sleep(quietMs);
  const { written } = run.source;
  if (written === before) await run.source.rest();
  const what = faults.map(describeFault).join(' + ');
  say(`round ${number}: ${what}; recovered in ${(recoveredAfterMs / 1000).toFixed(1)} s; ${written} records`);
  series.note({ event: 'round', atMs: systemClock.nowMs(), number, recoveredAfterMs, written });
  return { atMs, written: written - before, faults: faults.length, recoveredAfterMs };
}

function passagesOf(past: readonly Past[], span: Span): Passage[] {
  return thirdsOf(span).map((third) => {
    const own = past.filter(({ atMs }) => third.fromMs <= atMs && atMs < third.toMs);
    const sum = (of: (round: Past) => number): number => own.reduce((total, round) => total + of(round), 0);
    return {
      span: third,
      records: sum(({ written }) => written),
      faults: sum(({ faults }) => faults),
      slowestRecoveryMs: Math.max(0, ...own.map(({ recoveredAfterMs }) => recoveredAfterMs)),
    };
  });
}

function secondsSince(atMs: number): number {
  return Math.round((systemClock.nowMs() - atMs) / 1000);
}

/** Faults that abort nothing have hit nothing. */
function hits(abortedRecords: number): string[] {
  return abortedRecords > 0 ? [] : ['no transaction was aborted: the faults have missed'];
}

function growth(series: ResourceSeries, passages: readonly Passage[]): string[] {
  const [second, last] = passages.slice(1).map(({ span }) => series.medians(SPARED, span));
  if (second === undefined || last === undefined) return [`${SPARED} was not there all the time`];
  return growthBetween(second, last).map((defect) => `worker ${SPARED}: ${defect}`);
}
