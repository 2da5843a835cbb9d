import {
  addOffsetsToTxn,
  endTxn,
  fetch,
  heartbeat,
  initProducerId,
  joinGroup,
  offsetCommit,
  produce,
  syncGroup,
  txnOffsetCommit,
} from '@millrace/wire';
import type { Choices } from './seeded-choices.ts';

/** Around a request: before the broker has it, after it was applied and before the answer is there, after the answer is there. */
export type Moment = 'unsent' | 'unanswered' | 'answered';

/**
 * Right before an event for which the code waits in the n-th place that a process comes to, when it waits there for the v-th time.
 * Each event of a process is one of these, and so is each await that waits for anything outside.
 */
export interface Step {
  readonly place: number;
  readonly visit: number;
}

/** At a time of the run; from that time on with the n-th request of a kind, or at a step of a process. */
export interface When {
  readonly atMs: number;
  readonly step?: Step;
  readonly request?: { readonly api: string; readonly apiKey: number; readonly nth: number; readonly moment: Moment };
}

/** What a worker that is started again finds on its disk. */
export type DiskAfter = 'same' | 'empty' | 'older';

export type FaultKind =
  | { readonly kind: 'crash'; readonly downMs: number; readonly disk: DiskAfter; readonly losesSent: boolean }
  | { readonly kind: 'stop'; readonly downMs: number }
  | { readonly kind: 'pause'; readonly forMs: number }
  | { readonly kind: 'cut'; readonly connection: number | undefined }
  | { readonly kind: 'hold'; readonly forMs: number }
  | { readonly kind: 'slow'; readonly byMaxMs: number; readonly forMs: number }
  | { readonly kind: 'clock'; readonly byMs: number }
  | { readonly kind: 'full-disk'; readonly forMs: number }
  | { readonly kind: 'slow-record'; readonly forMs: number }
  | { readonly kind: 'broker-crash'; readonly downMs: number }
  | { readonly kind: 'move'; readonly what: 'group' | 'leader'; readonly node: number; readonly partition: number };

/** Something that goes wrong. */
export type Fault = FaultKind & { readonly number: number; readonly worker: number; readonly when: When };

export interface FaultPlanOptions {
  readonly workers: number;
  readonly faultsMs: number;
  readonly nodes: number;
  readonly partitions: number;
}

/** Requests that a fault may be tied to: the steps of a commit more often than the rest. */
const REQUESTS = [
  produce,
  produce,
  endTxn,
  endTxn,
  endTxn,
  txnOffsetCommit,
  txnOffsetCommit,
  addOffsetsToTxn,
  offsetCommit,
  initProducerId,
  joinGroup,
  syncGroup,
  heartbeat,
  fetch,
] as const;

const SESSION_MS = 6000;
/** About as many as a process comes to. */
const PLACES_MAX = 34;

/** What goes wrong in a run: a few faults, some of them close together. */
export function planFaults(choices: Choices, options: FaultPlanOptions): Fault[] {
  const count = choices.between(1, 7);
  const faults: Fault[] = [];
  for (let number = 0; number < count; number++) {
    const last = faults.at(-1)?.when.atMs;
    const isClose = last !== undefined && choices.chance(0.3);
    const atMs = isClose ? last + choices.between(1, 1500) : choices.between(0, options.faultsMs);
    const kind = planKind(choices, options);
    const when = planMoment(choices, kind.kind, atMs);
    faults.push({ ...kind, number, worker: choices.between(0, options.workers - 1), when });
  }
  return faults;
}

/** A crash at some await, at a rare one as likely as at one that comes all the time. First visits are favoured: some places have no other. */
export function planCrashAtStep(choices: Choices, { workers, faultsMs }: FaultPlanOptions, number: number): Fault {
  const step = {
    place: choices.between(1, PLACES_MAX),
    visit: choices.oneOf([1, 1, 1, 2, choices.between(3, 30)]),
  };
  return {
    kind: 'crash',
    downMs: choices.between(20, 3000),
    disk: choices.oneOf(['same', 'same', 'empty', 'older']),
    losesSent: choices.chance(0.5),
    number,
    worker: choices.between(0, workers - 1),
    when: { atMs: choices.chance(0.7) ? 0 : choices.between(0, faultsMs), step },
  };
}

function planKind(choices: Choices, { nodes, partitions }: FaultPlanOptions): FaultKind {
  const shortMs = choices.between(20, 3000);
  const longMs = SESSION_MS + choices.between(500, 6000);
  const eitherMs = choices.chance(0.5) ? shortMs : longMs;
  switch (
    choices.oneOf([
      'crash',
      'crash',
      'crash',
      'crash',
      'pause',
      'pause',
      'cut',
      'cut',
      'hold',
      'slow',
      'stop',
      'stop',
      'clock',
      'full-disk',
      'slow-record',
      'broker-crash',
      'move',
    ] as const)
  ) {
    case 'crash':
      return {
        kind: 'crash',
        downMs: eitherMs,
        disk: choices.oneOf(['same', 'same', 'empty', 'older']),
        losesSent: choices.chance(0.5),
      };
    case 'stop':
      return { kind: 'stop', downMs: shortMs };
    case 'pause':
      return { kind: 'pause', forMs: choices.chance(0.7) ? longMs : shortMs };
    case 'cut':
      return { kind: 'cut', connection: choices.chance(0.5) ? undefined : choices.between(0, 7) };
    case 'hold':
      return { kind: 'hold', forMs: eitherMs };
    case 'slow':
      return { kind: 'slow', byMaxMs: choices.oneOf([50, 400, 2000]), forMs: longMs };
    case 'clock':
      return { kind: 'clock', byMs: choices.oneOf([-3_600_000, -5000, 5000, 3_600_000]) };
    case 'full-disk':
      return { kind: 'full-disk', forMs: eitherMs };
    case 'slow-record':
      return { kind: 'slow-record', forMs: choices.chance(0.5) ? shortMs : 1.5 * SESSION_MS };
    case 'broker-crash':
      return { kind: 'broker-crash', downMs: choices.between(20, 4000) };
    case 'move':
      return {
        kind: 'move',
        what: choices.oneOf(['group', 'leader']),
        node: choices.between(1, nodes),
        partition: choices.between(0, partitions - 1),
      };
  }
}

/** Some kinds make sense only at a request. */
function planMoment(choices: Choices, kind: Fault['kind'], atMs: number): When {
  const canTie = ['crash', 'pause', 'cut', 'hold', 'broker-crash', 'move'].includes(kind);
  if (kind !== 'hold' && !(canTie && choices.chance(0.65))) return { atMs };
  const { name, key } = choices.oneOf(REQUESTS);
  const moment = choices.oneOf<Moment>(['unsent', 'unanswered', 'answered']);
  return { atMs, request: { api: name, apiKey: key, nth: choices.between(1, 4), moment } };
}
