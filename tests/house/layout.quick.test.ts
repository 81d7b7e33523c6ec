import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readText, repositoryFiles } from './repository.js';

const sources = repositoryFiles().filter((path) => /^(src|tests|bench|examples)\/.*\.ts$/.test(path));

test('each folder of src has a door that begins by saying what lives there', () => {
  const folders = new Set(sources.filter((path) => /^src\/\w+\//.test(path)).map((path) => path.split('/')[1]!));
  const silent = [...folders]
    .filter((folder) => folder !== 'cli')
    .filter((folder) => {
      const door = `src/${folder}/index.ts`;
      return !sources.includes(door) || !readText(door)?.startsWith('/**');
    });
  assert.deepEqual(silent, []);
});

test('files are named in kebab-case after what they know, never utils, helpers or common', () => {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.(quick|slow|node))*(\.test)?\.ts$/;
  const vague = /^(utils?|helpers?|common|misc|shared|stuff)\b/;
  const badlyNamed = sources.filter((path) => {
    const [name, ...folders] = path.split('/').reverse() as [string, ...string[]];
    return !kebab.test(name) || [name, ...folders].some((part) => vague.test(part));
  });
  assert.deepEqual(badlyNamed, []);
});

test('no file of src is so long that it must hold a second idea', () => {
  // near 300 lines STYLE asks for a second look; a table of like entries may be longer
  const longest = 500;
  const long = sources
    .filter((path) => path.startsWith('src/'))
    .map((path) => ({ path, lines: readText(path)?.split('\n').length ?? 0 }))
    .filter(({ lines }) => lines > longest)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
  assert.deepEqual(long, []);
});
