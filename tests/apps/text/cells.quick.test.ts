import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correlation, findCells } from '../../../src/apps/text/cells.js';
import { textNetwork } from '../../../src/apps/text/index.js';
import { wasm } from '../../../src/backends/index.js';
import { tensor, useDevice, zeros } from '../../../src/core/index.js';
import { Vocabulary } from '../../../src/data/index.js';

useDevice(wasm({ threads: 1 }));

test("correlation is Pearson's, and 0 where nothing changes", () => {
  assert.equal(correlation([1, 2, 3], [10, 20, 30]), 1);
  assert.equal(correlation([1, 2, 3], [3, 2, 1]), -1);
  assert.ok(Math.abs(correlation([1, 2, 3, 4], [1, 3, 2, 4]) - 0.8) < 1e-12);
  assert.equal(correlation([1, 2, 3], [5, 5, 5]), 0);
});

test('units that were made to follow something are found and named', async () => {
  const text = 'if (a) {\n\tfoo(12);\n}\nwhile (Bar) {\n\tbaz(a, 345);\n}\n'.repeat(8);
  const vocabulary = Vocabulary.of(text);
  const model = textNetwork(
    { model: 'rnn', layers: 1, hidden: 3, dropout: 0, seed: 0 },
    { vocabulary: vocabulary.size, sequenceLength: 8 },
  );
  for (const parameter of Object.values(model.parameters())) parameter.assign(zeros(parameter.shape));
  // unit 0 is high at digits, unit 2 low at capitals, unit 1 always 0
  const kernel = vocabulary.symbols.map((symbol) => [/\d/.test(symbol) ? 2 : -2, 0, /[A-Z]/.test(symbol) ? -1 : 0]);
  model.parameters()['simple_rnn_1/cell/kernel']!.assign(tensor(kernel));
  const cells = await findCells(model, [...text], vocabulary.encode(text));
  assert.deepEqual(cells.map(({ title }) => title).sort(), [
    'simple_rnn_1, unit 0: digits (correlation 1.00)',
    'simple_rnn_1, unit 2: capital letters (correlation -1.00)',
  ]);
  const digits = cells.find(({ title }) => title.includes('digits'))!;
  assert.equal(digits.values.length, text.length);
  assert.ok(Math.abs(digits.values[text.indexOf('1')]! - Math.tanh(2)) < 1e-6);
});
