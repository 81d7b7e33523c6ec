import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { HostArray } from '../../src/core/dtype.js';
import { FormatError, KilnError } from '../../src/core/errors.js';
import { encodeSafetensors, readSafetensors, readSafetensorsHeader, writeFileAtomic } from '../../src/formats/index.js';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kiln-formats-'));
});
after(() => rm(folder, { recursive: true }));

const weights: HostArray = { dtype: 'float32', shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) };

async function thrown(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => assert.fail('nothing was thrown'),
    (error: Error) => error,
  );
}

test('a file is written, replaced and read again', async () => {
  const path = join(folder, 'model.safetensors');
  await writeFileAtomic(path, encodeSafetensors({ old: weights }));
  await writeFileAtomic(path, encodeSafetensors({ weights }, { step: '7' }));
  const { tensors, metadata } = await readSafetensors(path);
  assert.deepEqual([...tensors], [['weights', weights]]);
  assert.deepEqual(metadata, { step: '7' });
  assert.deepEqual((await readSafetensorsHeader(path)).entries, [
    { name: 'weights', stored: 'F32', dtype: 'float32', shape: [2, 2], begin: 0, end: 16 },
  ]);
  assert.deepEqual(await readdir(folder), ['model.safetensors']);
});

test('the header of a file is read without its elements', async () => {
  const path = join(folder, 'huge.safetensors');
  const bytes = 10_000_000_000;
  const json = JSON.stringify({ huge: { dtype: 'U8', shape: [bytes], data_offsets: [0, bytes] } });
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(json.length), true);
  const file = await open(path, 'w');
  await file.writeFile(prefix);
  await file.writeFile(json);
  await file.truncate(8 + json.length + bytes); // sparse: takes no room on disk
  await file.close();
  assert.deepEqual((await readSafetensorsHeader(path)).entries[0]?.shape, [bytes]);
});

test('a truncated file is told by its path', async () => {
  const path = join(folder, 'cut.safetensors');
  await writeFile(path, encodeSafetensors({ weights }).subarray(0, -3));
  const error = await thrown(readSafetensors(path));
  assert.ok(error instanceof FormatError);
  assert.equal(
    error.message,
    `${path}: holds 13 of 16 bytes of elements\n  The file is not whole: copy or download it again.`,
  );
});

test('a file that is not there, or is a folder, is told', async () => {
  const path = join(folder, 'absent.safetensors');
  const error = await thrown(readSafetensors(path));
  assert.ok(error instanceof KilnError);
  assert.equal(
    error.message,
    `${path}: cannot read: no such file or folder (ENOENT)\n  Check the spelling of the path; a folder must exist before a file is written into it.`,
  );
  assert.match(
    (await thrown(readSafetensors(folder))).message,
    /: cannot read: it is a folder \(EISDIR\)\n {2}Name a file\.$/,
  );
});

test('a full disk leaves the old file and nothing beside it', { skip: !existsSync('/dev/full') }, async () => {
  const path = join(folder, 'kept.bin');
  await writeFileAtomic(path, 'old');
  // the name beside must be ours to remove, while the bytes go to a device that has no room
  const openTemporary = async (beside: string) => {
    await writeFile(beside, '');
    return open('/dev/full', 'w');
  };
  const error = await thrown(writeFileAtomic(path, new Uint8Array(100_000), { openTemporary }));
  assert.ok(error instanceof KilnError);
  assert.equal(
    error.message,
    `${path}: cannot write: the disk is full (ENOSPC)\n  Free some space and try again; what was there before is untouched.`,
  );
  assert.equal(await readFile(path, 'utf8'), 'old');
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('a read-only folder is told and left as it was', { skip: process.platform === 'win32' }, async () => {
  const locked = join(folder, 'locked');
  await mkdir(locked);
  await writeFile(join(locked, 'kept.bin'), 'old');
  await chmod(locked, 0o555);
  await chmod(folder, 0o755);
  // root may write anywhere: become nobody for the moment
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid!(65534);
  const error = await thrown(writeFileAtomic(join(locked, 'kept.bin'), 'new')).finally(() => {
    if (isRoot) process.seteuid!(0);
  });
  assert.equal(
    error.message,
    `${join(locked, 'kept.bin')}: cannot write: permission denied (EACCES)\n  Change its permissions, or choose a folder of your own.`,
  );
  assert.equal(await readFile(join(locked, 'kept.bin'), 'utf8'), 'old');
  assert.deepEqual(await readdir(locked), ['kept.bin']);
  await chmod(locked, 0o755);
});

test('what a killed process left beside is removed by the next one that writes', async () => {
  const path = join(folder, 'swept.bin');
  const neverAlive = 2 ** 22 + 1; // above the largest process id of Linux
  await writeFile(`${path}.${neverAlive}-1.tmp`, 'part');
  await writeFile(`${path}.${process.pid}-999.tmp`, 'of a living one');
  await writeFileAtomic(path, 'whole');
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('swept')),
    ['swept.bin', `swept.bin.${process.pid}-999.tmp`],
  );
});
