import { type FatalStreamsError, type Random, StreamsError } from '@millrace/core';
import { decodeResponse, encodeRequest, type SaslAuthenticateResponse, saslAuthenticate, saslHandshake } from '@millrace/wire';
import { authenticationFailed, reasonOf } from '../lane/connection-errors.ts';
import type { HandshakeExchange } from '../lane/broker-connection.ts';
import type { SaslOptions } from '../port/transport.ts';
import { ScramClient } from './scram-client.ts';

const mechanismNames = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const;

export interface SaslSession {
  readonly exchange: HandshakeExchange;
  readonly sasl: SaslOptions;
  readonly random: Random;
  readonly node: string;
}

/**
 * Authenticates a connection, for the first time or again (KIP-368): SaslHandshake 1, then SaslAuthenticate 2 until done.
 * Nothing else may be sent meanwhile.
 *
 * @returns after how many ms the broker wants it again; 0 when never
 * @throws FatalStreamsError AUTHENTICATION_FAILED
 */
export async function authenticate(session: SaslSession): Promise<number> {
  await agreeOnMechanism(session);
  const { mechanism, username, password } = session.sasl;
  if (mechanism !== 'plain') return authenticateWithScram(session, mechanism === 'scram-sha-256' ? 'sha256' : 'sha512');
  const answer = await sendToken(session, `\0${username}\0${password}`);
  return answer.sessionLifetimeMs;
}

async function agreeOnMechanism(session: SaslSession): Promise<void> {
  const mechanism = mechanismNames[session.sasl.mechanism];
  const body = encodeRequest(saslHandshake, 1, { mechanism });
  const response = await session.exchange({ apiKey: saslHandshake.key, apiVersion: 1, flexible: false, body });
  const answer = decodeResponse(saslHandshake, 1, response);
  if (answer.errorCode === 0) return;
  const offered = answer.mechanisms.length === 0 ? 'no other' : answer.mechanisms.join(', ');
  throw refused(session, `it does not accept it (error ${answer.errorCode}) and offers ${offered}`);
}

async function authenticateWithScram(session: SaslSession, hash: 'sha256' | 'sha512'): Promise<number> {
  const { sasl, random } = session;
  const nonce = (random.uuid() + random.uuid()).replaceAll('-', '');
  const client = new ScramClient({ hash, username: sasl.username, password: sasl.password }, nonce);
  const first = await sendToken(session, client.first());
  let final: SaslAuthenticateResponse;
  try {
    final = await sendToken(session, await client.final(first.authBytes.toString('utf8')));
    client.verify(final.authBytes.toString('utf8'));
  } catch (error) {
    throw error instanceof StreamsError ? error : refused(session, reasonOf(error), error);
  }
  return final.sessionLifetimeMs;
}

async function sendToken(session: SaslSession, token: string): Promise<SaslAuthenticateResponse> {
  const body = encodeRequest(saslAuthenticate, 2, { authBytes: Buffer.from(token, 'utf8') });
  const response = await session.exchange({ apiKey: saslAuthenticate.key, apiVersion: 2, flexible: true, body });
  const answer = decodeResponse(saslAuthenticate, 2, response);
  if (answer.errorCode === 0) return answer;
  throw refused(session, answer.errorMessage ?? `error ${answer.errorCode}`);
}

function refused({ sasl, node }: SaslSession, why: string, cause?: unknown): FatalStreamsError {
  const who = `user "${sasl.username}" with ${mechanismNames[sasl.mechanism]}`;
  return authenticationFailed(node, `the broker refused ${who}: ${why}; check user, password and mechanism`, cause);
}
