import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { apiVersions, encodeResponse } from '@millrace/wire';
import { afterEach, describe, expect, it } from 'vitest';
import type { Transport, TransportRequest } from '../port/transport.ts';
import { createSocketTransport, type SocketTransportOptions } from './socket-transport.ts';

const metadataKey = 3;
const request: TransportRequest = {
  apiKey: metadataKey,
  apiVersion: 1,
  body: Buffer.from([1]),
  flexible: false,
  lane: 'data',
  timeoutMs: 30_000,
};
const offer = { errorCode: 0, apiKeys: [{ apiKey: metadataKey, minVersion: 0, maxVersion: 12 }] };

/** What the peer sends back for a request: a body, framed with the request's correlation id, or bytes as they are. */
type Answer = Buffer | { readonly raw: Buffer };
type Script = (apiKey: number, apiVersion: number, socket: Socket) => Answer;

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A transport that talks to a peer which follows the script; ApiVersions is answered properly unless the script does. */
async function connectTo(script: Script, options: Partial<SocketTransportOptions> = {}): Promise<Transport> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at += 4 + chunk.readInt32BE(at)) {
        socket.write(framed(script(chunk.readInt16BE(at + 4), chunk.readInt16BE(at + 6), socket), chunk.readInt32BE(at + 8)));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const transport = createSocketTransport({ brokers: [`127.0.0.1:${port}`], ...options });
  cleanUps.push(async () => {
    server.close();
    await once(server, 'close');
  });
  cleanUps.push(() => transport.close());
  return transport;
}

function framed(answer: Answer, correlationId: number): Buffer {
  if (!Buffer.isBuffer(answer)) return answer.raw;
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + answer.length, 0);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, answer]);
}

/** ApiVersions as a current broker answers it, everything else as given. */
function answering(answer: Answer): Script {
  return (apiKey, apiVersion) => (apiKey === apiVersions.key ? encodeResponse(apiVersions, apiVersion, offer) : answer);
}

describe('the socket transport', () => {
  it('falls back to ApiVersions 0 when the broker does not know version 3', async () => {
    const asked: number[] = [];
    const transport = await connectTo((_apiKey, apiVersion) => {
      asked.push(apiVersion);
      return encodeResponse(apiVersions, 0, apiVersion === 0 ? offer : { errorCode: 35, apiKeys: [] });
    });
    expect((await transport.features('any')).apis.get(metadataKey)).toEqual({ min: 0, max: 12 });
    expect(asked).toEqual([3, 0]);
  });

  it('gives up for good when the broker knows no version of ApiVersions', async () => {
    const transport = await connectTo(() => encodeResponse(apiVersions, 0, { errorCode: 35, apiKeys: [] }));
    await expect(transport.features('any')).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION', name: 'FatalStreamsError' });
  });

  it('does not take the answer to another request', async () => {
    const stray = Buffer.from([0, 0, 0, 5, 0, 0, 0x30, 0x39, 7]);
    const transport = await connectTo(answering({ raw: stray }));
    await expect(transport.send('any', request)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  it('does not go on with a connection on which an answer came that nobody asked for', async () => {
    const once = Buffer.from([0, 0, 0, 5, 0, 0, 0, 1, 7]);
    let handshakes = 0;
    const script = answering({ raw: Buffer.concat([once, once]) });
    const transport = await connectTo((apiKey, apiVersion, socket) => {
      if (apiKey === apiVersions.key) handshakes++;
      return script(apiKey, apiVersion, socket);
    });
    for (let i = 1; i <= 2; i++) {
      expect(await transport.send('any', request)).toEqual(Buffer.from([7]));
      expect(handshakes).toBe(i);
    }
  });

  it.each([
    ['of negative length', [0xff, 0xff, 0xff, 0xff]],
    ['without room for a correlation id', [0, 0, 0, 3]],
    ['longer than allowed', [0x7f, 0xff, 0xff, 0xff]],
  ])('ends the connection on a frame %s', async (_what, prefix) => {
    const transport = await connectTo(answering({ raw: Buffer.from(prefix) }), { responseBytesMax: 1024 });
    await expect(transport.send('any', request)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  it('says that nothing was sent when the peer does not speak the protocol', async () => {
    const transport = await connectTo(() => ({ raw: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') }));
    const failure = expect(transport.send('any', request)).rejects;
    await failure.toMatchObject({ code: 'CONNECTION_FAILED', message: expect.stringContaining('speaks another protocol') });
  });

  it('says that nothing was sent when the handshake is answered with garbage', async () => {
    const transport = await connectTo(() => Buffer.from([0, 0, 0xff, 0xff, 0xff]));
    await expect(transport.send('any', request)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });

  it('says that nothing was sent when the handshake is not answered in time', async () => {
    const transport = await connectTo(() => ({ raw: Buffer.alloc(0) }), { connectTimeoutMs: 50 });
    await expect(transport.send('any', request)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });

  it('names every option that is out of range', () => {
    const create = () => createSocketTransport({ brokers: ['a:1'], connectTimeoutMs: 0, reconnectBackoffMaxMs: -1 });
    expect(create).toThrow(/"connectTimeoutMs" is 0.*"reconnectBackoffMaxMs" is -1/);
    expect(() => createSocketTransport({ brokers: ['a:1'], responseBytesMax: 1 })).toThrow('"responseBytesMax" is 1');
  });
});

describe('SASL over a socket', () => {
  const sasl = { mechanism: 'scram-sha-256', username: 'ann', password: 'secret' } as const;
  const saslHandshakeKey = 17;
  const ok = Buffer.from([0, 0, 0, 0, 0, 0]);

  /** A broker that offers SASL and answers SaslAuthenticate with the bytes. */
  function saslScript(handshake: Buffer, authBytes: string): Script {
    const bytes = Buffer.from(authBytes);
    const lifetime = Buffer.alloc(8);
    const authenticated = Buffer.concat([Buffer.from([0, 0, 0, 0, bytes.length + 1]), bytes, lifetime, Buffer.from([0])]);
    return (apiKey, apiVersion) => {
      if (apiKey === apiVersions.key) return encodeResponse(apiVersions, apiVersion, offer);
      return apiKey === saslHandshakeKey ? handshake : authenticated;
    };
  }

  it('gives up for good when the broker does not offer the mechanism', async () => {
    const refusal = Buffer.from([0, 33, 0, 0, 0, 1, 0, 5, 80, 76, 65, 73, 78]);
    const transport = await connectTo(saslScript(refusal, ''), { sasl });
    const failure = expect(transport.send('any', request)).rejects;
    await failure.toMatchObject({ code: 'AUTHENTICATION_FAILED', message: expect.stringContaining('offers PLAIN') });
  });

  it('sends nothing to a broker that can not prove that it knows the password', async () => {
    const transport = await connectTo(saslScript(ok, 'r=someone-else,s=YQ==,i=4096'), { sasl });
    await expect(transport.send('any', request)).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
  });

  it('does not call a connection that breaks meanwhile a refusal', async () => {
    const script = saslScript(ok, '');
    const transport = await connectTo(
      (apiKey, apiVersion, socket) => {
        if (apiKey === saslHandshakeKey) socket.destroy();
        return script(apiKey, apiVersion, socket);
      },
      { sasl },
    );
    await expect(transport.send('any', request)).rejects.toMatchObject({ code: 'CONNECTION_FAILED', name: 'RetriableError' });
  });
});
