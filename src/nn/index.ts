/**
 * nn: layers, models made of them, initialisers, losses, optimisers, schedules.
 * A model is a plain object of class Layer that holds Parameters; builders infer the sizes that classes take.
 * Names, defaults and formulas follow Keras unless a docstring says otherwise.
 */
export { type Blueprint, blueprint, type NameOption } from './blueprint.js';
export { type Context, inference, training } from './context.js';
export { type InitializeOptions, initialize } from './initialize.js';
export {
  type Draw,
  type Initializer,
  type InitializerLike,
  initializers,
} from './initializers.js';
export { type AnyLayer, Layer, trainableParameters } from './layer.js';
export type { Loss } from './losses/loss.js';
export type { Optimizer, UpdateOptions } from './optimizers/optimizer.js';
export type { Fans, ParameterSettings, WeightRole } from './parameter-entry.js';
export type { Schedule } from './schedules/schedule.js';
export type { Signature } from './signature.js';
export { Symbolic, type TensorsOf } from './symbolic.js';
