import { endTxn, produce, txnOffsetCommit } from '@millrace/wire';
import type { BrokerFeatures } from '../port/transport.ts';

/** Produce from this version on adds partitions to the transaction by itself (KIP-890). */
export const PRODUCE_V2_MIN = 12;

/**
 * True when transactions v2 (KIP-890) are in force. The finalized feature decides, not the API versions: a broker that
 * runs with `transaction.version` 1 offers, and even executes, the same versions (wire-facts, rule 5).
 */
export function usesTransactionsV2(features: BrokerFeatures): boolean {
  if ((features.finalizedFeatures.get('transaction.version') ?? 0) < 2) return false;
  const offers = (key: number, version: number): boolean => (features.apis.get(key)?.max ?? -1) >= version;
  return offers(produce.key, PRODUCE_V2_MIN) && offers(txnOffsetCommit.key, 5) && offers(endTxn.key, 5);
}
