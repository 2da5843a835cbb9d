import { ErrorCode, listOffsets, type ListOffsetsRequest } from '@millrace/wire';
import { findMaxTimestamp, findOffsetAt, type FoundOffset } from '../log/find-offset.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { LedLogs } from '../placement/led-logs.ts';
import { refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import { checkLeaderEpoch } from './leader-epoch.ts';

type Asked = ListOffsetsRequest['topics'][number]['partitions'][number];

/** Timestamps with a meaning of their own. */
const Special = { latest: -1, earliest: -2, maxTimestamp: -3 } as const;

/** The largest timestamp may be asked for from this version on. */
const MAX_TIMESTAMP_VERSION = 7;

/** ListOffsets: the start, the end, the largest timestamp, or the first record at a time. */
export function listOffsetsHandler(logs: LedLogs): Handler {
  return answering(
    listOffsets,
    (request, { apiVersion, nodeId }) => ({
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((asked) =>
          isSupported(asked.timestamp, apiVersion)
            ? lookUp(name, asked, request.isolationLevel === 1, nodeId)
            : { partitionIndex: asked.partitionIndex, errorCode: ErrorCode.UNSUPPORTED_VERSION },
        ),
      })),
    }),
    { max: 7 },
  );

  function lookUp(topic: string, asked: Asked, committedOnly: boolean, nodeId: number) {
    const { partitionIndex } = asked;
    try {
      const log = logs.logOrThrow(topic, partitionIndex, nodeId);
      checkLeaderEpoch(log, asked.currentLeaderEpoch);
      const found = find(log, asked.timestamp, committedOnly);
      const leaderEpoch = found.offset < 0 ? -1 : log.leaderEpoch;
      return { partitionIndex, errorCode: ErrorCode.NONE, leaderEpoch, ...found };
    } catch (error) {
      return { partitionIndex, errorCode: refusalOf(error).errorCode };
    }
  }
}

function isSupported(timestamp: number, apiVersion: number): boolean {
  return timestamp >= Special.earliest || (timestamp === Special.maxTimestamp && apiVersion >= MAX_TIMESTAMP_VERSION);
}

function find(log: PartitionLog, timestamp: number, committedOnly: boolean): FoundOffset {
  const end = log.readableEnd(committedOnly ? 'read_committed' : 'read_uncommitted');
  switch (timestamp) {
    case Special.latest:
      return { offset: end, timestamp: -1 };
    case Special.earliest:
      return { offset: log.logStartOffset, timestamp: -1 };
    case Special.maxTimestamp:
      return readable(findMaxTimestamp(log), end);
    default:
      return readable(findOffsetAt(log, timestamp), end);
  }
}

/** What lies behind the end is not there yet for the reader, whatever lies in front of it. */
function readable(found: FoundOffset, end: number): FoundOffset {
  return found.offset < end ? found : { offset: -1, timestamp: -1 };
}
