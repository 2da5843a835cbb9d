import type { Order } from '../topology.ts';
import type { PartitionStanding } from './group-watch.ts';

/** A result as it came out. */
export interface RecentResult {
  readonly what: 'paid' | 'unpaid';
  readonly order: Order;
}

export interface WorkerStanding {
  readonly name: string;
  readonly pid: number;
  readonly state: string;
  readonly transactions: number;
}

/** Everything that a display shows, at one moment: plain data. */
export interface Standing {
  readonly elapsedMs: number;
  readonly orders: number;
  /** How many orders there will be. */
  readonly ordersInAll: number;
  readonly payments: number;
  readonly paid: number;
  readonly unpaid: number;
  readonly partitions: readonly PartitionStanding[];
  readonly workers: readonly WorkerStanding[];
  /** The newest last. */
  readonly recent: readonly RecentResult[];
}

/** Over all workers, also those that are gone. */
export function transactionsOf({ workers }: Standing): number {
  return workers.reduce((sum, { transactions }) => sum + transactions, 0);
}
