import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KeyStore } from './server-properties.ts';

const run = promisify(execFile);
const password = 'millrace-test';

/** A self-signed certificate for localhost and 127.0.0.1: the store for the broker, the certificate (PEM) for clients. */
export async function createKeyStore(folder: string): Promise<{ readonly keyStore: KeyStore; readonly caFile: string }> {
  const path = join(folder, 'broker.p12');
  const caFile = join(folder, 'ca.pem');
  await rm(path, { force: true });
  const store = ['-alias', 'broker', '-keystore', path, '-storetype', 'PKCS12', '-storepass', password];
  const subject = ['-dname', 'CN=localhost', '-ext', 'SAN=dns:localhost,ip:127.0.0.1'];
  await run('keytool', ['-genkeypair', ...store, ...subject, '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '3650']);
  await run('keytool', ['-exportcert', '-rfc', ...store, '-file', caFile]);
  return { keyStore: { path, password }, caFile };
}
