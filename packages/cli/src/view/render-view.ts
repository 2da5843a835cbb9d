import type { AppState } from 'millrace';
import type { Palette } from './palette.ts';
import type { RestoreView } from './restore-board.ts';
import type { Flow, TaskView, ViewSnapshot } from './snapshot.ts';

const BAR_WIDTH = 24;
const RESTORES_MAX = 12;
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

export interface RenderOptions {
  readonly palette: Palette;
  /** Width of the terminal; lines do not go beyond it. */
  readonly columns: number;
}

/** The picture of a worker, as lines of text: a pure function of what is known. */
export function renderView(snapshot: ViewSnapshot, { palette, columns }: RenderOptions): string {
  const { applicationId, guarantee, brokers, recordsIn, recordsOut, commits, lag, dropped } = snapshot;
  const row = (name: string, text: string): string => `${palette.dim(name.padEnd(9))}${text}`;
  const lines = [
    `${palette.bold('millrace')} ${applicationId} ${palette.dim(fit(`${guarantee} · ${brokers.join(', ')}`, columns - applicationId.length - 10))}`,
    row('state', `${paintState(snapshot.state, palette)} for ${duration(snapshot.stateForMs)}`),
    row('in', flow(recordsIn, 'records')),
    ...(recordsOut === undefined ? [] : [row('out', flow(recordsOut, 'records'))]),
    ...(commits === undefined ? [] : [row('commits', flow(commits, 'commits'))]),
    ...(lag === undefined ? [] : [row('lag', `${whole.format(lag)} records`)]),
    ...(dropped === 0 ? [] : [row('dropped', palette.yellow(`${whole.format(dropped)} records`))]),
    row('tasks', tasksText(snapshot.tasks, palette, columns - 9)),
    ...restoreLines(snapshot.restores, palette),
  ];
  return lines.join('\n');
}

function paintState(state: AppState, palette: Palette): string {
  if (state === 'running') return palette.green(state);
  return state === 'error' || state === 'pending-error' ? palette.red(state) : palette.yellow(state);
}

function flow({ total, perSecond }: Flow, unit: string): string {
  return `${(perSecond < 100 ? fine : whole).format(perSecond)} ${unit}/s, ${whole.format(total)} in all`;
}

/** All tasks with their phase while they fit on the line, else how many there are of each. */
function tasksText(tasks: readonly TaskView[], palette: Palette, width: number): string {
  if (tasks.length === 0) return palette.dim('none yet');
  const texts = tasks.map(({ id, phase }) => `${id} ${phase}`);
  if (texts.join('  ').length <= width) {
    return tasks.map(({ id, phase }) => `${id} ${phase === 'running' ? palette.green(phase) : palette.yellow(phase)}`).join('  ');
  }
  const running = tasks.filter(({ phase }) => phase === 'running').length;
  const restoring = tasks.length - running;
  return `${running} running${restoring === 0 ? '' : palette.yellow(`, ${restoring} restoring`)}`;
}

function restoreLines(restores: readonly RestoreView[], palette: Palette): string[] {
  const lines = restores.slice(0, RESTORES_MAX).map((restore) => {
    const percent = `${Math.floor(restore.fraction * 100)} %`.padStart(5);
    const where = `${restore.taskId} ${restore.store}`;
    return `${palette.dim('restore  ')}${bar(restore.fraction, palette)} ${percent}  ${where}  ${palette.dim(restoreFigures(restore))}`;
  });
  const hidden = restores.length - lines.length;
  return hidden <= 0 ? lines : [...lines, palette.dim(`         and ${hidden} more`)];
}

function restoreFigures({ restoredRecords, restoredBytes, recordsPerSecond, remainingMs }: RestoreView): string {
  const read = `${whole.format(restoredRecords)} records, ${fine.format(restoredBytes / 1e6)} MB, ${whole.format(recordsPerSecond)}/s`;
  return remainingMs === undefined ? read : `${read}, ${duration(remainingMs)} left`;
}

function bar(fraction: number, palette: Palette): string {
  const filled = Math.round(fraction * BAR_WIDTH);
  return palette.cyan('█'.repeat(filled)) + palette.dim('░'.repeat(BAR_WIDTH - filled));
}

function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** `12 s`, `3 min 05 s`, `2 h 07 min`. */
function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
