/**
 * data: readers (IDX, pictures, text, MNIST), data sets in memory, and the loader that hands out batches.
 * Readers believe nothing a file claims before it fits the file; bytes stay bytes until training code scales them.
 * Knows arrays only: no tensor, no layer. What touches the disk is in `*.node.ts`.
 */
export { Dataset, type DatasetOptions, gatherRows } from './dataset.js';
export { digitFromImage } from './digit.js';
export { decodeIdx } from './idx.js';
export { decodeIdxFile, readIdx } from './idx.node.js';
export { type ResizeOptions, resize } from './image-resize.js';
export { type Channels, toChannels } from './image-transform.js';
export { decodeImage, encodePng, type ImageOptions, readImage } from './images.node.js';
export { type Batch, Loader, type LoaderOptions, type LoaderState } from './loader.js';
export { type Mnist, type MnistOptions, mnist } from './mnist.node.js';
export { permutation } from './permutation.js';
export { type TextStreams, type TextStreamsOptions, textStreams, Vocabulary } from './text.js';
export { readTexts, type TextFiles } from './text.node.js';
