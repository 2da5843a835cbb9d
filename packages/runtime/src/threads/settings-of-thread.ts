import type { ResolvedSettings, StreamsSettings } from '../settings/settings.ts';

/**
 * The settings of one of so many threads: the memory of the process is divided, and each thread of a static process has an
 * instance id of its own, as in Kafka Streams: `<groupInstanceId>-<thread>`.
 */
export function settingsOfThread(
  given: StreamsSettings,
  { cacheMaxBytes, stateCacheBytes, groupInstanceId }: ResolvedSettings,
  thread: number,
  threads: number,
): StreamsSettings {
  return {
    ...given,
    cacheMaxBytes: Math.floor(cacheMaxBytes / threads),
    stateCacheBytes: Math.floor(stateCacheBytes / threads),
    ...(groupInstanceId === undefined ? {} : { groupInstanceId: `${groupInstanceId}-${thread}` }),
  };
}
