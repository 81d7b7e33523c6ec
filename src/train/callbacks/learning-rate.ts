import type { Callback } from './callback.js';

/** Records the learning rate of each step as `learningRate`, whether a schedule gives it or a person. */
export const recordLearningRate = (): Callback => ({
  name: 'recordLearningRate',
  measure: ({ optimizer }) => ({ learningRate: optimizer.learningRate.value.item() }),
});
