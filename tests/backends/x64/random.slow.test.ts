import { testRandomPrograms } from './random-check.js';

testRandomPrograms(60, 1000);
