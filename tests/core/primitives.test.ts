import assert from 'node:assert/strict';
import test from 'node:test';
import { type PrimitiveName, primitives } from '../../src/core/index.js';
import { type Case, checkCase } from '../check-op.js';
import { contractionCases } from './cases/contraction.js';
import { controlCases, scanInteger } from './cases/control.js';
import { binaryCases, unaryCases } from './cases/elementwise.js';
import { indexingCases } from './cases/indexing.js';
import { movementCases } from './cases/movement.js';
import { reductionCases } from './cases/reduction.js';
import { sortingCases } from './cases/sorting.js';
import { windowCases } from './cases/window.js';

const cases: Readonly<Partial<Record<PrimitiveName, Case>>> = {
  ...unaryCases,
  ...binaryCases,
  ...movementCases,
  ...reductionCases,
  ...sortingCases,
  ...contractionCases,
  ...windowCases,
  ...indexingCases,
  ...controlCases,
};

test('every primitive has rows', () => {
  const missing = Object.keys(primitives).filter((name) => !cases[name as PrimitiveName]?.rows.length);
  assert.deepEqual(missing, []);
});

for (const [name, entry] of Object.entries(cases)) {
  const seen = new Set<string>();
  checkCase(name, entry, (nodes) => {
    for (const { op } of nodes) seen.add(op);
  });
  test(`rows of ${name} use it`, () => assert.ok(seen.has(name)));
}
checkCase('scan of integers', scanInteger);
