/**
 * core: tensors, parameters, tracing, the graph and its primitives, gradients.
 * A function of tensors becomes a graph here; what runs it is a Device, of which only the interface is known.
 * Knows no compiler, no backend, no layer.
 */
import './tensor/activation.js';
import './tensor/arithmetic.js';
import './tensor/contraction.js';
import './tensor/convolution.js';
import './tensor/elementwise.js';
import './tensor/indexing.js';
import './tensor/matrix.js';
import './tensor/movement.js';
import './tensor/pooling.js';
import './tensor/rearrange.js';
import './tensor/reduce.js';
import './tensor/softmax.js';
import './tensor/sorting.js';
import './tensor/statistics.js';

export { apply, applyAll, asTensor, type TensorLike } from './apply.js';
export {
  chooseDeviceBy,
  type Device,
  type DeviceMemory,
  device,
  deviceNames,
  type Executable,
  type MemoryUse,
  memory,
  registerDevice,
  useDevice,
} from './device.js';
export {
  bytesPerElement,
  type ComputeDType,
  type DType,
  type HostArray,
  promote,
  type TypedArray,
  viewAs,
} from './dtype.js';
export {
  cutKilnFrames,
  FormatError,
  fail,
  InternalError,
  KilnError,
  nearest,
  ShapeError,
  unreachable,
} from './errors.js';
export { compile } from './execute.js';
export { failOnFile } from './file-error.js';
export {
  canonicalKey,
  type Graph,
  GraphBuilder,
  hasParts,
  inline,
  keyOf,
  liveNodes,
  type Node,
  type NodeOf,
  printGraph,
  type TensorType,
  verifyGraph,
} from './graph.js';
export { interpret } from './interpret.js';
export { Parameter, type ParameterOptions } from './parameter.js';
export { philox4x32, philoxMultipliers, philoxRounds, philoxWeyl } from './philox.js';
export {
  type ConvParams,
  convOutputSize,
  type DotParams,
  type ElementwiseName,
  failIndex,
  freeAxes,
  type ParamsOf,
  type PrimitiveName,
  primitives,
  type ReferenceArray,
  type ScanParams,
  type WindowParams,
  windowOutputSizes,
} from './primitives/index.js';
export { HostRandom, streamOf } from './random.js';
export {
  broadcastShapes,
  checkShape,
  elementStridesOf,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
} from './shape.js';
export { type Residence, Storage } from './storage.js';
export { where } from './tensor/arithmetic.js';
export type { ConvOptions, ConvTransposeOptions } from './tensor/convolution.js';
export { arange, eye, full, linspace, ones, tensor, zeros } from './tensor/create.js';
export { einsum } from './tensor/einsum.js';
export { type Padding, type PerAxis, perAxis, resolvePadding } from './tensor/geometry.js';
export { concat, type PadAmounts, type SliceItem, stack } from './tensor/movement.js';
export type { PoolOptions } from './tensor/pooling.js';
export {
  bernoulli,
  normal,
  normalFrom,
  type RandomKey,
  randomBits,
  type SeedOptions,
  type StreamOptions,
  type UniformOptions,
  uniform,
} from './tensor/random.js';
export type { ArgumentOptions, ReduceOptions } from './tensor/reduce.js';
export type { SoftmaxOptions } from './tensor/softmax.js';
export type { SortOptions, TopK } from './tensor/sorting.js';
export type { NormOptions, VarianceOptions } from './tensor/statistics.js';
export { type Nested, storageOf, Tensor } from './tensor/tensor.js';
export { currentTrace, Trace, withLabel, withTrace } from './trace.js';
export {
  checkpoint,
  cond,
  grad,
  type ScanOptions,
  scan,
  type ValueAndGradients,
  valueAndGrad,
  vjp,
} from './transforms.js';
export { isPlain, leavesOf, type MapLeaves, mapTree, type Tree } from './tree.js';
