/** What a memory budget is divided into. Unit bytes. */
export interface MemoryShares {
  /** Rows that are not committed yet, record caches among them. */
  readonly cacheMaxBytes: number;
  /** Unchanged rows in front of the state engine. */
  readonly stateCacheBytes: number;
  /** Input that has been fetched and waits. */
  readonly inputBufferMaxBytes: number;
}

/** Below this the shares are too small to work with. */
export const BUDGET_BYTES_MIN = 16 * 1024 * 1024;

const NAMES = ['cacheMaxBytes', 'stateCacheBytes', 'inputBufferMaxBytes'] as const;

/** A quarter stays free for outputs on their way to the brokers, whose number only the program decides. */
const DIVIDED = 0.75;

/**
 * Divides a budget: shares that were given stay as they are, the others get equal parts of what is left.
 *
 * @param budgetBytes at least `BUDGET_BYTES_MIN`
 * @param given shares that the user has set on their own
 */
export function divideBudget(budgetBytes: number, given: Partial<MemoryShares>): MemoryShares {
  const open = NAMES.filter((name) => given[name] === undefined);
  const part = Math.floor(Math.max(0, budgetBytes * DIVIDED - sumOf(given)) / Math.max(1, open.length));
  return {
    cacheMaxBytes: given.cacheMaxBytes ?? part,
    stateCacheBytes: given.stateCacheBytes ?? part,
    inputBufferMaxBytes: given.inputBufferMaxBytes ?? part,
  };
}

/** Why a budget cannot be kept; empty when it can. */
export function budgetProblems(budgetBytes: number, given: Partial<MemoryShares>): string[] {
  if (budgetBytes < BUDGET_BYTES_MIN)
    return [`memoryBudgetBytes: ${budgetBytes}; give 0 for none, or at least ${BUDGET_BYTES_MIN}`];
  const sum = sumOf(given);
  const most = Math.floor(budgetBytes * DIVIDED);
  const names = NAMES.filter((name) => given[name] !== undefined);
  const isTooMuch = names.length === NAMES.length ? sum > most : sum >= most;
  if (!isTooMuch) return [];
  return [
    `memoryBudgetBytes: ${budgetBytes}; ${names.join(', ')} alone take ${sum} of the ${most} that it leaves beside outputs on their way: raise it, or lower them`,
  ];
}

function sumOf(given: Partial<MemoryShares>): number {
  return NAMES.reduce((sum, name) => sum + (given[name] ?? 0), 0);
}
