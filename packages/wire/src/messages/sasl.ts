import { defineApi, type RequestOf, type ResponseOf } from '../schema/api.ts';
import { array, bytes, int16, int64, string } from '../schema/field.ts';

/** Chooses a SASL mechanism. */
export const saslHandshake = defineApi({
  key: 17,
  name: 'SaslHandshake',
  versions: '0-1',
  flexible: 'none',
  request: { mechanism: string() },
  response: { errorCode: int16(), mechanisms: array(string()) },
});
export type SaslHandshakeRequest = RequestOf<typeof saslHandshake>;
export type SaslHandshakeResponse = ResponseOf<typeof saslHandshake>;

/** One step of the exchange that the chosen mechanism prescribes. */
export const saslAuthenticate = defineApi({
  key: 36,
  name: 'SaslAuthenticate',
  versions: '0-2',
  flexible: '2+',
  request: { authBytes: bytes() },
  response: {
    errorCode: int16(),
    errorMessage: string({ nullable: '0+' }),
    authBytes: bytes(),
    /** Milliseconds after which the broker expects re-authentication; 0 for never. */
    sessionLifetimeMs: int64({ versions: '1+', default: 0 }),
  },
});
export type SaslAuthenticateRequest = RequestOf<typeof saslAuthenticate>;
export type SaslAuthenticateResponse = ResponseOf<typeof saslAuthenticate>;
