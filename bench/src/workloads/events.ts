/** The records of the B workloads, as `Workload.java` of the benchmark kit makes them. Never changed in place. */

/** b1 (with `seq`) and b3 (without). */
export interface Reading {
  readonly id: string;
  readonly ts: number;
  readonly seq: number;
  readonly valueInW: number;
}

/** b2a, b2c, b2d, b6, b7. */
export interface Event {
  readonly id: string;
  readonly ts: number;
  readonly seq: number;
  readonly note: string;
}
