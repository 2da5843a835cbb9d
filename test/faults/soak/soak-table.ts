import type { ResourceSeries, ResourceUse, Span } from './resource-series.ts';

const MIB = 1024 * 1024;

/** What happened in a part of the run. */
export interface Passage {
  readonly span: Span;
  readonly records: number;
  readonly faults: number;
  readonly slowestRecoveryMs: number;
}

/** Two tables: the run, and the medians of each worker, a line for each third. */
export function describeThirds(series: ResourceSeries, passages: readonly Passage[]): string {
  return [aligned(runRows(series, passages)), '', aligned(workerRows(series, passages))].join('\n');
}

function runRows(series: ResourceSeries, passages: readonly Passage[]): string[][] {
  const rows = passages.map(({ span, records, faults, slowestRecoveryMs }, index) => [
    String(index + 1),
    String(Math.round((records * 1000) / (span.toMs - span.fromMs))),
    String(faults),
    String(series.rebalances(span)),
    (slowestRecoveryMs / 1000).toFixed(1),
  ]);
  return [['third', 'records/s', 'faults', 'rebalances of workers', 'slowest recovery s'], ...rows];
}

function workerRows(series: ResourceSeries, passages: readonly Passage[]): string[][] {
  const rows = series.workers.flatMap((worker) =>
    passages.map(({ span }, index) => [worker, String(index + 1), ...cells(series.medians(worker, span))]),
  );
  return [['worker', 'third', 'RSS MiB', 'heap MiB', 'external MiB', 'descriptors', 'handles'], ...rows];
}

function cells(use: ResourceUse | undefined): string[] {
  if (use === undefined) return ['–', '–', '–', '–', '–'];
  const inMib = (bytes: number): string => (bytes / MIB).toFixed(1);
  const { rssBytes, heapUsedBytes, externalBytes, fileDescriptors, handles } = use;
  return [inMib(rssBytes), inMib(heapUsedBytes), inMib(externalBytes), String(fileDescriptors), String(handles)];
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ')).join('\n');
}
