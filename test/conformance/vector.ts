/** A conformance vector, as `shared/vectors/README.md` defines it. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [field: string]: Json };

/** `"name"` or `["name", argument]`. */
export type FunctionRef = string | readonly [name: string, argument: Json];

export interface WindowedKeyJson {
  readonly key: string;
  readonly start: number;
  /** Null for an unlimited window. */
  readonly end: number | null;
}

export type KeyJson = string | null | WindowedKeyJson;

export type HeaderJson = readonly [name: string, text: string];

export interface WindowJson {
  readonly type: 'tumbling' | 'hopping' | 'sliding' | 'session' | 'unlimited' | 'timeDifference';
  readonly sizeMs?: number;
  readonly advanceMs?: number;
  readonly gapMs?: number;
  readonly timeDifferenceMs?: number;
  readonly startMs?: number;
  readonly graceMs?: number;
  readonly beforeMs?: number;
  readonly afterMs?: number;
}

export interface StoreJson {
  readonly name?: string;
  readonly kind?: string;
  readonly caching?: boolean;
  readonly logging?: boolean;
  readonly inMemory?: boolean;
  readonly retentionMs?: number;
  readonly windowSizeMs?: number;
  readonly retainDuplicates?: boolean;
  readonly versionedMs?: number;
  readonly historyMs?: number;
  readonly maxEntries?: number;
}

export interface BranchJson {
  readonly id: string;
  readonly fn: FunctionRef;
  readonly name?: string;
  readonly plain?: boolean;
  readonly mapKey?: string;
}

export interface StepJson {
  readonly id?: string;
  readonly op: string;
  readonly from?: string;
  readonly with?: string;
  readonly name?: string;
  readonly topic?: string;
  readonly topics?: readonly string[];
  readonly pattern?: string;
  readonly timestampField?: string;
  readonly store?: string | StoreJson;
  readonly fn?: FunctionRef;
  readonly key?: FunctionRef;
  readonly value?: FunctionRef;
  readonly branches?: readonly BranchJson[];
  readonly default?: Omit<BranchJson, 'fn'>;
  readonly partitions?: number;
  readonly processor?: FunctionRef;
  readonly stores?: readonly string[];
  readonly grouped?: string;
  readonly window?: WindowJson;
  readonly emit?: 'onWindowClose' | 'onWindowUpdate';
  readonly reducer?: FunctionRef;
  readonly adder?: FunctionRef;
  readonly subtractor?: FunctionRef;
  readonly transformer?: FunctionRef;
  readonly init?: Json;
  readonly aggregator?: FunctionRef;
  readonly merger?: FunctionRef;
  readonly joiner?: FunctionRef;
  readonly storeName?: string;
  readonly graceMs?: number;
  readonly foreignKey?: FunctionRef;
  readonly until?: 'windowCloses' | 'timeLimit';
  readonly limitMs?: number;
  readonly buffer?: { readonly maxRecords: number; readonly whenFull: 'emit' | 'shutDown' };
}

export interface RecordInputJson {
  readonly topic: string;
  readonly key: string | null;
  readonly value: Json;
  readonly ts: number;
  readonly headers?: readonly HeaderJson[];
}

export type InputJson = RecordInputJson | { readonly advanceWallClockMs: number };

export interface OutputJson {
  readonly key: KeyJson;
  readonly value: Json;
  readonly ts: number;
  readonly headers?: readonly HeaderJson[];
  /** Index of the input during which the record came. */
  readonly at: number;
}

export interface StoreEntryJson {
  readonly key: KeyJson;
  readonly value: Json;
  readonly ts?: number;
}

export interface StoreContentJson {
  readonly kind: string;
  readonly entries: readonly StoreEntryJson[];
}

export interface Vector {
  readonly name: string;
  readonly about: string;
  readonly config?: {
    readonly optimization?: 'none' | 'all';
    readonly cacheMaxBytes?: number;
    readonly emitIntervalMs?: number;
    readonly wallClockStartMs?: number;
  };
  readonly topology: readonly StepJson[];
  readonly inputs: readonly InputJson[];
  readonly outputs?: { readonly [topic: string]: readonly OutputJson[] };
  readonly stores?: { readonly [name: string]: StoreContentJson };
  readonly droppedRecords?: number;
  readonly ignoreDropped?: boolean;
  readonly storeDependent?: boolean;
  readonly expectError?: {
    readonly phase: 'build' | 'run';
    readonly at?: number;
    readonly class: string;
    readonly message: string;
  };
  readonly describe?: string;
}
