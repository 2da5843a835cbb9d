/** One run, as `run.mjs` of the benchmark kit writes it; figures that a kind of run does not have are absent. */
export interface KitResult {
  readonly name: string;
  readonly workload: string;
  readonly guarantee: string;
  readonly complete: boolean;
  readonly verified?: boolean;
  readonly unanswered?: number;
  readonly [figure: string]: unknown;
}

interface Figure {
  readonly name: string;
  readonly title: string;
}

const FIGURES: readonly Figure[] = [
  { name: 'appCpuPerMTail', title: 'CPU-s/M tail' },
  { name: 'appCpuPerMTotal', title: 'CPU-s/M whole run' },
  { name: 'recPerSec', title: 'records/s' },
  { name: 'rssMb', title: 'peak RSS MB' },
  { name: 'restorePerSec', title: 'restored/s' },
  { name: 'secondsToRunning', title: 's to running' },
  { name: 'appCpuPerM', title: 'CPU-s/M' },
  { name: 'p50', title: 'p50 ms' },
  { name: 'p99', title: 'p99 ms' },
];

const OURS = 'millrace';
const THEIRS = 'java-streams';

/**
 * A Markdown table of medians with their range, ours beside the reference's, and their ratio. Only runs that completed and
 * whose output was verified count; how many did stands in the column `runs`.
 */
export function kitTable(results: readonly KitResult[]): string {
  const head = '| workload | guarantee | figure | Millrace | Kafka Streams | ratio | runs |\n|---|---|---|---|---|---|---|';
  const groups = new Map<string, KitResult[]>();
  for (const result of results) {
    const group = `${result.workload} | ${result.guarantee}`;
    groups.set(group, [...(groups.get(group) ?? []), result]);
  }
  return [head, ...[...groups].flatMap(([group, runs]) => rowsOf(group, runs))].join('\n');
}

function rowsOf(group: string, runs: readonly KitResult[]): string[] {
  const [ours, theirs] = [OURS, THEIRS].map((name) => runs.filter((run) => run.name === name)) as [KitResult[], KitResult[]];
  const counts = [ours, theirs].map((all) => `${all.filter(isValid).length}/${all.length}`).join(' : ');
  return FIGURES.flatMap(({ name, title }) => {
    const [mine, other] = [figuresOf(ours, name), figuresOf(theirs, name)];
    if (mine.length === 0 && other.length === 0) return [];
    const ratio = mine.length === 0 || other.length === 0 ? '–' : (median(mine) / median(other)).toFixed(2);
    return [`| ${group} | ${title} | ${spread(mine)} | ${spread(other)} | ${ratio} | ${counts} |`];
  });
}

function isValid({ complete, verified, unanswered }: KitResult): boolean {
  return complete && (verified === true || unanswered === 0);
}

function figuresOf(runs: readonly KitResult[], name: string): number[] {
  return runs
    .filter(isValid)
    .map((run) => run[name])
    .filter((value): value is number => typeof value === 'number')
    .sort((a, b) => a - b);
}

function median(sorted: readonly number[]): number {
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

function spread(sorted: readonly number[]): string {
  if (sorted.length === 0) return '–';
  return `${short(median(sorted))} (${short(sorted[0] as number)}–${short(sorted.at(-1) as number)})`;
}

function short(value: number): string {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}
