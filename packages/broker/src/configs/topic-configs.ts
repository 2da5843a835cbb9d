import type { LogSettings } from '../log/log-settings.ts';
import { elementsOf } from './check-config.ts';
import { ConfigSource } from './config-definition.ts';
import { topicConfigTable } from './topic-config-table.ts';

/** A configuration as it is in force. */
export interface EffectiveConfig {
  readonly value: string;
  readonly source: number;
}

/**
 * The configuration of one topic: its own values in front of the broker's in front of Kafka's.
 *
 * The values are checked before they come here.
 */
export class TopicConfigs {
  readonly #brokerDefaults: Readonly<Record<string, string>>;
  #own: ReadonlyMap<string, string>;
  #settings: LogSettings;

  constructor(brokerDefaults: Readonly<Record<string, string>>, own: ReadonlyMap<string, string>) {
    this.#brokerDefaults = brokerDefaults;
    this.#own = own;
    this.#settings = this.#resolve();
  }

  /** What the topic sets itself. */
  get own(): ReadonlyMap<string, string> {
    return this.#own;
  }

  /** What it means for the logs of the topic. */
  get settings(): LogSettings {
    return this.#settings;
  }

  replace(own: ReadonlyMap<string, string>): void {
    this.#own = own;
    this.#settings = this.#resolve();
  }

  /** @param name one of the table */
  effective(name: string): EffectiveConfig {
    const own = this.#own.get(name);
    if (own !== undefined) return { value: own, source: ConfigSource.topic };
    return this.inherited(name);
  }

  /** What is in force where the topic sets nothing. */
  inherited(name: string): EffectiveConfig {
    const ofBroker = this.#brokerDefaults[name];
    if (ofBroker !== undefined) return { value: ofBroker, source: ConfigSource.brokerStatic };
    return { value: topicConfigTable[name]?.default ?? '', source: ConfigSource.default };
  }

  #resolve(): LogSettings {
    const number = (name: string): number => Number(this.effective(name).value);
    const policies = elementsOf(this.effective('cleanup.policy').value);
    return {
      compact: policies.includes('compact'),
      delete: policies.includes('delete'),
      segmentBytes: number('segment.bytes'),
      segmentMs: number('segment.ms'),
      retentionMs: number('retention.ms'),
      retentionBytes: number('retention.bytes'),
      indexIntervalBytes: number('index.interval.bytes'),
      maxMessageBytes: number('max.message.bytes'),
      deleteRetentionMs: number('delete.retention.ms'),
      minCompactionLagMs: number('min.compaction.lag.ms'),
      maxCompactionLagMs: number('max.compaction.lag.ms'),
      minCleanableDirtyRatio: number('min.cleanable.dirty.ratio'),
      logAppendTime: this.effective('message.timestamp.type').value === 'LogAppendTime',
      timestampBeforeMaxMs: number('message.timestamp.before.max.ms'),
      timestampAfterMaxMs: number('message.timestamp.after.max.ms'),
    };
  }
}
