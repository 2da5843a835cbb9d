import { UsageError } from '../usage-error.ts';

const TOPIC_CONFIG = 'topicConfig.';

/**
 * Settings given as `name=value`, by the names of `StreamsSettings`; `topicConfig.<name>=<value>` for internal topics.
 *
 * Integers become numbers. Names and ranges are checked with all other settings when the application is made.
 *
 * @throws UsageError
 * @example parseConfig(['maxTaskIdleMs=500', 'topicConfig.retention.ms=3600000'])
 */
export function parseConfig(pairs: readonly string[]): { [name: string]: unknown } {
  const settings: { [name: string]: unknown } = {};
  const topicConfig: { [name: string]: string } = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).trim();
    if (at < 0 || name === '') throw new UsageError(`--config ${JSON.stringify(pair)}: give name=value, such as cacheMaxBytes=0`);
    const value = pair.slice(at + 1);
    if (name.startsWith(TOPIC_CONFIG)) topicConfig[name.slice(TOPIC_CONFIG.length)] = value;
    else settings[name] = settingValue(value);
  }
  return Object.keys(topicConfig).length === 0 ? settings : { ...settings, topicConfig };
}

function settingValue(text: string): string | number {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}
