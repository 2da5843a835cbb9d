import { SettingsError } from '@millrace/core';
import { SHARE_BYTES_MIN } from '../memory/divide-budget.ts';
import type { ResolvedSettings, StreamsSettings } from '../settings/settings.ts';

/** Memory of the process, of which each thread has its part. */
const DIVIDED = ['cacheMaxBytes', 'stateCacheBytes', 'inputBufferMaxBytes'] as const;
/** What each thread has its own default of; divided when the user has bounded it. */
const DIVIDED_IF_BOUND = ['uncommittedMaxBytes', 'outputBufferMaxBytes'] as const;
/** What the memory above was computed from; a thread must not do that once more. */
const BUDGET = 'memoryBudgetBytes';

/**
 * The settings of one of so many threads: the memory of the process is divided, and each thread of a static process has an
 * instance id of its own, as in Kafka Streams: `<groupInstanceId>-<thread>`.
 *
 * @throws SettingsError `THREADS` when there are too many for the memory that was set
 */
export function settingsOfThread(
  given: StreamsSettings,
  resolved: ResolvedSettings,
  thread: number,
  threads: number,
): StreamsSettings {
  const { groupInstanceId } = resolved;
  const bound = DIVIDED_IF_BOUND.filter((name) => resolved.memoryBudgetBytes > 0 || given[name] !== undefined);
  assertEnough(resolved, bound, threads);
  const parts = [...DIVIDED, ...bound].map((name) => [name, Math.floor(resolved[name] / threads)]);
  const settings = Object.fromEntries(Object.entries(given).filter(([name]) => name !== BUDGET)) as unknown as StreamsSettings;
  return {
    ...settings,
    ...(Object.fromEntries(parts) as Partial<StreamsSettings>),
    ...(groupInstanceId === undefined ? {} : { groupInstanceId: `${groupInstanceId}-${thread}` }),
  };
}

function assertEnough(resolved: ResolvedSettings, bound: readonly (typeof DIVIDED_IF_BOUND)[number][], threads: number): void {
  for (const name of bound) {
    if (resolved[name] / threads >= SHARE_BYTES_MIN) continue;
    throw new SettingsError(
      'THREADS',
      `threads: ${threads}; ${name} is ${resolved[name]} for all of them, and each needs ${SHARE_BYTES_MIN}: give it at least ` +
        `${threads * SHARE_BYTES_MIN}, ${resolved.memoryBudgetBytes > 0 ? `or raise ${BUDGET}, ` : ''}or have fewer threads`,
    );
  }
}
