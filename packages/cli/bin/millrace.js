#!/usr/bin/env node
import { main, nodeHost } from '../dist/index.js';

process.exitCode = await main(process.argv.slice(2), nodeHost());
// Whatever still holds the event loop after a stop that took too long must not hold the process.
setTimeout(() => process.exit(), 1000).unref();
