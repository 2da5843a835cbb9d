import { type ConfigDefinition, ConfigType } from './config-definition.ts';

const LONG_MAX = '9223372036854775807';
const INT_MAX = 2_147_483_647;
const DAY_MS = 24 * 60 * 60 * 1000;

const { boolean, string, int, long, double, list } = ConfigType;

/**
 * The configurations of a topic with the defaults of Kafka 4: event times at most an hour in the future, segments of at least
 * 1 MB (KIP-1030). What means nothing to this broker is kept and reported all the same.
 *
 * Source: Kafka `TopicConfig`, `LogConfig`.
 */
export const topicConfigTable: Readonly<Record<string, ConfigDefinition>> = {
  'cleanup.policy': { type: list, default: 'delete', brokerName: 'log.cleanup.policy', oneOf: ['compact', 'delete'] },
  'compression.gzip.level': { type: int, default: '-1', brokerName: 'compression.gzip.level', min: -1, max: 9 },
  'compression.lz4.level': { type: int, default: '9', brokerName: 'compression.lz4.level', min: 1, max: 17 },
  'compression.type': {
    type: string,
    default: 'producer',
    brokerName: 'compression.type',
    oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
  },
  'compression.zstd.level': { type: int, default: '3', brokerName: 'compression.zstd.level', min: -131072, max: 22 },
  'delete.retention.ms': { type: long, default: `${DAY_MS}`, brokerName: 'log.cleaner.delete.retention.ms', min: 0 },
  'file.delete.delay.ms': { type: long, default: '60000', brokerName: 'log.segment.delete.delay.ms', min: 0 },
  'flush.messages': { type: long, default: LONG_MAX, brokerName: 'log.flush.interval.messages', min: 1 },
  'flush.ms': { type: long, default: LONG_MAX, brokerName: 'log.flush.interval.ms', min: 0 },
  'follower.replication.throttled.replicas': { type: list, default: '', brokerName: 'follower.replication.throttled.replicas' },
  'index.interval.bytes': { type: int, default: '4096', brokerName: 'log.index.interval.bytes', min: 0 },
  'leader.replication.throttled.replicas': { type: list, default: '', brokerName: 'leader.replication.throttled.replicas' },
  'local.retention.bytes': { type: long, default: '-2', brokerName: 'log.local.retention.bytes', min: -2 },
  'local.retention.ms': { type: long, default: '-2', brokerName: 'log.local.retention.ms', min: -2 },
  'max.compaction.lag.ms': { type: long, default: LONG_MAX, brokerName: 'log.cleaner.max.compaction.lag.ms', min: 1 },
  'max.message.bytes': { type: int, default: '1048588', brokerName: 'message.max.bytes', min: 0, max: INT_MAX },
  'message.timestamp.after.max.ms': {
    type: long,
    default: '3600000',
    brokerName: 'log.message.timestamp.after.max.ms',
    min: 0,
  },
  'message.timestamp.before.max.ms': {
    type: long,
    default: LONG_MAX,
    brokerName: 'log.message.timestamp.before.max.ms',
    min: 0,
  },
  'message.timestamp.type': {
    type: string,
    default: 'CreateTime',
    brokerName: 'log.message.timestamp.type',
    oneOf: ['CreateTime', 'LogAppendTime'],
  },
  'min.cleanable.dirty.ratio': { type: double, default: '0.5', brokerName: 'log.cleaner.min.cleanable.ratio', min: 0, max: 1 },
  'min.compaction.lag.ms': { type: long, default: '0', brokerName: 'log.cleaner.min.compaction.lag.ms', min: 0 },
  'min.insync.replicas': { type: int, default: '1', brokerName: 'min.insync.replicas', min: 1 },
  preallocate: { type: boolean, default: 'false', brokerName: 'log.preallocate' },
  'remote.storage.enable': { type: boolean, default: 'false', brokerName: 'remote.storage.enable' },
  'retention.bytes': { type: long, default: '-1', brokerName: 'log.retention.bytes', min: -1 },
  'retention.ms': { type: long, default: `${7 * DAY_MS}`, brokerName: 'log.retention.ms', min: -1 },
  'segment.bytes': { type: int, default: '1073741824', brokerName: 'log.segment.bytes', min: 1024 * 1024, max: INT_MAX },
  'segment.index.bytes': { type: int, default: '10485760', brokerName: 'log.index.size.max.bytes', min: 4 },
  'segment.jitter.ms': { type: long, default: '0', brokerName: 'log.roll.jitter.ms', min: 0 },
  'segment.ms': { type: long, default: `${7 * DAY_MS}`, brokerName: 'log.roll.ms', min: 1 },
  'unclean.leader.election.enable': { type: boolean, default: 'false', brokerName: 'unclean.leader.election.enable' },
};
