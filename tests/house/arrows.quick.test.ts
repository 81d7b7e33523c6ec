import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrongArrows } from './arrows.js';
import { importsOf } from './imports.js';
import { readText, repositoryFiles } from './repository.js';

test('the arrows between the folders of src point one way', () => {
  const paths = repositoryFiles().filter((path) => path.startsWith('src/') && path.endsWith('.ts'));
  assert.ok(paths.length > 0);
  const files = new Map(paths.map((path) => [path.slice('src/'.length), readText(path) ?? '']));
  assert.deepEqual(wrongArrows(files), []);
});

/** A made-up tree: files that exist, with what the sentence must be; `import` of one file at a time. */
const wrong: readonly { file: string; source: string; sentence: string }[] = [
  {
    file: 'core/tensor.ts',
    source: `import { fuse } from '../compiler/fuse.js';`,
    sentence: 'core/tensor.ts imports compiler/fuse.ts: core knows no compiler; take it as an argument.',
  },
  {
    file: 'core/tensor.ts',
    source: `import type { Program } from '../compiler/index.js';`,
    sentence: 'core/tensor.ts imports compiler/index.ts: core knows no compiler; take it as an argument.',
  },
  {
    file: 'train/fit.ts',
    source: `import { wasm } from '../backends/index.js';`,
    sentence:
      "train/fit.ts imports backends/index.ts: only src/index.ts and cli import backends; ask core's registry for the device.",
  },
  {
    file: 'nn/dense.ts',
    source: `import { sizeOf } from '../core/shape.js';`,
    sentence: 'nn/dense.ts imports core/shape.ts: that reaches past the door core/index.ts; export it there.',
  },
  {
    file: 'nn/dense.ts',
    source: `import { tensor } from '../index.js';`,
    sentence: 'nn/dense.ts imports index.ts: that is the whole package; import the door of the folder that has it.',
  },
  {
    file: 'nn/dense.ts',
    source: `import { readFileSync } from 'node:fs';`,
    sentence: 'nn/dense.ts imports node:fs: only files named *.node.ts, cli and studio may need Node.',
  },
  {
    file: 'nn/dense.ts',
    source: `export const isDebug = process.env.KILN_DEBUG !== undefined;`,
    sentence:
      'nn/dense.ts uses process: nn runs in a browser unchanged; a layer knows tensors only; take it as an argument.',
  },
  {
    file: 'core/files.node.ts',
    source: `import { readFileSync } from 'node:fs';`,
    sentence: 'core/files.node.ts needs Node: core runs in a browser unchanged; take it as an argument.',
  },
  {
    file: 'train/fit.ts',
    source: `import { openRun } from './run.node.js';`,
    sentence:
      'train/fit.ts imports train/run.node.ts: a static import of a Node file makes this one need Node too; name it train/fit.node.ts or use import().',
  },
  {
    file: 'data/images.ts',
    source: `import sharp from 'sharp';`,
    sentence: 'data/images.ts imports sharp: sharp may be missing; load it on first use, by import().',
  },
  {
    file: 'train/fit.ts',
    source: `import { Command } from 'commander';`,
    sentence: 'train/fit.ts imports commander: commander stands behind cli/; use what that exports.',
  },
  {
    file: 'train/fit.ts',
    source: `import lodash from 'lodash';`,
    sentence:
      'train/fit.ts imports lodash: no such dependency; its reason belongs into docs/dependencies.md and its place into tests/house/arrows.ts.',
  },
  {
    file: 'train/fit.ts',
    source: `import { cases } from '../../bench/cases.js';`,
    sentence: 'train/fit.ts imports ../bench/cases.ts: it lies outside src/, and only src/ is published.',
  },
  {
    file: 'train/fit.ts',
    source: `import { sum } from './metrics';`,
    sentence: "train/fit.ts imports train/metrics: relative imports end in .js, the built file's name.",
  },
  {
    file: 'train/fit.ts',
    source: `import { gone } from './gone.js';`,
    sentence: 'train/fit.ts imports train/gone.ts: there is no such file.',
  },
  {
    file: 'tools/print.ts',
    source: `export const x = 1;`,
    sentence: 'tools/print.ts lies in tools/, which the arrows do not know: add it to tests/house/arrows.ts.',
  },
  {
    file: 'core/shape.ts',
    source: `import { Tensor } from './tensor.js';\nimport { sum } from './tensor/reduce.js';\nimport { all } from './index.js';`,
    sentence:
      'core/index.ts -> core/shape.ts -> core/index.ts: the files import one another; move what they share to a file of its own, or import only types.',
  },
  {
    file: 'core/shape.ts',
    source: `import { Tensor } from './index.js';`,
    sentence:
      'core/index.ts -> core/shape.ts -> core/index.ts: the files import one another; move what they share to a file of its own, or import only types.',
  },
];

