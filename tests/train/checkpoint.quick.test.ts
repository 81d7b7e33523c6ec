import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { encodeSafetensors } from '../../src/formats/index.js';
import { dense, sequential } from '../../src/nn/index.js';
import {
  checkpointEvery,
  evaluate,
  fit,
  load,
  readCheckpoint,
  save,
  type TrainingState,
  weightAverage,
  writeCheckpoint,
} from '../../src/train/index.js';
import { clusters, smallNetwork, smallOptions, valuesIn } from './small.js';

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'kiln-checkpoint-'));
const other =
  '\n  Build the model as it was when the file was written. `kiln summary FILE.safetensors` lists what the file holds.';

test('a training goes on from any step with the same bits, also with averages and micro-batches', async () => {
  for (const accumulate of [1, 2]) {
    const options = { ...smallOptions(), epochs: 2, validation: clusters(8), accumulate };
    const directory = await folder();
    const [whole, parts] = [join(directory, 'whole'), join(directory, 'parts')];
    await fit(smallNetwork(), clusters(28), {
      ...options,
      ...smallOptions([weightAverage(), checkpointEvery({ path: whole })]),
      epochs: 2,
    });
    let resume: TrainingState | undefined;
    for (let stops = 0; stops < 20; stops++) {
      const controller = new AbortController();
      const interrupt = { name: 'interrupt', onStep: () => controller.abort() };
      const { interrupted } = await fit(smallNetwork(stops + 1), clusters(28), {
        ...options,
        ...smallOptions([weightAverage(), interrupt, checkpointEvery({ path: parts })]),
        epochs: 2,
        signal: controller.signal,
        ...(resume ? { resume } : {}),
      });
      resume = await readCheckpoint(parts);
      if (!interrupted) break;
    }
    assert.ok((await readFile(parts)).equals(await readFile(whole)), `accumulate ${accumulate}`);
  }
});

test('a training that is interrupted in a validation goes on with it, not with another epoch', async () => {
  const directory = await folder();
  const [whole, parts] = [join(directory, 'whole'), join(directory, 'parts')];
  const options = (path: string) => ({ ...smallOptions([checkpointEvery({ path })]), epochs: 2 });
  await fit(smallNetwork(), clusters(28), { ...options(whole), validation: clusters(8) });
  const controller = new AbortController();
  const { fields } = clusters(8);
  const validation = {
    *[Symbol.iterator]() {
      controller.abort();
      yield { fields };
    },
  };
  const { signal } = controller;
  const { interrupted, steps } = await fit(smallNetwork(), clusters(28), { ...options(parts), validation, signal });
  assert.deepEqual({ interrupted, steps }, { interrupted: true, steps: 4 });
  const resume = await readCheckpoint(parts);
  await fit(smallNetwork(2), clusters(28), { ...options(parts), validation: clusters(8), resume });
  const [a, b] = [await readCheckpoint(whole), await readCheckpoint(parts)];
  assert.equal(b.progress.step, a.progress.step);
  assert.deepEqual(
    b.progress.history.map(({ epoch, step }) => [epoch, step]),
    [
      [1, 4],
      [2, 8],
    ],
  );
  assert.deepEqual(b.tensors, a.tensors);
});

test('the state of an early stop goes on as well', async () => {
  const directory = await folder();
  const path = join(directory, 'checkpoint.safetensors');
  await fit(smallNetwork(), clusters(16), smallOptions([checkpointEvery({ path })]));
  const { progress } = await readCheckpoint(path);
  assert.equal(progress.step, 6);
  assert.equal(progress.history.length, 3);
  assert.deepEqual(await readdir(directory), ['checkpoint.safetensors'], 'nothing is left beside it');
});

test('a checkpoint of another model is refused with the first difference', async () => {
  const path = join(await folder(), 'checkpoint.safetensors');
  await fit(smallNetwork(), clusters(16), smallOptions([checkpointEvery({ path })]));
  const resume = await readCheckpoint(path);
  const wider = sequential({ input: [6] }, [dense(9)]);
  const before = valuesIn(wider);
  await assert.rejects(fit(wider, clusters(16), { ...smallOptions(), resume }), {
    message: `${path}: is of another model: model/dense_1/kernel is float32 [6, 8], the model's float32 [6, 9]${other}`,
  });
  assert.deepEqual(valuesIn(wider), before);
  await assert.rejects(load(wider, path), {
    message: `${path}: is of another model: dense_1/kernel is float32 [6, 8], the model's float32 [6, 9]${other}`,
  });
});

