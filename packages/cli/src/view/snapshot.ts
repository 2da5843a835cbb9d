import type { AppState } from 'millrace';
import type { RestoreView } from './restore-board.ts';

/** A total since the process started, and how fast it grows now. */
export interface Flow {
  readonly total: number;
  readonly perSecond: number;
}

export type TaskPhase = 'restoring' | 'running';

export interface TaskView {
  readonly id: string;
  readonly phase: TaskPhase;
}

/** Everything that the view shows, at one moment: plain data. What the application does not measure is absent. */
export interface ViewSnapshot {
  readonly applicationId: string;
  readonly brokers: readonly string[];
  readonly guarantee: string;
  readonly state: AppState;
  /** Since when it has been in this state. */
  readonly stateForMs: number;
  readonly tasks: readonly TaskView[];
  readonly restores: readonly RestoreView[];
  readonly recordsIn: Flow;
  readonly recordsOut: Flow | undefined;
  readonly commits: Flow | undefined;
  readonly dropped: number;
  /** Records behind the end of the input, over all tasks of this worker. */
  readonly lag: number | undefined;
}
