import { UsageError } from '../usage-error.ts';

/** Settings that have names and values of their own. */
const MAPS = ['topicConfig', 'clientTags'];
/** Settings that are lists of names. */
const LISTS = ['rackAwareAssignmentTags'];

/**
 * Settings given as `name=value`, by the names of `StreamsSettings`; `topicConfig.<name>=<value>` for internal topics,
 * `clientTags.<tag>=<value>` for tags; lists with commas.
 *
 * Integers become numbers. Names and ranges are checked with all other settings when the application is made.
 *
 * @throws UsageError
 * @example parseConfig(['maxTaskIdleMs=500', 'topicConfig.retention.ms=3600000'])
 */
export function parseConfig(pairs: readonly string[]): { [name: string]: unknown } {
  const settings: { [name: string]: unknown } = {};
  const maps: { [map: string]: { [name: string]: string } } = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).trim();
    if (at < 0 || name === '') throw new UsageError(`--config ${JSON.stringify(pair)}: give name=value, such as cacheMaxBytes=0`);
    const value = pair.slice(at + 1);
    const map = MAPS.find((one) => name.startsWith(`${one}.`));
    if (map !== undefined) maps[map] = { ...maps[map], [name.slice(map.length + 1)]: value };
    else settings[name] = LISTS.includes(name) ? value.split(',').map((one) => one.trim()) : settingValue(value);
  }
  return { ...settings, ...maps };
}

function settingValue(text: string): string | number {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}