test('other data are refused', async () => {
  const path = join(await folder(), 'checkpoint.safetensors');
  await fit(smallNetwork(), clusters(16), smallOptions([checkpointEvery({ path })]));
  const resume = await readCheckpoint(path);
  await assert.rejects(fit(smallNetwork(), clusters(17), { ...smallOptions(), resume }), {
    message:
      'loader: the saved position is one of length 16, this loader has 17\n' +
      '  Go on with the same data: 16 examples of clusters.',
  });
});

test('a file of weights is no checkpoint, and a damaged one says so', async () => {
  const path = join(await folder(), 'weights.safetensors');
  await save(smallNetwork(), path);
  await assert.rejects(readCheckpoint(path), {
    message:
      `${path}: is no checkpoint of a training (format: kiln model 1, kiln checkpoint 1 expected)\n` +
      '  A file of weights goes through load(model, path). Checkpoints are written by checkpointEvery.',
  });
  await writeFile(path, encodeSafetensors({}, { format: 'kiln checkpoint 1', progress: '{"step":' }));
  await assert.rejects(readCheckpoint(path), {
    message: `${path}: its progress is damaged: {"step":\n  Take an earlier checkpoint, or begin anew.`,
  });
});

test('weights go through a file and come back with the same bits', async () => {
  const path = join(await folder(), 'weights.safetensors');
  const [model, again] = [smallNetwork(1), smallNetwork(2)];
  await save(model, path, { metadata: { architecture: 'small' } });
  await load(again, path);
  assert.deepEqual(valuesIn(again), valuesIn(model));
});

test('weights of a checkpoint load into a model', async () => {
  const path = join(await folder(), 'checkpoint.safetensors');
  const model = smallNetwork();
  const options = smallOptions([checkpointEvery({ path })]);
  await fit(model, clusters(16), options);
  const again = smallNetwork(2);
  await load(again, path);
  assert.deepEqual(valuesIn(again), valuesIn(model));
  assert.deepEqual(await evaluate(again, clusters(9), options), await evaluate(model, clusters(9), options));
});

test('a checkpoint that cannot be written ends the training and leaves the last good one', async () => {
  const directory = await folder();
  const path = join(directory, 'checkpoint.safetensors');
  let good: Buffer | undefined;
  const takeDiskAway = {
    name: 'takeDiskAway',
    onStep: async ({ step }: { step: number }) => {
      if (step !== 3) return;
      good = await readFile(path);
      await rename(directory, `${directory}-away`);
    },
  };
  await assert.rejects(
    fit(smallNetwork(), clusters(32), smallOptions([takeDiskAway, checkpointEvery({ path, steps: 2 })])),
    {
      message:
        `${path}: cannot write: no such file or folder (ENOENT)\n` +
        '  Check the spelling of the path; a folder must exist before a file is written into it.',
    },
  );
  assert.ok((await readFile(join(`${directory}-away`, 'checkpoint.safetensors'))).equals(good!));
});

test('numbers that are not finite never reach a checkpoint', async () => {
  const path = join(await folder(), 'checkpoint.safetensors');
  await fit(smallNetwork(), clusters(16), smallOptions([checkpointEvery({ path })]));
  const good = await readFile(path);
  const { tensors, progress } = await readCheckpoint(path);
  const spoilt = new Map(tensors);
  spoilt.set('model/dense_1/bias', { dtype: 'float32', shape: [8], data: new Float32Array(8).fill(Number.NaN) });
  await assert.rejects(writeCheckpoint(path, { tensors: spoilt, progress }), {
    message:
      `${path}: model/dense_1/bias holds numbers that are not finite after step 6\n` +
      '  The last checkpoint is kept. Try a lower learning rate or clip: { globalNorm: 1 }.',
  });
  assert.ok((await readFile(path)).equals(good!));
});
