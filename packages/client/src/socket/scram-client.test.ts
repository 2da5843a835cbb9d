import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ScramClient } from './scram-client.ts';

// RFC 7677, section 3.
const user = { hash: 'sha256', username: 'user', password: 'pencil' } as const;
const nonce = 'rOprNGfwEbeRWgbNEkqO';
const serverFirst = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';
const clientFinal = 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
const serverFinal = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

describe('ScramClient', () => {
  it('says what RFC 7677 says for SCRAM-SHA-256', async () => {
    const client = new ScramClient(user, nonce);
    expect(client.first()).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
    expect(await client.final(serverFirst)).toBe(clientFinal);
    expect(() => client.verify(serverFinal)).not.toThrow();
  });

  it('proves the password to a server of SCRAM-SHA-512', async () => {
    const credentials = { hash: 'sha512', username: 'ann', password: 'püncil' } as const;
    const client = new ScramClient(credentials, 'abc');
    const first = `r=abcdef,s=${Buffer.from('salt').toString('base64')},i=4096`;
    const final = await client.final(first);
    const [, withoutProof = '', proof = ''] = /^(.*),p=(.*)$/.exec(final) ?? [];
    const salted = pbkdf2Sync('püncil', 'salt', 4096, 64, 'sha512');
    const message = `n=ann,r=abc,${first},${withoutProof}`;
    // The server's side: the proof, undone with the stored key, must give back the client key.
    const clientKey = createHmac('sha512', salted).update('Client Key').digest();
    const storedKey = createHash('sha512').update(clientKey).digest();
    const signature = createHmac('sha512', storedKey).update(message).digest();
    expect(Buffer.from(proof, 'base64').map((byte, i) => byte ^ (signature[i] as number))).toEqual(clientKey);
    const serverKey = createHmac('sha512', salted).update('Server Key').digest();
    const answer = createHmac('sha512', serverKey).update(message).digest('base64');
    expect(() => client.verify(`v=${answer}`)).not.toThrow();
  });

  it('escapes the two characters that separate attributes in a user name', () => {
    expect(new ScramClient({ ...user, username: 'a=b,c' }, 'n1').first()).toBe('n,,n=a=3Db=2Cc,r=n1');
  });

  it.each([
    ['a nonce that does not extend ours', serverFirst.replace('rOpr', 'XOpr'), 'nonce does not extend ours'],
    ['our own nonce and nothing more', serverFirst.replace('%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0', ''), 'nonce does not extend ours'],
    ['no salt', serverFirst.replace(/s=[^,]*/, 's='), 'no salt'],
    ['too few iterations', serverFirst.replace('4096', '4095'), '4096 to 1000000 are accepted'],
    ['iterations meant to bind the CPU', serverFirst.replace('4096', '999999999'), '4096 to 1000000 are accepted'],
    ['iterations that are no number', serverFirst.replace('4096', '4e3'), '4096 to 1000000 are accepted'],
    ['an extension it must understand', `m=ext,${serverFirst}`, 'extension'],
    ['nothing', '', 'nonce'],
  ])('refuses %s', async (_what, message, reason) => {
    await expect(new ScramClient(user, nonce).final(message)).rejects.toThrow(reason);
  });

  it.each([
    ['a wrong signature', serverFinal.replace('6rri', '7rri'), 'does not know the password'],
    ['a short signature', 'v=6rri', 'does not know the password'],
    ['no signature', '', 'does not know the password'],
    ['an error', 'e=invalid-proof', 'invalid-proof'],
  ])('does not believe a server that answers with %s', async (_what, message, reason) => {
    const client = new ScramClient(user, nonce);
    await client.final(serverFirst);
    expect(() => client.verify(message)).toThrow(reason);
  });

  it('believes no signature before it has sent its proof', () => {
    expect(() => new ScramClient(user, nonce).verify(serverFinal)).toThrow('does not know the password');
  });
});
