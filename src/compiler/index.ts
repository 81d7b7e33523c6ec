/**
 * compiler: turns a graph into kernels over buffers, and says how each is to be run on a target.
 * Graph -> simplify -> fuse -> lower (nests) -> order and plan -> schedule; emitters take it from there.
 * Knows no backend, no layer, no file format.
 */
export {
  type Affine,
  addAffine,
  coefficient,
  combine,
  constantAffine,
  printAffine,
  rangeOf,
  scaleAffine,
  substitute,
  variable,
} from './affine.js';
export {
  arrange,
  axisStride,
  componentSpan,
  ownComponent,
  plainLoad,
} from './arrange.js';
export { contractionAsLoop } from './contraction-as-loop.js';
export {
  blocksOf,
  type ContractionSchedule,
  type LaneMode,
  printSchedule,
  type Side,
  type Stage,
  stepOrder,
  verifySchedule,
} from './contraction-schedule.js';
export {
  type Access,
  type Bound,
  constantOf,
  type DynamicIndex,
  type Expression,
  float,
  int,
  loadsOf,
  operandsOf,
  operation,
  printExpression,
  type ScalarOp,
  type ScalarType,
  scalarTypeOf,
  selectOf,
  walk,
} from './expression.js';
export { fuse, printFusion } from './fuse.js';
export { type LowerOptions, lower } from './lower.js';
export {
  type Accumulator,
  type Axis,
  type BufferUse,
  type CombineOp,
  type Component,
  type ContractionNest,
  type Kernel,
  type LoopNest,
  type Nest,
  type Operand,
  printNest,
  type Store,
} from './nest.js';
export { type PlannedStep, type ProgramPlan, planProgram, printPlan } from './plan.js';
export { type Buffer, type BufferRole, type LoweredProgram, launchesOf, printSteps, type Step } from './program.js';
export { scheduleContraction } from './schedule-contraction.js';
export { countJobs, type LoopSchedule, printLoopSchedule, scheduleLoop } from './schedule-loop.js';
export { rules as simplifications, simplify } from './simplify.js';
export { splitReductions } from './split-program.js';
export { type Target, wasmTarget, x64Target } from './target.js';
