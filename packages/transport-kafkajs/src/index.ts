/**
 * The transport that lets kafkajs carry the bytes.
 *
 * @module
 */
export { createKafkajsTransport, type KafkajsTransportOptions } from './kafkajs-transport.ts';
