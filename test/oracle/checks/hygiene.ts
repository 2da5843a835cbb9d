import type { Evidence, Finding, ResourceSample, WorkerEvidence } from '../evidence/evidence.ts';

/** Long enough for a machine that stands still for some seconds; what keeps a process alive keeps it for longer. */
const LINGER_MS_MAX = 10_000;
/** Below this time growth says nothing: the heap is a saw. */
const GROWTH_TIME_MS = 600_000;
const GROWTH_BYTES_PER_MINUTE = 1024 * 1024;
/** Below this time the connections of the start and of single faults are what is seen. */
const DESCRIPTOR_TIME_MS = 120_000;
/** Connections come and go; more than so many in addition to a sixth are a leak. */
const DESCRIPTORS_SLACK = 8;

/** V12: processes end as they should and by themselves, leave nothing open, and do not grow. */
export function hygiene({ workers }: Evidence): Finding[] {
  return workers.flatMap((worker) =>
    defectsOf(worker).map((message) => ({ check: 'V12' as const, where: worker.name, message })),
  );
}

function defectsOf(worker: WorkerEvidence): string[] {
  const { expectedEnd, leftOpen, lingeredMs, unhandled, samples } = worker;
  const defects = unhandled.map((text) => `unhandled: ${text}`);
  if (!endedAs(worker)) defects.push(`ended with code ${worker.exitCode} and signal ${worker.signal}, expected ${expectedEnd}`);
  if (leftOpen.length > 0) defects.push(`left open: ${leftOpen.join(', ')}`);
  if (lingeredMs > LINGER_MS_MAX) defects.push(`lived on for ${lingeredMs} ms after the application had ended`);
  return [...defects, ...growth(samples), ...descriptors(samples)];
}

function endedAs({ expectedEnd, exitCode, signal }: WorkerEvidence): boolean {
  if (expectedEnd === 'killed') return signal === 'SIGKILL';
  return signal === null && exitCode === (expectedEnd === 'clean' ? 0 : 1);
}

function growth(samples: readonly ResourceSample[]): string[] {
  // The first third is the start: caches and the heap of a young process fill up.
  const later = samples.slice(Math.floor(samples.length / 3));
  if (spanMs(later) < GROWTH_TIME_MS) return [];
  const perMinute = slope(later) * 60_000;
  return perMinute > GROWTH_BYTES_PER_MINUTE ? [`memory grows by ${Math.round(perMinute / 1024)} KiB a minute`] : [];
}

function spanMs(samples: readonly ResourceSample[]): number {
  return (samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0);
}

/** Least squares, bytes per millisecond. */
function slope(samples: readonly ResourceSample[]): number {
  const meanAt = mean(samples.map(({ atMs }) => atMs));
  const meanBytes = mean(samples.map(({ rssBytes }) => rssBytes));
  let [above, below] = [0, 0];
  for (const { atMs, rssBytes } of samples) {
    above += (atMs - meanAt) * (rssBytes - meanBytes);
    below += (atMs - meanAt) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

function descriptors(samples: readonly ResourceSample[]): string[] {
  if (spanMs(samples) < DESCRIPTOR_TIME_MS) return [];
  const third = Math.floor(samples.length / 3);
  // The first third is the start: connections are being made.
  const middle = mean(samples.slice(third, 2 * third).map(({ fileDescriptors }) => fileDescriptors));
  const end = mean(samples.slice(-third).map(({ fileDescriptors }) => fileDescriptors));
  if (end <= middle * (7 / 6) + DESCRIPTORS_SLACK) return [];
  return [`file descriptors grow from ${Math.round(middle)} to ${Math.round(end)}`];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
