/**
 * apps: what people make with Kiln, one folder an application, each a command and a library function.
 * They see the zoo, training and what those may see; the command line calls them through their own doors.
 */
export type { Explainable, ExplainOptions } from './explainable.js';
export * as mnist from './mnist/index.js';
export * as text from './text/index.js';
