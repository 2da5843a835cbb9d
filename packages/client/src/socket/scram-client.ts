import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

export type ScramHash = 'sha256' | 'sha512';

export interface ScramCredentials {
  readonly hash: ScramHash;
  readonly username: string;
  readonly password: string;
}

const deriveKey = promisify(pbkdf2);
/** RFC 7677 demands at least 4 096 rounds; the upper bound keeps a false server from binding our CPU. */
const iterationsMin = 4_096;
const iterationsMax = 1_000_000;
const channelBinding = 'n,,';

/**
 * The client's side of SCRAM without channel binding (RFC 5802, RFC 7677): proves that we know the password without sending it,
 * and that the server knows it too.
 *
 * Call {@link first}, then {@link final} with the server's first message, then {@link verify} with its last. Each throws an
 * Error that says what the server did wrong. Like Kafka's own clients it takes names and passwords as they are (no SASLprep).
 */
export class ScramClient {
  readonly #credentials: ScramCredentials;
  readonly #nonce: string;
  #serverSignature: Buffer | undefined;

  /** @param nonce random printable characters without a comma, new for every exchange */
  constructor(credentials: ScramCredentials, nonce: string) {
    this.#credentials = credentials;
    this.#nonce = nonce;
  }

  first(): string {
    return channelBinding + this.#firstBare();
  }

  async final(serverFirst: string): Promise<string> {
    const { nonce, salt, iterations } = this.#parseServerFirst(serverFirst);
    const { hash, password } = this.#credentials;
    const keyBytes = hash === 'sha256' ? 32 : 64;
    const salted = await deriveKey(password, salt, iterations, keyBytes, hash);
    const clientKey = hmac(hash, salted, 'Client Key');
    const storedKey = createHash(hash).update(clientKey).digest();
    const withoutProof = `c=${Buffer.from(channelBinding).toString('base64')},r=${nonce}`;
    const authMessage = `${this.#firstBare()},${serverFirst},${withoutProof}`;
    this.#serverSignature = hmac(hash, hmac(hash, salted, 'Server Key'), authMessage);
    return `${withoutProof},p=${xor(clientKey, hmac(hash, storedKey, authMessage)).toString('base64')}`;
  }

  verify(serverFinal: string): void {
    const attributes = parseAttributes(serverFinal);
    const refusal = attributes.get('e');
    if (refusal !== undefined) throw new Error(`the server refused: ${refusal}`);
    const expected = this.#serverSignature;
    const signature = Buffer.from(attributes.get('v') ?? '', 'base64');
    if (expected === undefined || signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new Error("the server's signature is wrong: it does not know the password");
    }
  }

  #firstBare(): string {
    const name = this.#credentials.username.replaceAll('=', '=3D').replaceAll(',', '=2C');
    return `n=${name},r=${this.#nonce}`;
  }

  #parseServerFirst(message: string): { nonce: string; salt: Buffer; iterations: number } {
    const attributes = parseAttributes(message);
    if (attributes.has('m')) throw new Error('the server demands a SCRAM extension that is not supported');
    const nonce = attributes.get('r') ?? '';
    if (nonce.length <= this.#nonce.length || !nonce.startsWith(this.#nonce))
      throw new Error("the server's nonce does not extend ours");
    const salt = Buffer.from(attributes.get('s') ?? '', 'base64');
    if (salt.length === 0) throw new Error('the server sent no salt');
    const iterations = /^\d{1,9}$/.test(attributes.get('i') ?? '') ? Number(attributes.get('i')) : 0;
    if (iterations < iterationsMin || iterations > iterationsMax) {
      throw new Error(`the server asks for ${attributes.get('i')} iterations; ${iterationsMin} to ${iterationsMax} are accepted`);
    }
    return { nonce, salt, iterations };
  }
}

/** `a=1,b=2`; a value may contain `=`. */
function parseAttributes(message: string): Map<string, string> {
  return new Map(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)] as const));
}

function hmac(hash: ScramHash, key: Buffer, data: string): Buffer {
  return createHmac(hash, key).update(data).digest();
}

function xor(left: Buffer, right: Buffer): Buffer {
  const result = Buffer.from(left);
  for (let i = 0; i < result.length; i++) result[i] = (result[i] as number) ^ (right[i] as number);
  return result;
}
