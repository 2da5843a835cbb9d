import { FatalStreamsError } from '@millrace/core';
import {
  deleteTopics,
  fetch,
  findCoordinator,
  leaveGroup,
  metadata,
  offsetFetch,
  produce,
  txnOffsetCommit,
  type Api,
} from '@millrace/wire';
import type { BrokerFeatures } from '../port/transport.ts';

/**
 * The lowest version that the client writes, where an older one has other fields or lacks what the client relies on. Together
 * they mean Kafka 3.0 or newer. The upper end is what `wire` describes, and for DeleteTopics the last version with plain names.
 */
const VERSION_MIN: ReadonlyMap<number, number> = new Map([
  [produce.key, 9],
  [fetch.key, 12],
  [metadata.key, 4],
  [offsetFetch.key, 8],
  [findCoordinator.key, 4],
  [leaveGroup.key, 3],
  [txnOffsetCommit.key, 3],
]);
const VERSION_MAX: ReadonlyMap<number, number> = new Map([[deleteTopics.key, 5]]);

/**
 * The highest version of an API that both sides know. The broker's minimum counts too: Kafka 4 removed old versions (KIP-896).
 *
 * @param versionMax not above this, where the version number alone switches the meaning (transactions v2)
 * @throws FatalStreamsError `UNSUPPORTED_VERSION`
 */
export function chooseVersion(api: Api, features: BrokerFeatures, versionMax: number = api.versionMax): number {
  const offered = features.apis.get(api.key);
  const ourMax = Math.min(api.versionMax, versionMax, VERSION_MAX.get(api.key) ?? api.versionMax);
  const ourMin = VERSION_MIN.get(api.key) ?? api.versionMin;
  const highest = Math.min(ourMax, offered?.max ?? -1);
  const lowest = Math.max(ourMin, offered?.min ?? 0);
  if (offered !== undefined && highest >= lowest) return highest;
  const theirs = offered === undefined ? 'does not know it' : `offers versions ${offered.min} to ${offered.max}`;
  throw new FatalStreamsError(
    'UNSUPPORTED_VERSION',
    `the client speaks ${api.name} in versions ${ourMin} to ${ourMax}, but the broker ${theirs}; ` +
      'use a broker of Kafka 3.0 or newer, or a newer version of the client',
  );
}
