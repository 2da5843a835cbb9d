import type { Serde } from '@millrace/core';
import { LogicalGraph } from '../graph/logical-graph.ts';
import { Names } from '../graph/names.ts';

export interface DefaultSerdes {
  readonly key: Serde<unknown> | undefined;
  readonly value: Serde<unknown> | undefined;
}

/** What all streams and tables of one builder share. */
export class DslContext {
  readonly graph = new LogicalGraph();
  readonly names = new Names();
  /** For operators whose serdes cannot be inferred. */
  readonly defaults: DefaultSerdes;

  constructor(defaults: DefaultSerdes) {
    this.defaults = defaults;
  }
}
