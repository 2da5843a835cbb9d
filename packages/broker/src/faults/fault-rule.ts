/**
 * What happens to a request instead of, before or after its work.
 *
 * - `error`: it is refused with the code and nothing is applied
 * - `delay`: it is applied so much later; requests behind it on the connection wait too
 * - `cut-before`: the connection is closed and nothing is applied
 * - `cut-after`: it is applied, but the connection is closed in place of the response
 * - `truncate`: it is applied, but the connection is closed behind so many bytes of the response, length and header included
 */
export type Fault =
  | { readonly kind: 'error'; readonly errorCode: number }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'cut-before' }
  | { readonly kind: 'cut-after' }
  | { readonly kind: 'truncate'; readonly bytes: number };

/** Which requests a fault hits. What is left out does not matter. */
export interface FaultRule {
  /** Name of the API in Kafka's protocol: `Produce`, `EndTxn`. */
  readonly api: string;
  readonly version?: number;
  /** Only requests that name this topic. */
  readonly topic?: string;
  /** How many matching requests go by before the first is hit. Default 0. */
  readonly skip?: number;
  /** How many requests are hit. Default 1; `Infinity` for all. */
  readonly times?: number;
  readonly fault: Fault;
}

/** The faults of a running broker, for tests. */
export interface Faults {
  /** Adds a rule. Of several that match a request, the one added first hits it. Returns a function that takes it back. */
  add(rule: FaultRule): () => void;
  /** Takes all rules back. */
  clear(): void;
}
