import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { readText, repositoryFiles, root } from './repository.js';

/** What a repository holds only by mistake. The patterns are written so that they do not find themselves. */
const mistakes: readonly { what: string; pattern: RegExp; in: RegExp }[] = [
  {
    what: "the path of somebody's own machine",
    pattern: /(?<![\w.])\/(?:home|root|work|Users|mnt)\/\w[\w./-]*/,
    in: /./,
  },
  { what: "the path of somebody's own machine", pattern: /\b[A-Z]:\\(?:Users|work)\\\w+/, in: /./ },
  {
    what: 'a file below /tmp that only one machine has',
    pattern: /(?<![\w.])\/tmp\/\w[\w./-]*/,
    in: /^(src|tests|bench|scripts|examples)\//,
  },
  {
    what: 'a package registry of its own',
    pattern: /"resolved": "(?!https:\/\/registry\.npmjs\.org\/)[^"]*"/,
    in: /package-lock\.json$/,
  },
  { what: 'a package registry of its own', pattern: /^(?:\S+:)?(?:registry|_authToken|proxy)\s*=.*/m, in: /\.npmrc$/ },
  { what: 'a key', pattern: /-{5}BEGIN [A-Z ]*PRIVATE KEY-{5}/, in: /./ },
  { what: 'an unfinished merge', pattern: /^(?:<{7}|>{7}) .*/m, in: /./ },
];

/** Every mistake in `text`, as sentences. */
function mistakesIn(path: string, text: string): string[] {
  return mistakes
    .filter((mistake) => mistake.in.test(path))
    .flatMap(({ what, pattern }) => {
      const found = pattern.exec(text)?.[0];
      return found === undefined ? [] : [`${path} holds ${what}: ${found}`];
    });
}

test('no file holds a path, a registry or a key of the machine it was written on', () => {
  const found = repositoryFiles().flatMap((path) => mistakesIn(path, readText(path) ?? ''));
  assert.deepEqual(found, []);
});

test('the mistakes are found where they are made', () => {
  const directory = ['', 'home', 'ada', 'kiln'].join('/');
  assert.deepEqual(mistakesIn('README.md', `cd ${directory} && npm test`), [
    `README.md holds the path of somebody's own machine: ${directory}`,
  ]);
  assert.deepEqual(mistakesIn('package-lock.json', '"resolved": "http://mirror.local/fflate.tgz"'), [
    'package-lock.json holds a package registry of its own: "resolved": "http://mirror.local/fflate.tgz"',
  ]);
  assert.deepEqual(mistakesIn('package-lock.json', '"resolved": "https://registry.npmjs.org/fflate.tgz"'), []);
  assert.deepEqual(mistakesIn('src/a.ts', `import { fail } from './work/a.js'; // <https://example.org/work/a>`), []);
});

test('no file is so large that a clone becomes slow', () => {
  const largest = 1_500_000;
  const large = repositoryFiles().filter((path) => statSync(root + path).size > largest);
  assert.deepEqual(large, []);
});
