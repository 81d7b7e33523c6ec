// Runs the built tests with Node's own runner: `--quick` the fast ones, `--slow` those named *.slow.test.js, else all but the slow.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = 'dist/tests';
const mode = process.argv.includes('--slow') ? 'slow' : process.argv.includes('--quick') ? 'quick' : 'all';
const filters = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const isSlow = (file) => file.endsWith('.slow.test.js');
const isQuick = (file) => file.endsWith('.quick.test.js');
const files = readdirSync(root, { recursive: true })
  .map((file) => join(root, file))
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => (mode === 'slow' ? isSlow(file) : mode === 'quick' ? isQuick(file) : !isSlow(file)))
  .filter((file) => filters.every((filter) => file.includes(filter)))
  // the file that tells in a second whether anything works goes first
  .sort((a, b) => Number(b.includes('smoke')) - Number(a.includes('smoke')) || a.localeCompare(b));
if (files.length === 0) {
  console.error(`no ${mode} tests match ${filters.join(' ')}`);
  process.exit(1);
}
const child = spawn(process.execPath, ['--test', '--test-reporter=spec', ...files], { stdio: 'inherit' });
child.on('exit', (code) => process.exit(code ?? 1));
