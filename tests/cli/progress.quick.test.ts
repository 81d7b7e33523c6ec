import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatCount, formatSeconds, formatTable } from '../../src/cli/print.js';
import { barLine, ProgressDisplay } from '../../src/cli/progress.js';

const state = { epoch: 2, epochs: 5, step: 812, stepsPerEpoch: 1875, loss: 0.2314, accuracy: 0.93125 };

test('the bar drops what is least needed until it fits', () => {
  const rows: readonly (readonly [columns: number, line: string])[] = [
    [120, 'epoch 2/5  ━━━━━━━━━━──────────────  812/1,875  loss 0.2314  accuracy 93.13 %  412 steps/s  0:16 left'],
    [100, 'epoch 2/5  ━━━━━━━━━━──────────────  812/1,875  loss 0.2314  accuracy 93.13 %  0:16 left'],
    [80, 'epoch 2/5  ━━━━━━━━━━──────────────  812/1,875  loss 0.2314  0:16 left'],
    [64, 'epoch 2/5  ━━━━━━━━━━──────────────  812/1,875  0:16 left'],
    [48, 'epoch 2/5  ━━━━━━━━━━──────────────  812/1,875'],
    [20, 'epoch 2/5'],
    [5, 'epoc'],
  ];
  for (const [columns, line] of rows) assert.equal(barLine(state, 412, columns, false), line);
});

function display(isTTY: boolean) {
  const written: string[] = [];
  let nowMs = 0;
  const output = { write: (text: string) => void written.push(text), isTTY, columns: 120 };
  const shown = new ProgressDisplay({ output, hasColor: false, now: () => nowMs });
  return { written, shown, wait: (ms: number) => void (nowMs += ms) };
}

test('a terminal is redrawn ten times a second at most, and keeps a line an epoch', () => {
  const { written, shown, wait } = display(true);
  for (let step = 1; step <= 500; step++) {
    wait(2);
    shown.update({ epoch: 1, epochs: 1, step, stepsPerEpoch: 500, loss: 1 / step });
  }
  assert.ok(written.length <= 11, `${written.length} redraws in a second`);
  assert.ok(written.at(-1)!.startsWith('\repoch 1/1  ━'));
  assert.ok(written.at(-1)!.endsWith('500 steps/s  0:00 left\x1b[K'));
  shown.update({
    epoch: 1,
    epochs: 1,
    step: 500,
    stepsPerEpoch: 500,
    loss: 0.1,
    validationLoss: 0.05,
    validationAccuracy: 0.985,
    isEpochDone: true,
  });
  assert.deepEqual(written.slice(-2), [
    '\r\x1b[K',
    'epoch 1/1  0:01  loss 0.1000  validation loss 0.0500  validation accuracy 98.50 %\n',
  ]);
});

test('elsewhere there is a plain line each five seconds and one an epoch, without escape codes', () => {
  const { written, shown, wait } = display(false);
  for (let step = 1; step <= 12; step++) {
    shown.update({ epoch: 1, epochs: 2, step, stepsPerEpoch: 12, accuracy: 0.5 });
    wait(1000);
  }
  shown.update({ epoch: 1, epochs: 2, step: 12, stepsPerEpoch: 12, accuracy: 0.5, isEpochDone: true });
  assert.deepEqual(written, [
    'epoch 1/2  step 6/12  accuracy 50.00 %  1.0 steps/s  0:18 left\n',
    'epoch 1/2  step 11/12  accuracy 50.00 %  1.0 steps/s  0:13 left\n',
    'epoch 1/2  0:12  accuracy 50.00 %\n',
  ]);
});

test('numbers, bytes, times and tables', () => {
  assert.deepEqual([0, 999, 1000, 1234567].map(formatCount), ['0', '999', '1,000', '1,234,567']);
  assert.deepEqual([0, 999, 1500, 600_810_000].map(formatBytes), ['0 bytes', '999 bytes', '1.50 KB', '601 MB']);
  assert.deepEqual([0, 7.4, 103, 7509].map(formatSeconds), ['0:00', '0:07', '1:43', '2:05:09']);
  const table = {
    columns: [{ title: 'Layer' }, { title: 'Parameters', align: 'right' as const }],
    rows: [['dense', '10']],
    foot: [['Total', '10']],
  };
  assert.equal(
    formatTable(table),
    'Layer  Parameters\n─────────────────\ndense          10\n─────────────────\nTotal          10',
  );
});
