import { main, nodeHost } from '@millrace/cli';

process.exitCode = await main(process.argv.slice(2), nodeHost());
