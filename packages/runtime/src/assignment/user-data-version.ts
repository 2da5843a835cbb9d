import { SettingsError } from '@millrace/core';

/**
 * Version in which this program writes user data, and the highest that it reads.
 *
 * 1: active tasks. 2: standby tasks, warm-ups, client tags, errors, and what an assignment was made for.
 */
export const USER_DATA_VERSION = 2;

/**
 * @returns the version
 * @throws SettingsError `USER_DATA_VERSION` when it is not one that this program reads
 */
export function checkedVersion(version: number): number {
  if (version >= 1 && version <= USER_DATA_VERSION) return version;
  throw new SettingsError(
    'USER_DATA_VERSION',
    `a member of the group speaks version ${version} of the assignment protocol, this one knows up to ${USER_DATA_VERSION}; upgrade this process`,
  );
}
