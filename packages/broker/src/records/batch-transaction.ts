const HEADER_BYTES = 61;
const ATTRIBUTES_AT = 21;
const PRODUCER_ID_AT = 43;
const PRODUCER_EPOCH_AT = 51;
const TRANSACTIONAL_FLAG = 0x10;

/** Whose transaction a batch belongs to; `undefined` when it belongs to none or is no batch at all. */
export function transactionOf(
  records: Buffer | undefined,
): { readonly producerId: number; readonly producerEpoch: number } | undefined {
  if (records === undefined || records.length < HEADER_BYTES) return undefined;
  if ((records.readInt16BE(ATTRIBUTES_AT) & TRANSACTIONAL_FLAG) === 0) return undefined;
  return {
    producerId: records.readInt32BE(PRODUCER_ID_AT) * 0x1_0000_0000 + records.readUInt32BE(PRODUCER_ID_AT + 4),
    producerEpoch: records.readInt16BE(PRODUCER_EPOCH_AT),
  };
}
