import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningApplication, StoreNotHereError, StreamsError } from 'millrace';
import { TWIN } from './stamping.ts';
import { report } from './worker-report.ts';

/** What a worker asks its own stamps, over and over. */
export interface AskingOrders {
  /** The keys are `key-0` to the last of so many. */
  readonly keys: number;
}

/** What has come of the questions since the last report. */
export interface Asked {
  /** `<key>=<stamp>` of each that was seen for the first time. */
  seen: string[];
  answers: number;
  scans: number;
  /** Scans in which a key and its twin had different stamps. */
  torn: number;
  /** Keys that were there before, and then were said not to be. */
  forgotten: number;
  /** How often questions were refused, by code. */
  refused: { [code: string]: number };
  /** Where they were referred to. */
  owners: string[];
}

const nothing = (): Asked => ({ seen: [], answers: 0, scans: 0, torn: 0, forgotten: 0, refused: {}, owners: [] });

/** Asks the store `stamps` of the application as long as it lives, and reports what it hears. */
export async function keepAsking(app: RunningApplication, { keys }: AskingOrders): Promise<void> {
  const stamps = app.queries.keyValueStore<string, string>('stamps');
  const known = new Map<string, Set<string>>();
  let asked = nothing();
  const isAlive = (): boolean => app.state === 'running' || app.state === 'rebalancing';
  const note = (key: string, stamp: string): void => {
    const before = known.get(key);
    if (before?.has(stamp) === true) return;
    known.set(key, (before ?? new Set()).add(stamp));
    asked.seen.push(`${key}=${stamp}`);
  };
  const get = async (key: string): Promise<void> => {
    const stamp = await stamps.get(key);
    asked.answers++;
    if (stamp !== undefined) note(key, stamp);
    else if (known.has(key)) asked.forgotten++;
  };
  const scan = async (): Promise<void> => {
    const rows = new Map<string, string>();
    for await (const [key, stamp] of stamps.all()) rows.set(key, stamp);
    asked.scans++;
    let isTorn = false;
    for (const [key, stamp] of rows) {
      if (key.startsWith(TWIN)) continue;
      note(key, stamp);
      isTorn ||= rows.get(TWIN + key) !== stamp;
    }
    if (isTorn) asked.torn++;
  };
  for (let round = 0; isAlive(); round++) {
    await refusable(asked, () => get(`key-${round % keys}`));
    if (round % 10 === 0 && isAlive()) await refusable(asked, scan);
    if (round % 50 !== 0) continue;
    report('asked', { asked });
    asked = nothing();
    // Not more than whoever reads the reports can keep up with.
    await sleep(20);
  }
  report('asked', { asked });
}

async function refusable(asked: Asked, question: () => Promise<void>): Promise<void> {
  try {
    await question();
  } catch (error) {
    const code = error instanceof StreamsError ? error.code : String(error);
    asked.refused[code] = (asked.refused[code] ?? 0) + 1;
    if (error instanceof StoreNotHereError && error.owner !== undefined && !asked.owners.includes(error.owner))
      asked.owners.push(error.owner);
    await sleep(1);
  }
}
