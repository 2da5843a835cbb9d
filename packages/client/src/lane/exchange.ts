/** A request of the handshake, sent while nobody else uses the connection. */
export interface HandshakeRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly flexible: boolean;
  readonly body: Buffer;
}

/** Sends a request on a connection that is being set up and resolves with the body of its answer. */
export type HandshakeExchange = (request: HandshakeRequest) => Promise<Buffer>;
