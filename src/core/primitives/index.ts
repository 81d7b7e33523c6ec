/**
 * primitives: what a graph is made of. One file a family (or a primitive of its own), each with shape rule, gradient rule and
 * reference semantics; this table is where the union of nodes and every registry come from.
 */
import * as binary from './binary.js';
import * as control from './control.js';
import * as conv from './conv.js';
import { dot } from './dot.js';
import { cast, select } from './elementwise.js';
import * as indexing from './indexing.js';
import * as movement from './movement.js';
import type { Primitive } from './primitive.js';
import * as reduction from './reduction.js';
import { registerPrimitives } from './registry.js';
import { argsort } from './sorting.js';
import * as source from './source.js';
import * as unary from './unary.js';
import * as window from './window.js';

const { conv: convForward, convInputGradient, convKernelGradient } = conv;
const { windowMax, windowArgmax, windowSum, windowTake, windowPut } = window;
const { gather, scatterAdd, gatherAlong, scatterAddAlong, dynamicSlice, dynamicUpdate } = indexing;
const { reduceSum, reduceProd, reduceMax, reduceMin, argmax, argmin, cumsum } = reduction;
const { identity, stopGradient, part, call, scan, cond } = control;

export const primitives = {
  ...source,
  ...unary,
  ...binary,
  select,
  cast,
  ...movement,
  reduceSum,
  reduceProd,
  reduceMax,
  reduceMin,
  argmax,
  argmin,
  cumsum,
  argsort,
  gather,
  scatterAdd,
  gatherAlong,
  scatterAddAlong,
  dynamicSlice,
  dynamicUpdate,
  dot,
  conv: convForward,
  convInputGradient,
  convKernelGradient,
  windowMax,
  windowArgmax,
  windowSum,
  windowTake,
  windowPut,
  identity,
  stopGradient,
  part,
  call,
  scan,
  cond,
} as const;

registerPrimitives(primitives);

export type PrimitiveName = keyof typeof primitives;
export type ParamsOf<K extends PrimitiveName> = (typeof primitives)[K] extends Primitive<infer P> ? P : never;
/** Names of the primitives whose result depends, element by element, on the same elements of their inputs. */
export type ElementwiseName =
  | Exclude<keyof typeof unary | keyof typeof binary, never>
  | 'select'
  | 'cast'
  | 'identity'
  | 'stopGradient';

export type { ScanParams } from './control.js';
export { type ConvParams, convOutputSize } from './conv.js';
export { type DotParams, freeAxes } from './dot.js';
export { failIndex } from './indexing.js';
export type { Category, GradientContext, Primitive, ReferenceArray } from './primitive.js';
export { type WindowParams, windowOutputSizes } from './window.js';
