import type { SaslOptions, TlsOptions } from 'millrace';
import type { Host } from '../host/host.ts';
import { UsageError } from '../usage-error.ts';
import type { RawOptions } from './raw-options.ts';

/** How the connection is secured; what is absent is off. */
export interface SecurityOptions {
  readonly tls?: TlsOptions;
  readonly sasl?: SaslOptions;
}

/**
 * TLS and SASL from options, files and the environment. A password never stands on the command line, where others see it.
 *
 * @throws UsageError for a file that cannot be read, or credentials that are incomplete
 */
export function securityOf(options: RawOptions, host: Host): SecurityOptions {
  const tls = tlsOf(options, host);
  const sasl = saslOf(options, host);
  return { ...(tls === undefined ? {} : { tls }), ...(sasl === undefined ? {} : { sasl }) };
}

function tlsOf({ tls, ca }: RawOptions, host: Host): TlsOptions | undefined {
  if (ca !== undefined) return { ca: readFile(host, '--ca', ca) };
  return tls === true ? true : undefined;
}

function saslOf({ saslMechanism, saslUsername, saslPasswordFile }: RawOptions, host: Host): SaslOptions | undefined {
  if (saslMechanism === undefined) {
    if (saslUsername === undefined && saslPasswordFile === undefined) return undefined;
    throw new UsageError('--sasl-username and --sasl-password-file need --sasl-mechanism');
  }
  if (saslUsername === undefined) throw new UsageError(`--sasl-mechanism ${saslMechanism} needs --sasl-username`);
  const password =
    saslPasswordFile === undefined
      ? host.env.MILLRACE_SASL_PASSWORD
      : readFile(host, '--sasl-password-file', saslPasswordFile).replace(/\r?\n$/, '');
  if (password === undefined || password === '') {
    throw new UsageError(
      `--sasl-mechanism ${saslMechanism} needs a password: give --sasl-password-file, or set MILLRACE_SASL_PASSWORD`,
    );
  }
  return { mechanism: saslMechanism, username: saslUsername, password };
}

function readFile(host: Host, option: string, path: string): string {
  try {
    return host.readFile(path);
  } catch (error) {
    throw new UsageError(`${option} ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
