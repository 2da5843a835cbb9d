import { FatalStreamsError, RetriableError } from '@millrace/core';
import { ErrorCode, type StreamsGroupHeartbeatResponse } from '@millrace/wire';
import { brokerError, brokerErrorAs } from '../errors/broker-error.ts';

/** Why a streams group does not let a member in. @returns FatalStreamsError, RetriableError */
export function joinError(groupId: string, { errorCode, errorMessage }: StreamsGroupHeartbeatResponse): Error {
  const context = { api: 'StreamsGroupHeartbeat', subject: `group ${groupId}`, brokerMessage: errorMessage };
  switch (errorCode) {
    case ErrorCode.UNKNOWN_MEMBER_ID:
    case ErrorCode.FENCED_MEMBER_EPOCH:
      return brokerErrorAs(RetriableError, errorCode, context);
    case ErrorCode.INVALID_REQUEST:
      return new FatalStreamsError(
        'TOPOLOGY_MISMATCH',
        `the group ${groupId} refuses this member: ${errorMessage}; a streams group keeps the topology that it was made with: ` +
          'end all members of the old version and delete the group (its offsets with it), or use a new application id',
      );
    case ErrorCode.GROUP_ID_NOT_FOUND:
      return new FatalStreamsError(
        'GROUP_OF_ANOTHER_PROTOCOL',
        `${groupId} is not a streams group: ${errorMessage}; end all members that use the classic protocol before, or use a new application id`,
      );
    default:
      return brokerError(errorCode, context);
  }
}

/** What a request to join fails with: a broker that knows no streams groups cannot say so itself. */
export function joinFailure(groupId: string, error: unknown): unknown {
  if (!(error instanceof FatalStreamsError) || error.code !== 'UNSUPPORTED_VERSION') return error;
  return new FatalStreamsError(
    'UNSUPPORTED_VERSION',
    `the broker knows no streams groups, of which ${groupId} is to be one; use Kafka 4.2 or newer, or the classic group protocol`,
    { cause: error },
  );
}
