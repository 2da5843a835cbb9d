import { Command, Option } from 'commander';
import type { BrokerOptions } from '../broker/broker-command.ts';
import type { DescribeOptions } from '../describe/describe-command.ts';
import type { Host } from '../host/host.ts';
import { resetOptionTable } from '../reset/reset-option-table.ts';
import type { RawResetOptions } from '../reset/reset-request.ts';
import { runOptionTable, type OptionEntry } from './option-table.ts';
import type { RawOptions } from './raw-options.ts';

/** What the commands do; each resolves with the exit code. */
export interface Commands {
  run(module: string, options: RawOptions): Promise<number>;
  describe(module: string, options: DescribeOptions): Promise<number>;
  reset(module: string, options: RawResetOptions): Promise<number>;
  broker(options: BrokerOptions): Promise<number>;
}

const EXIT_CODES = '\nExit codes: 0 stopped cleanly, 1 failed, 2 used wrongly, 130 stopped at once by a second signal.';

/**
 * The command line as commander sees it. It never ends the process and never prints past the host: an error or a request
 * for help is thrown as a CommanderError.
 *
 * @param onExitCode is told the exit code of the command that ran
 */
export function createProgram(host: Host, version: string, commands: Commands, onExitCode: (code: number) => void): Command {
  const program = new Command('millrace')
    .description('Stream processing for Node.js in the manner of Kafka Streams')
    .version(version)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      getOutHelpWidth: () => host.stdout.columns,
      getErrHelpWidth: () => host.stderr.columns,
    });
  const run = program
    .command('run')
    .description('start a worker: load the module, build its topology, work until a signal comes')
    .argument('<module>', 'file that exports buildTopology(), or a topology or a function that makes one as its default')
    .addHelpText('after', EXIT_CODES)
    .action(async (module: string, options: RawOptions) => onExitCode(await commands.run(module, options)));
  for (const entry of runOptionTable) run.addOption(optionOf(entry));
  program
    .command('describe')
    .description("print the topology in Kafka's text format")
    .argument('<module>', 'file that exports the topology')
    .option('--diff <file>', 'say instead what would become of state and topics of the version that the file describes')
    .action(async (module: string, options: DescribeOptions) => onExitCode(await commands.describe(module, options)));
  const reset = program
    .command('reset')
    .description('take an application back to where it has processed nothing; says what it would do unless --execute is given')
    .argument('<module>', 'file that exports the topology')
    .addHelpText('after', EXIT_CODES)
    .action(async (module: string, options: RawResetOptions) => onExitCode(await commands.reset(module, options)));
  for (const entry of resetOptionTable) reset.addOption(optionOf(entry));
  program
    .command('broker')
    .description('start a Kafka broker for development in this process, until a signal comes')
    .option('--port <port>', 'where to listen on 127.0.0.1; 0 for any port that is free (default 9092)')
    .option('--data-dir <folder>', 'keep everything there, also over kill -9')
    .option('--memory', 'keep nothing; so it is without --data-dir')
    .addOption(new Option('--transaction-version <version>', 'as the feature of Kafka (default 1)').choices(['1', '2']))
    .action(async (options: BrokerOptions) => onExitCode(await commands.broker(options)));
  return program;
}

function optionOf({ flags, env, description, choices, repeatable }: OptionEntry): Option {
  const option = new Option(flags, env === undefined ? description : `${description} (or ${env})`);
  if (choices !== undefined) option.choices(choices);
  if (repeatable === true) option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
  return option;
}
