/** What a memory budget is divided into. Unit bytes. */
export interface MemoryShares {
  /** Rows that are not committed yet, record caches among them. */
  readonly uncommittedMaxBytes: number;
  /** Unchanged rows in front of the state engine. */
  readonly stateCacheBytes: number;
  /** Input that has been fetched and waits. */
  readonly inputBufferMaxBytes: number;
  /** Outputs on their way to the brokers. */
  readonly outputBufferMaxBytes: number;
}

/** The shares, and the part of the first that record caches may take. */
export interface DividedBudget extends MemoryShares {
  readonly cacheMaxBytes: number;
}

/** Below this the shares are too small to work with. */
export const BUDGET_BYTES_MIN = 16 * 1024 * 1024;

/**
 * The least that is worth having: eight batches of output; and with fewer bytes of uncommitted rows than come together while
 * one slice of records is processed, there would be a commit after each.
 */
export const SHARE_BYTES_MIN = 1024 * 1024;

const NAMES = ['uncommittedMaxBytes', 'stateCacheBytes', 'inputBufferMaxBytes', 'outputBufferMaxBytes'] as const;

/**
 * Divides a budget: shares that were given stay as they are, the others get equal parts of what is left.
 *
 * @param budgetBytes at least `BUDGET_BYTES_MIN`
 * @param given shares that the user has set on their own; a `cacheMaxBytes` other than 0 stands for uncommitted rows, too
 */
export function divideBudget(budgetBytes: number, given: Partial<DividedBudget>): DividedBudget {
  const set = setShares(given);
  const open = NAMES.filter((name) => set[name] === undefined);
  const part = Math.floor(Math.max(0, budgetBytes - sumOf(set)) / Math.max(1, open.length));
  const shares = { ...equalShares(part), ...set };
  return { ...shares, cacheMaxBytes: given.cacheMaxBytes ?? shares.uncommittedMaxBytes };
}

/** Why a budget cannot be kept; empty when it can. */
export function budgetProblems(budgetBytes: number, given: Partial<DividedBudget>): string[] {
  if (budgetBytes < BUDGET_BYTES_MIN)
    return [`memoryBudgetBytes: ${budgetBytes}; give 0 for none, or at least ${BUDGET_BYTES_MIN}`];
  const set = setShares(given);
  const open = NAMES.filter((name) => set[name] === undefined);
  const least = sumOf(set) + open.length * SHARE_BYTES_MIN;
  if (least <= budgetBytes) return [];
  const names = NAMES.filter((name) => set[name] !== undefined).map((name) => nameGiven(name, given));
  const rest = open.length === 0 ? '' : `, and ${open.join(', ')} need ${SHARE_BYTES_MIN} each`;
  return [
    `memoryBudgetBytes: ${budgetBytes}; ${names.join(', ')} alone take ${sumOf(set)}${rest}: raise it to at least ${least}, or lower them`,
  ];
}

function setShares(given: Partial<DividedBudget>): Partial<MemoryShares> {
  const { cacheMaxBytes = 0 } = given;
  const rows = given.uncommittedMaxBytes ?? (cacheMaxBytes > 0 ? Math.max(SHARE_BYTES_MIN, cacheMaxBytes) : undefined);
  const all = { ...given, uncommittedMaxBytes: rows };
  return Object.fromEntries(NAMES.filter((name) => all[name] !== undefined).map((name) => [name, all[name]]));
}

function nameGiven(name: keyof MemoryShares, given: Partial<DividedBudget>): string {
  return name === 'uncommittedMaxBytes' && given.uncommittedMaxBytes === undefined ? 'cacheMaxBytes' : name;
}

function equalShares(part: number): MemoryShares {
  return { uncommittedMaxBytes: part, stateCacheBytes: part, inputBufferMaxBytes: part, outputBufferMaxBytes: part };
}

function sumOf(shares: Partial<MemoryShares>): number {
  return NAMES.reduce((sum, name) => sum + (shares[name] ?? 0), 0);
}
