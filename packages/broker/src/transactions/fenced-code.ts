import { ErrorCode } from '@millrace/wire';
import type { Refusal } from '../refusal.ts';

/** Older versions of a request do not know PRODUCER_FENCED and get INVALID_PRODUCER_EPOCH instead. */
export function fencedCode({ errorCode }: Refusal, apiVersion: number, fencedVersion: number): number {
  const isTranslated = errorCode === ErrorCode.PRODUCER_FENCED && apiVersion < fencedVersion;
  return isTranslated ? ErrorCode.INVALID_PRODUCER_EPOCH : errorCode;
}
