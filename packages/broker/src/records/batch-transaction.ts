const HEADER_BYTES = 61;
const SIZE_AT = 8;
/** What the size of a batch does not count. */
const SIZE_END = 12;
const ATTRIBUTES_AT = 21;
const PRODUCER_ID_AT = 43;
const PRODUCER_EPOCH_AT = 51;
const BASE_SEQUENCE_AT = 53;
const TRANSACTIONAL_FLAG = 0x10;

/** What a batch says about its transaction. */
export interface BatchTransaction {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

/** Whether a batch says that it belongs to a transaction; false for what is no batch at all, or cut off. */
export function isTransactional(records: Buffer | undefined): records is Buffer {
  if (records === undefined || records.length < HEADER_BYTES) return false;
  if (records.readInt32BE(SIZE_AT) > records.length - SIZE_END) return false;
  return (records.readInt16BE(ATTRIBUTES_AT) & TRANSACTIONAL_FLAG) !== 0;
}

/** Whose transaction a batch belongs to; `undefined` when it belongs to none, or to nobody's. */
export function transactionOf(records: Buffer | undefined): BatchTransaction | undefined {
  if (!isTransactional(records)) return undefined;
  const producerId = records.readInt32BE(PRODUCER_ID_AT) * 0x1_0000_0000 + records.readUInt32BE(PRODUCER_ID_AT + 4);
  if (producerId < 0) return undefined;
  const baseSequence = records.readInt32BE(BASE_SEQUENCE_AT);
  return { producerId, producerEpoch: records.readInt16BE(PRODUCER_EPOCH_AT), baseSequence };
}
