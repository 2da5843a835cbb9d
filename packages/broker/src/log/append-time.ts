import { crc32c } from '@millrace/wire';

const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const MAX_TIMESTAMP_AT = 35;
const LOG_APPEND_TIME_FLAG = 0x08;

/** Stamps a batch with the time of the broker, as `message.timestamp.type=LogAppendTime` asks for; its checksum follows. */
export function stampAppendTime(batch: Buffer, nowMs: number): void {
  batch.writeInt16BE(batch.readInt16BE(ATTRIBUTES_AT) | LOG_APPEND_TIME_FLAG, ATTRIBUTES_AT);
  batch.writeInt32BE(Math.floor(nowMs / 0x1_0000_0000), MAX_TIMESTAMP_AT);
  batch.writeUInt32BE(nowMs >>> 0, MAX_TIMESTAMP_AT + 4);
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES_AT), CRC_AT);
}
