import { conv2d, dense, dropout, flatten, maxPool2d, type Sequential, sequential } from '../../nn/index.js';

/** Written into files of weights, so that the network for them can be built again. */
export const architecture = 'mnist';

/**
 * The network of the introductory lectures for handwritten digits: [batch, 28, 28, 1] -> logits [batch, 10], 600,810 weights.
 *
 * The softmax is left to the loss and to `predict`: from logits both are exact where a softmax in float32 has become 0 or 1.
 *
 * @see Keras's example mnist_cnn, of which this is the lecture's version
 */
export const mnistNetwork = (): Sequential =>
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
