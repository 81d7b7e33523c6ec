import { testRandomPrograms } from './random-check.js';

testRandomPrograms(0, 60);
