/** The types of configuration values, with their numbers in DescribeConfigs. */
export const ConfigType = { boolean: 1, string: 2, int: 3, short: 4, long: 5, double: 6, list: 7 } as const;

/** Where a value comes from, with the numbers of DescribeConfigs. */
export const ConfigSource = { topic: 1, brokerStatic: 4, default: 5 } as const;

/** One configuration of a topic. */
export interface ConfigDefinition {
  readonly type: (typeof ConfigType)[keyof typeof ConfigType];
  readonly default: string;
  /** Kafka's name of the broker-wide default, listed as a synonym. */
  readonly brokerName: string;
  readonly min?: number;
  readonly max?: number;
  /** The only texts allowed; for a list, each of its elements. */
  readonly oneOf?: readonly string[];
}

/** What has configurations, with the numbers of the protocol. */
export const ResourceType = { topic: 2, broker: 4 } as const;
