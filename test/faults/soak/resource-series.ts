import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { dirname } from 'node:path';
import type { LedgerEvent } from '../ledger/ledger-worker.ts';

export const RESOURCES = ['rssBytes', 'heapUsedBytes', 'externalBytes', 'fileDescriptors', 'handles'] as const;
export type Resource = (typeof RESOURCES)[number];

/** What a process had in use at one moment. */
export type ResourceUse = Readonly<Record<Resource, number>>;

interface Sample extends ResourceUse {
  readonly atMs: number;
}

/** A part of the run. Unit ms since the epoch; the end is not part of it. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Three parts of equal length. */
export function thirdsOf({ fromMs, toMs }: Span): [Span, Span, Span] {
  const at = (n: number): number => fromMs + (n * (toMs - fromMs)) / 3;
  return [
    { fromMs: at(0), toMs: at(1) },
    { fromMs: at(1), toMs: at(2) },
    { fromMs: at(2), toMs },
  ];
}

function isIn({ fromMs, toMs }: Span, atMs: number): boolean {
  return fromMs <= atMs && atMs < toMs;
}

/** Remembers what the workers had in use all the time, and writes it to a file as it comes, a JSON object a line. */
export class ResourceSeries {
  readonly #file: WriteStream;
  readonly #samples = new Map<string, Sample[]>();
  readonly #rebalances: { readonly worker: string; readonly atMs: number }[] = [];

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#file = createWriteStream(path);
  }

  /** Takes what is about resources and rebalances from what a worker says. */
  hear(worker: string, { event, state, atMs, ...fields }: LedgerEvent): void {
    if (event === 'state' && state === 'rebalancing') {
      this.#rebalances.push({ worker, atMs });
      this.note({ event: 'rebalance', atMs, worker });
    }
    if (event !== 'sample') return;
    const { rssBytes = 0, heapUsedBytes = 0, externalBytes = 0, fileDescriptors = 0, handles = 0 } = fields;
    const sample: Sample = { atMs, rssBytes, heapUsedBytes, externalBytes, fileDescriptors, handles };
    const own = this.#samples.get(worker);
    if (own === undefined) this.#samples.set(worker, [sample]);
    else own.push(sample);
    this.note({ event, worker, ...sample });
  }

  /** Adds a line to the file. */
  note(line: object): void {
    this.#file.write(`${JSON.stringify(line)}\n`);
  }

  get workers(): string[] {
    return [...this.#samples.keys()].sort();
  }

  rebalances(span: Span): number {
    return this.#rebalances.filter(({ atMs }) => isIn(span, atMs)).length;
  }

  /** The median of each resource; undefined when the worker was not there. */
  medians(worker: string, span: Span): ResourceUse | undefined {
    const samples = (this.#samples.get(worker) ?? []).filter(({ atMs }) => isIn(span, atMs));
    if (samples.length === 0) return undefined;
    const medianOf = (resource: Resource): number => median(samples.map((sample) => sample[resource]));
    return Object.fromEntries(RESOURCES.map((resource) => [resource, medianOf(resource)])) as Record<Resource, number>;
  }

  async close(): Promise<void> {
    this.#file.end();
    await finished(this.#file);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
