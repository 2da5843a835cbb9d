/**
 * A client that sends exactly what it is told and shows exactly what it gets: for tests of brokers.
 *
 * @module
 */
export { RawClient } from './raw-client.ts';
export { requestFrame, type RequestIdentity } from './request-frame.ts';
