import type { Expression } from './expression.js';
import { exp } from './math-exp.js';
import { log } from './math-log.js';
import { mul } from './math-operations.js';

/** a^b. */
export const pow = (a: Expression, b: Expression): Expression => exp(mul(log(a), b));