const tree: readonly (readonly [string, string])[] = [
  ['index.ts', `export * from './core/index.js';\nexport { wasm } from './backends/index.js';`],
  ['core/index.ts', `export * from './shape.js';\nexport type { Tensor } from './tensor.js';`],
  ['core/shape.ts', ''],
  ['core/tensor.ts', `import type { Shape } from './index.js';\n// import { nothing } from '../compiler/fuse.js';`],
  ['core/tensor/reduce.ts', `import { Tensor } from '../tensor.js';`],
  ['compiler/index.ts', `export { fuse } from './fuse.js';`],
  ['compiler/fuse.ts', `import { sizeOf } from '../core/index.js';`],
  ['backends/index.ts', `export { wasm } from './wasm/threads.node.js';`],
  ['backends/wasm/threads.node.ts', `import { Worker } from 'node:worker_threads';`],
  ['nn/dense.ts', `const example = \`\nimport { fs } from 'node:fs';\`;`],
  ['train/index.ts', `export { fit } from './fit.js';\nexport { openRun } from './run.node.js';`],
  ['train/fit.ts', `const { openRun } = await import('./run.node.js');\ntype Run = import('./run.node.js').Run;`],
  ['train/run.node.ts', `import { open } from 'node:fs/promises';\nimport { sizeOf } from '../core/index.js';`],
  ['data/images.ts', `const { default: sharp } = await import('sharp');`],
  ['apps/mnist/index.ts', `import { fit } from '../../train/index.js';`],
  [
    'cli/main.ts',
    `import { run } from '../apps/mnist/index.js';\nimport { Command } from 'commander';\nimport { exit } from 'node:process';`,
  ],
];

test('a tree without wrong arrows has no sentences', () => {
  assert.deepEqual(wrongArrows(new Map(tree)), []);
});

for (const { file, source, sentence } of wrong) {
  test(`said of ${file}: ${source}`, () => {
    assert.deepEqual(wrongArrows(new Map([...tree, [file, source]])), [sentence]);
  });
}

test('imports are found in every form, and not where they are text', () => {
  const source = `
/** import { a } from 'comment'; */
import one from 'one';
import * as two from "two";
import three, { type Three } from 'three';
import {
  four, // import from 'line'
} from 'four';
import type { Five } from 'five';
import 'six';
export * from 'seven';
export * as eight from 'eight';
export { nine } from 'nine';
export type { Ten } from 'ten';
const eleven = await import('eleven');
type Twelve = import('twelve').Twelve;
let thirteen: typeof import('thirteen');
export const from = 'text';
const quoted = "// import('quoted')".replace(/['"]/g, '') + 'http://' + import('fourteen');
`;
  assert.deepEqual(
    importsOf(source).map(({ specifier, kind }) => `${specifier} ${kind}`),
    [
      'one static',
      'two static',
      'three static',
      'four static',
      'five type',
      'six static',
      'seven static',
      'eight static',
      'nine static',
      'ten type',
      'eleven dynamic',
      'twelve type',
      'thirteen type',
      'quoted dynamic',
      'fourteen dynamic',
    ],
  );
});
