/**
 * self-test: whether a device computes what the reference computes, on a fixed list of small programs, in about two seconds.
 * A device that fails is not to be used. `kiln doctor` prints the list.
 * Knows devices by their interface alone.
 */
export { type Family, families, type Program, programs } from './programs.js';
export { type Failure, type Outcome, selfTest, testAll } from './self-test.js';
