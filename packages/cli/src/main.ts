import { CommanderError } from 'commander';
import { createProgram } from './arguments/program.ts';
import { resolveRunRequest } from './arguments/run-request.ts';
import { brokerCommand } from './broker/broker-command.ts';
import { describeCommand } from './describe/describe-command.ts';
import { exitCodes } from './exit-codes.ts';
import type { Host } from './host/host.ts';
import { resetCommand } from './reset/reset-command.ts';
import { resolveResetRequest } from './reset/reset-request.ts';
import { runCommand } from './run/run-command.ts';
import { UsageError } from './usage-error.ts';
import { version } from './version.ts';

/**
 * The `millrace` command.
 *
 * @param args what follows the name of the command
 * @returns the exit code. Never rejects: what goes wrong is printed
 */
export async function main(args: readonly string[], host: Host): Promise<number> {
  let exitCode: number = exitCodes.clean;
  const program = createProgram(
    host,
    version(),
    {
      run: async (module, options) => runCommand(resolveRunRequest(module, options, host), host),
      describe: (module, options) => describeCommand(module, options, host),
      reset: async (module, options) => resetCommand(resolveResetRequest(module, options, host), host),
      broker: (options) => brokerCommand(options, host),
    },
    (code) => {
      exitCode = code;
    },
  );
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    return reportFailure(error, host);
  }
}

function reportFailure(error: unknown, host: Host): number {
  // Commander has printed its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.clean : exitCodes.usage;
  if (isUsage(error)) {
    host.stderr.write(`error: ${error.message}\n`);
    return exitCodes.usage;
  }
  host.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return exitCodes.failure;
}

/** Settings come from the command line here, so wrong ones are wrong usage. By name: the module may have its own copy. */
function isUsage(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof Error && error.name === 'SettingsError');
}
