/** Every row of every primitive's cases, and its gradient, lowered with passes on and off. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { traceFunction } from '../../src/core/execute.js';
import { grad, HostRandom, interpret, type PrimitiveName, streamOf, type Tensor } from '../../src/core/index.js';
import type { Case, Row } from '../check-op.js';
import { contractionCases } from '../core/cases/contraction.js';
import { controlCases, scanInteger } from '../core/cases/control.js';
import { binaryCases, unaryCases } from '../core/cases/elementwise.js';
import { indexingCases } from '../core/cases/indexing.js';
import { movementCases } from '../core/cases/movement.js';
import { reductionCases } from '../core/cases/reduction.js';
import { sortingCases } from '../core/cases/sorting.js';
import { windowCases } from '../core/cases/window.js';
import '../devices.js';
import { describeOperand, makeOperand } from '../operands.js';
import type { RandomCase } from '../random-graph.js';
import { checkLowering } from './lowering.js';

const cases: Readonly<Partial<Record<PrimitiveName | 'scan of integers', Case>>> = {
  ...unaryCases,
  ...binaryCases,
  ...movementCases,
  ...reductionCases,
  ...sortingCases,
  ...contractionCases,
  ...windowCases,
  ...indexingCases,
  ...controlCases,
  'scan of integers': scanInteger,
};

type Function_ = (...inputs: Tensor[]) => readonly Tensor[];

/** A function of given tensors as a case: float32 may be off by so much of the greatest element. */
function caseOf(f: Function_, given: readonly Tensor[], tolerance: number): RandomCase {
  const { graph, sources } = traceFunction((_, ...inputs: never[]) => f(...(inputs as unknown as Tensor[])), given);
  const inputs = sources.map((source, i) => {
    assert.ok(source.kind !== 'parameter');
    const from = source.kind === 'argument' ? given[source.index]! : source.tensor;
    return { shape: graph.inputs[i]!.shape, dtype: graph.inputs[i]!.dtype, data: Float64Array.from(from.dataSync()) };
  });
  const expected = interpret(graph, inputs);
  const errors = expected.map(({ dtype, data }) => {
    const greatest = data.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
    return dtype === 'float32' ? tolerance * greatest : 0;
  });
  const rounded = expected.map((array) =>
    array.dtype === 'float32' ? { ...array, data: array.data.map(Math.fround) } : array,
  );
  return { seed: 0, graph, donations: expected.map(() => undefined), inputs, expected: rounded, errors };
}

for (const [name, { rows, run }] of Object.entries(cases)) {
  rows.forEach((row: Row<unknown>, number) => {
    const operands = [row.x, row.y, row.z].filter((operand) => operand !== undefined);
    const note = row.note ? `: ${row.note}` : '';
    test(`${name} ${number} of ${operands.map(describeOperand).join(' and ')}${note}`, () => {
      const random = new HostRandom(1, streamOf(`${name} ${number}`));
      const made = operands.map((operand) => makeOperand(operand, random));
      const bases = made.map(({ base }) => base);
      const f: Function_ = (...xs) =>
        run(
          row,
          xs.map((x, i) => made[i]!.view(x)),
        );
      checkLowering(caseOf(f, bases, row.tolerance ?? 1e-5));
      const isFloat = bases.map(({ dtype }) => dtype === 'float32');
      const hasFloats = f(...bases).some(({ dtype }) => dtype === 'float32') && isFloat.includes(true);
      if (row.noGradient !== undefined || !hasFloats) return;
      const gradients: Function_ = (...xs) =>
        grad((own: readonly Tensor[]) => {
          let next = 0;
          const outputs = f(...xs.map((x, i) => (isFloat[i] ? own[next++]! : x)));
          return outputs
            .filter(({ dtype }) => dtype === 'float32')
            .map((y) => y.mul(y).sum())
            .reduce((a, b) => a.add(b));
        })(xs.filter((_, i) => isFloat[i]));
      checkLowering(caseOf(gradients, bases, (row.tolerance ?? 1e-5) * 5));
    });
  });
}
