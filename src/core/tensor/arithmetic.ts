import { apply, asTensor, type TensorLike } from '../apply.js';
import { broadcastAll } from './elementwise.js';
import { Tensor } from './tensor.js';

declare module './tensor.js' {
  interface Tensor {
    /** x · x. */
    square(): Tensor;
    /** 1 / x. */
    reciprocal(): Tensor;
    /** The least integer that is not below x. */
    ceil(): Tensor;
    /** x cut at `low` and `high`; `undefined` leaves that side open. The gradient is 1 up to and at the bounds. */
    clip(low: TensorLike | undefined, high?: TensorLike): Tensor;
    /** ⌊x / y⌋; integers stay integers, and give 0 where the divisor is 0. */
    floorDivide(other: TensorLike): Tensor;
    /** Whether neither infinite nor NaN, as bool. */
    isFinite(): Tensor;
    isNaN(): Tensor;
    isInf(): Tensor;
    /** Logical operations: what is not 0 is true. */
    logicalAnd(other: TensorLike): Tensor;
    logicalOr(other: TensorLike): Tensor;
    logicalXor(other: TensorLike): Tensor;
    logicalNot(): Tensor;
  }
}

Tensor.prototype.square = function (this: Tensor): Tensor {
  return this.mul(this);
};

Tensor.prototype.reciprocal = function (this: Tensor): Tensor {
  return asTensor(1).div(this);
};

Tensor.prototype.ceil = function (this: Tensor): Tensor {
  return this.dtype === 'float32' ? this.neg().floor().neg() : this;
};

Tensor.prototype.clip = function (this: Tensor, low: TensorLike | undefined, high?: TensorLike): Tensor {
  const above = low === undefined ? this : this.less(low).select(low, this);
  return high === undefined ? above : this.greater(high).select(high, above);
};

Tensor.prototype.floorDivide = function (this: Tensor, other: TensorLike): Tensor {
  const rest = this.mod(other);
  if (rest.dtype === 'float32') return this.div(other).floor();
  // what is left after the remainder divides without one
  const whole = this.sub(rest);
  return apply('div', broadcastAll('floorDivide', whole, asTensor(other, 'int32').cast(whole.dtype as 'int32')), {});
};

Tensor.prototype.isFinite = function (this: Tensor): Tensor {
  return this.dtype === 'float32' ? this.abs().less(Number.POSITIVE_INFINITY) : this.equal(this);
};
Tensor.prototype.isNaN = function (this: Tensor): Tensor {
  return this.notEqual(this);
};
Tensor.prototype.isInf = function (this: Tensor): Tensor {
  return this.dtype === 'float32' ? this.abs().equal(Number.POSITIVE_INFINITY) : this.notEqual(this);
};

const truth = (x: TensorLike): Tensor => asTensor(x, 'bool').cast('bool');
Tensor.prototype.logicalAnd = function (this: Tensor, other: TensorLike): Tensor {
  return truth(this).and(truth(other));
};
Tensor.prototype.logicalOr = function (this: Tensor, other: TensorLike): Tensor {
  return truth(this).or(truth(other));
};
Tensor.prototype.logicalXor = function (this: Tensor, other: TensorLike): Tensor {
  return truth(this).xor(truth(other));
};
Tensor.prototype.logicalNot = function (this: Tensor): Tensor {
  return truth(this).not();
};

/**
 * `a` where the condition holds, else `b`, element by element; all three broadcast.
 *
 * @param condition what is not 0 is true
 * @example where(x.greater(0), x, 0)
 */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  const isBool = typeof a === 'boolean' && typeof b === 'boolean';
  return truth(condition).select(isBool ? asTensor(a, 'bool') : a, b);
}
