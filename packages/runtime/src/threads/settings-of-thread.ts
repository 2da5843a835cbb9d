import type { ResolvedSettings, StreamsSettings } from '../settings/settings.ts';

/** Memory of the process, of which each thread has its part. */
const DIVIDED: readonly string[] = ['cacheMaxBytes', 'stateCacheBytes', 'inputBufferMaxBytes'];
/** What the memory above was computed from; a thread must not do that once more. */
const BUDGET = 'memoryBudgetBytes';

/**
 * The settings of one of so many threads: the memory of the process is divided, and each thread of a static process has an
 * instance id of its own, as in Kafka Streams: `<groupInstanceId>-<thread>`.
 */
export function settingsOfThread(
  given: StreamsSettings,
  resolved: ResolvedSettings,
  thread: number,
  threads: number,
): StreamsSettings {
  const { groupInstanceId } = resolved;
  const parts = Object.entries(resolved)
    .filter(([name]) => DIVIDED.includes(name))
    .map(([name, bytes]) => [name, Math.floor(Number(bytes) / threads)]);
  const settings = Object.fromEntries(Object.entries(given).filter(([name]) => name !== BUDGET)) as unknown as StreamsSettings;
  return {
    ...settings,
    ...(Object.fromEntries(parts) as Partial<StreamsSettings>),
    ...(groupInstanceId === undefined ? {} : { groupInstanceId: `${groupInstanceId}-${thread}` }),
  };
}
