import { Tensor } from './tensor.js';

declare module './tensor.js' {
  /** Activations, element by element. */
  interface Tensor {
    /** max(x, 0); its gradient at 0 is 0. */
    relu(): Tensor;
    /** x cut at 0 and 6; its gradient at both is 0. */
    relu6(): Tensor;
    /** x where x ≥ 0, else negativeSlope · x (0.2). */
    leakyRelu(options?: { readonly negativeSlope?: number }): Tensor;
    /** x where x ≥ 0, else alpha · (eˣ − 1) (1). @see Clevert et al. 2015, arXiv:1511.07289, equation 15 */
    elu(options?: { readonly alpha?: number }): Tensor;
    /** λ · elu(x, α) with the constants that keep mean 0 and variance 1. @see Klambauer et al. 2017, arXiv:1706.02515, equation 14 */
    selu(): Tensor;
    /**
     * x · Φ(x), with Φ the normal distribution: through erf, or by the tanh approximation ('none').
     * @see Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2
     */
    gelu(options?: { readonly approximate?: 'none' | 'tanh' }): Tensor;
    /** x · sigmoid(x), also known as swish. @see Ramachandran et al. 2017, arXiv:1710.05941 */
    silu(): Tensor;
    /** x · tanh(softplus(x)). @see Misra 2019, arXiv:1908.08681 */
    mish(): Tensor;
    /** log(1 + eˣ). */
    softplus(): Tensor;
    /** log(sigmoid(x)) without its rounding. */
    logSigmoid(): Tensor;
    /** x / (1 + |x|). */
    softsign(): Tensor;
    /** x / 6 + 1/2, cut at 0 and 1, as in Keras 3 and PyTorch. */
    hardSigmoid(): Tensor;
    /** x · hardSigmoid(x). @see Howard et al. 2019, arXiv:1905.02244, section 5.2 */
    hardSwish(): Tensor;
    /** x cut at −1 and 1. */
    hardTanh(): Tensor;
  }
}

// select, not max: where two are equal max shares the gradient, and relu's is 0 there by convention. A NaN stays one.
Tensor.prototype.relu = function (this: Tensor): Tensor {
  return this.lessEqual(0).select(0, this);
};

Tensor.prototype.relu6 = function (this: Tensor): Tensor {
  const above = this.relu();
  return above.greaterEqual(6).select(6, above);
};

Tensor.prototype.leakyRelu = function (this: Tensor, { negativeSlope = 0.2 } = {}): Tensor {
  const x = this.cast('float32');
  return x.less(0).select(x.mul(negativeSlope), x);
};

Tensor.prototype.elu = function (this: Tensor, { alpha = 1 } = {}): Tensor {
  const x = this.cast('float32');
  // the branch that is not taken must stay finite, or its gradient is 0 · ∞
  return x.less(0).select(x.minimum(0).expm1().mul(alpha), x);
};

/** α and λ of the paper's equation 14, to float64. */
const seluAlpha = 1.6732632423543772;
const seluScale = 1.0507009873554805;

Tensor.prototype.selu = function (this: Tensor): Tensor {
  return this.elu({ alpha: seluAlpha }).mul(seluScale);
};

Tensor.prototype.gelu = function (this: Tensor, { approximate = 'none' } = {}): Tensor {
  const x = this.cast('float32');
  const cumulative =
    approximate === 'tanh'
      ? x
          .mul(x)
          .mul(x)
          .mul(0.044715)
          .add(x)
          .mul(Math.sqrt(2 / Math.PI))
          .tanh()
      : x.mul(Math.SQRT1_2).erf();
  return x.mul(0.5).mul(cumulative.add(1));
};

Tensor.prototype.silu = function (this: Tensor): Tensor {
  return this.mul(this.sigmoid());
};

// log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|): nothing overflows
Tensor.prototype.softplus = function (this: Tensor): Tensor {
  const x = this.cast('float32');
  return x.maximum(0).add(x.abs().neg().exp().log1p());
};

Tensor.prototype.mish = function (this: Tensor): Tensor {
  return this.mul(this.softplus().tanh());
};

Tensor.prototype.logSigmoid = function (this: Tensor): Tensor {
  return this.neg().softplus().neg();
};

Tensor.prototype.softsign = function (this: Tensor): Tensor {
  return this.div(this.abs().add(1));
};

Tensor.prototype.hardSigmoid = function (this: Tensor): Tensor {
  return this.cast('float32').div(6).add(0.5).clip(0, 1);
};

Tensor.prototype.hardSwish = function (this: Tensor): Tensor {
  return this.mul(this.hardSigmoid());
};

Tensor.prototype.hardTanh = function (this: Tensor): Tensor {
  return this.cast('float32').clip(-1, 1);
};
