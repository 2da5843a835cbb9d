/** What the configuration of a topic means for its logs. Times in ms, sizes in bytes; −1 is "no limit" where Kafka has it. */
export interface LogSettings {
  /** `cleanup.policy` contains compact. */
  readonly compact: boolean;
  /** `cleanup.policy` contains delete. */
  readonly delete: boolean;
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly retentionMs: number;
  readonly retentionBytes: number;
  /** After how many bytes a batch gets into the index. */
  readonly indexIntervalBytes: number;
  readonly maxMessageBytes: number;
  readonly deleteRetentionMs: number;
  readonly minCompactionLagMs: number;
  readonly maxCompactionLagMs: number;
  readonly minCleanableDirtyRatio: number;
  readonly logAppendTime: boolean;
  /** How far a record's timestamp may lie in the past. */
  readonly timestampBeforeMaxMs: number;
  /** How far a record's timestamp may lie in the future. */
  readonly timestampAfterMaxMs: number;
}
