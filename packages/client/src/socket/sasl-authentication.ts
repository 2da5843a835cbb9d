import type { Random, StreamsError } from '@millrace/core';
import type { SaslOptions } from '../port/transport.ts';
import { authenticationFailed, reasonOf } from './connection-errors.ts';
import type { HandshakeExchange } from './handshake-exchange.ts';
import {
  decodeSaslAuthenticateResponse,
  decodeSaslHandshakeResponse,
  encodeSaslAuthenticateRequest,
  encodeSaslHandshakeRequest,
  type SaslAnswer,
} from './handshake-messages.ts';
import { ScramClient } from './scram-client.ts';

const saslHandshakeKey = 17;
const saslAuthenticateKey = 36;

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
  const body = encodeSaslHandshakeRequest(mechanism);
  const answer = decodeSaslHandshakeResponse(
    await session.exchange({ apiKey: saslHandshakeKey, apiVersion: 1, flexible: false, body }),
  );
  if (answer.errorCode === 0) return;
  const offered = answer.mechanisms.length === 0 ? 'no other' : answer.mechanisms.join(', ');
  throw refused(session, `it does not accept it (error ${answer.errorCode}) and offers ${offered}`);
}

async function authenticateWithScram(session: SaslSession, hash: 'sha256' | 'sha512'): Promise<number> {
  const { sasl, random } = session;
  const nonce = (random.uuid() + random.uuid()).replaceAll('-', '');
  const client = new ScramClient({ hash, username: sasl.username, password: sasl.password }, nonce);
  const first = await sendToken(session, client.first());
  let final: SaslAnswer;
  try {
    final = await sendToken(session, await client.final(first.bytes.toString('utf8')));
    client.verify(final.bytes.toString('utf8'));
  } catch (error) {
    throw isOwn(error) ? error : refused(session, reasonOf(error), error);
  }
  return final.sessionLifetimeMs;
}

async function sendToken(session: SaslSession, token: string): Promise<SaslAnswer> {
  const body = encodeSaslAuthenticateRequest(Buffer.from(token, 'utf8'));
  const answer = decodeSaslAuthenticateResponse(
    await session.exchange({ apiKey: saslAuthenticateKey, apiVersion: 2, flexible: true, body }),
  );
  if (answer.errorCode === 0) return answer;
  throw refused(session, answer.errorMessage ?? `error ${answer.errorCode}`);
}

function refused({ sasl, node }: SaslSession, why: string, cause?: unknown): StreamsError {
  const who = `user "${sasl.username}" with ${mechanismNames[sasl.mechanism]}`;
  return authenticationFailed(node, `the broker refused ${who}: ${why}; check user, password and mechanism`, cause);
}

/** Errors of the exchange itself already say what happens next. */
function isOwn(error: unknown): error is StreamsError {
  return typeof (error as Partial<StreamsError>).code === 'string';
}
