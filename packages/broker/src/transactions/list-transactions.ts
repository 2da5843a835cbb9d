import type { Clock } from '@millrace/core';
import { describeTransactions, ErrorCode, listTransactions } from '@millrace/wire';
import type { Placement } from '../placement/placement.ts';
import { answering, type Handler } from '../server/handler.ts';
import { partitionsByTopic } from './transaction-records.ts';
import { transactionStates } from './transaction.ts';
import type { TransactionCoordinator } from './transaction-coordinator.ts';

/** ListTransactions: by state, producer id and age. */
export function listTransactionsHandler(coordinator: TransactionCoordinator, clock: Clock, placement: Placement): Handler {
  return answering(listTransactions, ({ stateFilters, producerIdFilters, durationFilter }, { nodeId }) => {
    const nowMs = clock.nowMs();
    const found = [...coordinator.all].filter(
      ({ transactionalId, state, producerId, startedMs }) =>
        placement.coordinatorOf('transaction', transactionalId) === nodeId &&
        (stateFilters.length === 0 || stateFilters.includes(state)) &&
        (producerIdFilters.length === 0 || producerIdFilters.includes(producerId)) &&
        (durationFilter < 0 || (startedMs >= 0 && nowMs - startedMs > durationFilter)),
    );
    return {
      errorCode: ErrorCode.NONE,
      unknownStateFilters: stateFilters.filter((state) => !Object.hasOwn(transactionStates, state)),
      transactionStates: found.map(({ transactionalId, producerId, state }) => ({
        transactionalId,
        producerId,
        transactionState: state,
      })),
    };
  });
}

/** DescribeTransactions: what the coordinator knows of transactional ids. */
export function describeTransactionsHandler(coordinator: TransactionCoordinator): Handler {
  return answering(describeTransactions, ({ transactionalIds }) => ({
    transactionStates: transactionalIds.map((transactionalId) => {
      const transaction = coordinator.get(transactionalId);
      if (transaction === undefined) return unknown(transactionalId);
      const { state, timeoutMs, startedMs, producerId, producerEpoch } = transaction;
      return {
        errorCode: ErrorCode.NONE,
        transactionalId,
        transactionState: state,
        transactionTimeoutMs: timeoutMs,
        transactionStartTimeMs: startedMs,
        producerId,
        producerEpoch,
        topics: [...partitionsByTopic(transaction)].map(([topic, partitions]) => ({ topic, partitions })),
      };
    }),
  }));
}

function unknown(transactionalId: string) {
  return {
    errorCode: ErrorCode.TRANSACTIONAL_ID_NOT_FOUND,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: -1,
    producerId: -1,
    producerEpoch: -1,
    topics: [],
  };
}
