import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add,
  batchNorm,
  connect,
  conv2d,
  Dense,
  dense,
  dropout,
  flatten,
  graph,
  input,
  maxPool2d,
  sequential,
  summary,
  summaryRows,
} from '../../src/nn/index.js';

const lecture = () =>
  sequential({ input: [28, 28, 1] }, [
    conv2d(32, 3, { activation: 'relu' }),
    conv2d(32, 3, { activation: 'relu' }),
    maxPool2d(2),
    dropout(0.25),
    flatten(),
    dense(128, { activation: 'relu' }),
    dropout(0.5),
    dense(10),
  ]);

/** A text block without the indentation of the source. */
const block = (text: string): string => text.trim().replace(/^ {4}/gm, '');

test('channels first, the summary shows the lecture', () => {
  assert.equal(
    summary(lecture(), { layout: 'channelsFirst' }),
    block(`
    ____________________________________________________________________________________________
    Layer (type)                      Output Shape         Param #   Connected to
    ============================================================================================
    convolution2d_1 (Convolution2D)   (None, 32, 26, 26)   320       convolution2d_input_1[0][0]
    convolution2d_2 (Convolution2D)   (None, 32, 24, 24)   9,248     convolution2d_1[0][0]
    maxpooling2d_1 (MaxPooling2D)     (None, 32, 12, 12)   0         convolution2d_2[0][0]
    dropout_1 (Dropout)               (None, 32, 12, 12)   0         maxpooling2d_1[0][0]
    flatten_1 (Flatten)               (None, 4608)         0         dropout_1[0][0]
    dense_1 (Dense)                   (None, 128)          589,952   flatten_1[0][0]
    dropout_2 (Dropout)               (None, 128)          0         dense_1[0][0]
    dense_2 (Dense)                   (None, 10)           1,290     dropout_2[0][0]
    ============================================================================================
    Total params: 600,810
    Trainable params: 600,810
    Non-trainable params: 0
    ____________________________________________________________________________________________`),
  );
});

test('channels last, names and shapes are those of the model', () => {
  assert.equal(
    summary(lecture()),
    block(`
    __________________________________________________________
    Layer (type)                  Output Shape         Param #
    ==========================================================
    conv2d_1 (Conv2D)             (None, 26, 26, 32)   320
    conv2d_2 (Conv2D)             (None, 24, 24, 32)   9,248
    max_pooling2d_1 (MaxPool2D)   (None, 12, 12, 32)   0
    dropout_1 (Dropout)           (None, 12, 12, 32)   0
    flatten_1 (Flatten)           (None, 4608)         0
    dense_1 (Dense)               (None, 128)          589,952
    dropout_2 (Dropout)           (None, 128)          0
    dense_2 (Dense)               (None, 10)           1,290
    ==========================================================
    Total params: 600,810
    Trainable params: 600,810
    Non-trainable params: 0
    __________________________________________________________`),
  );
});

test('a graph with branches says what is connected to what; shared and non-trainable parameters count once', () => {
  const x = input([4, 4, 2]);
  const a = conv2d(2, 3, { padding: 'same', name: 'stem' })(x);
  const shared = new Dense(2, 2);
  const model = graph(x, batchNorm()(add(connect(shared, a), connect(shared, x))));
  assert.equal(
    summary(model),
    block(`
    ________________________________________________________________________________
    Layer (type)                        Output Shape      Param #   Connected to
    ================================================================================
    stem (Conv2D)                       (None, 4, 4, 2)   38        input
    dense_1 (Dense)                     (None, 4, 4, 2)   6         stem
    dense_1 (Dense)                     (None, 4, 4, 2)   0         input
    add_1 (Combine)                     (None, 4, 4, 2)   0         dense_1, dense_1
    batch_normalization_1 (BatchNorm)   (None, 4, 4, 2)   8         add_1
    ================================================================================
    Total params: 52
    Trainable params: 48
    Non-trainable params: 4
    ________________________________________________________________________________`),
  );
  const names = summaryRows(model, { layout: 'channelsFirst' }).map(({ name, type }) => `${name} ${type}`);
  assert.deepEqual(names, [
    'stem Convolution2D',
    'dense_1 Dense',
    'dense_1 Dense',
    'merge_1 Merge',
    'batchnormalization_1 BatchNormalization',
  ]);
});

test('rows have the numbers', () => {
  assert.deepEqual(summaryRows(sequential({ input: [3] }, [dense(2), dense(1, { name: 'top' })])), [
    { name: 'dense_1', type: 'Dense', outputShape: [undefined, 2], parameters: 8, trainable: 8, incoming: ['input'] },
    { name: 'top', type: 'Dense', outputShape: [undefined, 1], parameters: 3, trainable: 3, incoming: ['dense_1'] },
  ]);
});

test('a class that was not put together by Kiln cannot be shown', () => {
  assert.throws(() => summary(new Dense(1, 1)), {
    message:
      'summary: a Dense does not know how its layers are connected\n' +
      '  Models made by sequential() and graph() do; parameters() lists what any layer holds.',
  });
});
