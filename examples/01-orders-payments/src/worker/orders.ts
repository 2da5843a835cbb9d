import type { AppState } from 'millrace';

/** What a worker process is told, as JSON in its only argument. */
export interface WorkerOrders {
  readonly name: string;
  readonly applicationId: string;
  readonly brokers: readonly string[];
  readonly stateDir: string;
  readonly topicPrefix: string;
}

/** What a worker process says of itself several times a second. */
export interface WorkerReport {
  readonly state: AppState;
  /** Committed since it started. */
  readonly transactions: number;
}

/** The only thing that can be said to a worker: commit, leave the group, end. */
export const STOP = 'stop';
