#!/usr/bin/env node
/** The command `kiln`. */
import { commands } from './commands.js';
import { runInProcess } from './process.js';

await runInProcess(commands);
