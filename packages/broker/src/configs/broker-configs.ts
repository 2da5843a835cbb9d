import { ConfigSource, ConfigType } from './config-definition.ts';

/**
 * The configurations of the broker that clients ask for, in Kafka's names. They are fixed when it starts.
 *
 * @param keys `undefined` for all
 */
export function describeBroker(configs: ReadonlyMap<string, string>, keys: readonly string[] | undefined) {
  return [...configs]
    .filter(([name]) => keys?.includes(name) ?? true)
    .map(([name, value]) => ({
      name,
      value,
      readOnly: true,
      configSource: ConfigSource.brokerStatic,
      isSensitive: false,
      configType: /^\d+$/.test(value) ? ConfigType.int : ConfigType.string,
      synonyms: [],
    }));
}
