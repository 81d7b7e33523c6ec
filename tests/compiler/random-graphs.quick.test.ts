import test from 'node:test';
import { randomCase } from '../random-graph.js';
import { checkLowering } from './lowering.js';

test('300 random graphs give the same lowered, planned, and by the reference, whatever passes run', () => {
  for (let seed = 0; seed < 300; seed++) checkLowering(randomCase(seed));
});
