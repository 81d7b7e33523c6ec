import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compiled, machines, pollute, Region } from './compiled.js';
import { Evaluator, floatOf } from './evaluator.js';
import { layout, type ProgramSize, Random, randomProgram } from './random-program.js';

const sizes: readonly (readonly [name: string, size: ProgramSize])[] = [
  ['small', { locals: { integer: 4, float: 3, integers: 3, floats: 3, masks: 2 }, statements: 8, depth: 2 }],
  [
    'more values than registers',
    { locals: { integer: 20, float: 10, integers: 14, floats: 30, masks: 6 }, statements: 40, depth: 2 },
  ],
  ['deep', { locals: { integer: 8, float: 4, integers: 6, floats: 10, masks: 3 }, statements: 7, depth: 4 }],
];
/** Where to go on from: KILN_SEED=12 runs the program of that seed alone. */
const only = process.env['KILN_SEED'];

/** Tests that run programs of seeds on each machine and compare what they leave in memory with the evaluator's. */
export function testRandomPrograms(firstSeed: number, programs: number): void {
  const seeds = Array.from({ length: programs }, (_, i) => firstSeed + i);
  for (const lanes of machines) {
    const region = new Region(layout.end);
    for (const [name, size] of sizes) {
      test(`${lanes} lanes: random programs, ${name}`, () => {
        for (const seed of seeds) if (only === undefined || Number(only) === seed) check(lanes, region, seed, size);
      });
    }
  }
}

const memory = new DataView(new ArrayBuffer(layout.end));

function check(lanes: 8 | 16, region: Region, seed: number, size: ProgramSize): void {
  const random = new Random(seed + 1000 * size.statements);
  const program = randomProgram(random, lanes, size);
  for (let at = 0; at < layout.end; at += 4) {
    const isFloat = at >= layout.floats && at < layout.integers;
    if (isFloat) region.view.setFloat32(at, (random.below(2000) - 1000) / 64, true);
    else region.view.setInt32(at, random.chance(0.5) ? random.below(100) - 50 : random.bits(), true);
  }
  new Uint8Array(memory.buffer).set(new Uint8Array(region.view.buffer));
  new Evaluator(lanes, [], [], memory).run(program);
  const code = compiled(lanes, region, (f) => {
    program(f);
    f.i32(0);
  });
  pollute(random.bits());
  code.run();
  code.free();
  const { locals } = size;
  const vectors = locals.integers + locals.floats + locals.masks;
  const end = layout.results + 4 * (locals.integer + locals.float + lanes * vectors);
  const firstFloats = layout.results + 4 * (locals.integer + locals.float + lanes * locals.integers);
  const isFloat = (at: number): boolean =>
    (at >= layout.results + 4 * locals.integer && at < layout.results + 4 * (locals.integer + locals.float)) ||
    (at >= firstFloats && at < firstFloats + 4 * lanes * locals.floats);
  for (let at = 0; at < end; at += 4) {
    const [actual, expected] = [region.view.getInt32(at, true), memory.getInt32(at, true)];
    if (actual === expected) continue;
    if (isFloat(at) && Number.isNaN(floatOf(actual)) && Number.isNaN(floatOf(expected))) continue;
    assert.fail(
      `program ${seed}: at ${at}: got ${actual} (${floatOf(actual)}), expected ${expected} (${floatOf(expected)})`,
    );
  }
}
