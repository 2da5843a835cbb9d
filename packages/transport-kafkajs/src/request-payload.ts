import type { KafkajsPayload } from './kafkajs-internals.ts';

/**
 * A request body in the form in which kafkajs copies it into its frame.
 *
 * kafkajs writes the request header of version 1. Version 2, which flexible requests have, is the same followed by a tag
 * section; ours is empty: one zero byte, put in front of the body while it is copied, without a copy of our own.
 */
export function requestPayload(body: Buffer, flexible: boolean): KafkajsPayload {
  if (!flexible) return { buf: body, buffer: body };
  return {
    buf: body,
    buffer: {
      length: body.length + 1,
      copy(target, targetStart) {
        target[targetStart] = 0;
        body.copy(target, targetStart + 1);
      },
    },
  };
}
