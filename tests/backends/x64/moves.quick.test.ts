import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mem, rdi, register, rsp } from '../../../src/backends/x64/assembler.js';
import { moveAll, type Place } from '../../../src/backends/x64/moves.js';
import { native, withCode, withMemory, withoutAvx2 } from './native-code.js';

const skip = withoutAvx2;
const float = (number: number): Place => ({ kind: 'register', type: 'f32', register: number });
const vector = (number: number): Place => ({ kind: 'register', type: 'vector', register: number });
const integer = (number: number): Place => ({ kind: 'register', type: 'i32', register: number });
const stack = (type: Place['type'], offset: number): Place => ({ kind: 'memory', type, memory: mem(rsp, offset) });

test('a float and a vector that change places keep all their lanes', { skip }, () => {
  withMemory(4096, (memory) => {
    native().write(
      memory,
      Int32Array.from({ length: 16 }, (_, i) => i + 1),
    );
    withCode(
      (asm) => {
        asm.op('vmovups', register('ymm', 0), mem(rdi)).op('vmovups', register('ymm', 1), mem(rdi, 32));
        // register 0 holds a vector that goes to 1, whose float goes to 0
        moveAll(
          asm,
          [
            [float(0), float(1)],
            [vector(1), vector(0)],
          ],
          { vectorKind: 'ymm' },
        );
        asm.op('vmovss', mem(rdi, 64), register('xmm', 0)).op('vmovups', mem(rdi, 96), register('ymm', 1));
        asm.op('vzeroupper').op('ret');
      },
      (address) => {
        native().functionAt(address, 1)(memory);
        const words = new Int32Array(native().read(memory, 128).buffer);
        assert.equal(words[16], 9);
        assert.deepEqual([...words.subarray(24, 32)], [1, 2, 3, 4, 5, 6, 7, 8]);
      },
    );
  });
});

test('rings of registers and of memory, with copies beside them', { skip }, () => {
  withMemory(4096, (memory) => {
    withCode(
      (asm) => {
        asm.op('sub', rsp, 256);
        for (const [i, number] of [1, 2, 6].entries()) asm.op('mov', register('r32', number), 10 + i);
        moveAll(
          asm,
          [
            [stack('i32', 128), integer(1)],
            [stack('i32', 136), integer(2)],
          ],
          { vectorKind: 'ymm' },
        );
        // 1 → 2 → 6 → 1, and two words of the stack that change places; 8 and 9 get copies
        moveAll(
          asm,
          [
            [integer(2), integer(1)],
            [integer(6), integer(2)],
            [integer(1), integer(6)],
            [integer(8), integer(1)],
            [integer(9), stack('i32', 128)],
            [stack('i32', 128), stack('i32', 136)],
            [stack('i32', 136), stack('i32', 128)],
            [integer(10), { kind: 'number', type: 'i32', value: -7 }],
          ],
          { vectorKind: 'ymm' },
        );
        [1, 2, 6, 8, 9, 10].forEach((number, i) => {
          asm.op('mov', mem(rdi, 4 * i), register('r32', number));
        });
        moveAll(
          asm,
          [
            [integer(1), stack('i32', 128)],
            [integer(2), stack('i32', 136)],
          ],
          { vectorKind: 'ymm' },
        );
        asm.op('mov', mem(rdi, 24), register('r32', 1)).op('mov', mem(rdi, 28), register('r32', 2));
        asm.op('add', rsp, 256).op('ret');
      },
      (address) => {
        native().functionAt(address, 1)(memory);
        const words = new Int32Array(native().read(memory, 32).buffer);
        assert.deepEqual([...words], [12, 10, 11, 10, 10, -7, 11, 10]);
      },
    );
  });
});
