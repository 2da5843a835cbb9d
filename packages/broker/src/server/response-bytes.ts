import { type Api, fetch, type ResponseInput } from '@millrace/wire';

const SMALL_RESPONSE_BYTES = 512;
const PARTITION_BYTES = 128;

/** About how large a response gets: a large one should be written into a buffer that need not grow. */
export function responseBytes(api: Api, response: unknown): number {
  if (api.key !== fetch.key) return SMALL_RESPONSE_BYTES;
  let bytes = SMALL_RESPONSE_BYTES;
  for (const { partitions } of (response as ResponseInput<typeof fetch>).responses) {
    for (const { records } of partitions) bytes += PARTITION_BYTES + (records?.length ?? 0);
  }
  return bytes;
}
