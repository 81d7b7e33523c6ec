// Runs the built tests with Node's own runner: `--quick` the fast ones, `--slow` those named *.slow.test.js, else all
// but the slow. Words after them filter by path: `npm test -- core/shape`.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
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
  console.error(
    filters.length === 0 ? `there are no ${mode} tests` : `no ${mode} tests match ${filters.join(' and ')}`,
  );
  process.exit(mode === 'slow' && filters.length === 0 ? 0 : 1);
}

// Node's own default is one file less than there are cores, which on two cores leaves one idle. Slow tests start
// threads of their own and hold much memory: one after the other.
const concurrency = mode === 'slow' ? 1 : Math.min(availableParallelism(), 4);
// A hang ends as a failure that names its file.
const timeoutMs = (mode === 'slow' ? 20 : 5) * 60_000;
const options = ['--test', '--test-reporter=spec', `--test-concurrency=${concurrency}`, `--test-timeout=${timeoutMs}`];
const child = spawn(process.execPath, [...options, ...files], { stdio: 'inherit' });
child.on('exit', (code) => process.exit(code ?? 1));
