import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Code, RegisterType } from '../../../src/backends/machine/index.js';
import { type Compiled, compiled, machines, Region } from './compiled.js';
import { native } from './native-code.js';

for (const lanes of machines) {
  const region = new Region(1 << 20);
  const made: Compiled[] = [];
  const compile = (body: Parameters<typeof compiled>[2]): Compiled => {
    const code = compiled(lanes, region, body);
    made.push(code);
    return code;
  };
  after(() => {
    for (const code of made) code.free();
  });

  test(`${lanes} lanes: arguments in registers and on the stack`, () => {
    for (const count of [0, 1, 6, 13, 14, 20, 45]) {
      const code = compile((f, module) => {
        const parameters = new Array<RegisterType>(count).fill('i32');
        const callee = module.function('weighted', parameters, ['i32']);
        callee.i32(1000);
        callee.params.forEach((param, i) => {
          callee
            .get(param)
            .i32(i + 1)
            .op('i32.mul')
            .op('i32.add');
        });
        for (let i = 0; i < count; i++) {
          f.get(f.params[i % 3]!);
          if (i % 4 > 0) f.i32(i).op('i32.add');
          if (i % 7 === 6) f.drop().i32(-i);
        }
        f.call(callee);
      });
      let expected = 1000;
      for (let i = 0; i < count; i++)
        expected += (i + 1) * (i % 7 === 6 ? -i : [5, 70, 900][i % 3]! + (i % 4 > 0 ? i : 0));
      assert.equal(code.run(5, 70, 900), expected, `${count} arguments`);
    }
  });

  test(`${lanes} lanes: arguments of other kinds, and in another order than they came in`, () => {
    const code = compile((f, module) => {
      const inner = module.function('inner', ['i32', 'f32', 'vector', 'i32', 'f32'], ['i32']);
      const [a, x, v, b, y] = inner.params;
      inner.i32(4096).get(v!).store('vector').get(x!).get(y!).op('f32.sub').op('f32.toInt');
      inner.get(a!).get(b!).op('i32.sub').op('i32.add');
      const outer = module.function('outer', ['i32', 'f32', 'vector', 'i32', 'f32'], ['i32']);
      const [c, z, w, d, u] = outer.params;
      outer.get(d!).get(u!).get(w!).get(c!).get(z!).call(inner);
      f.i32(100)
        .f32(1.5)
        .vector('i32', (lane) => lane * 3)
        .i32(7)
        .f32(50.75)
        .call(outer);
    });
    assert.equal(code.run(), 49 + 7 - 100);
    assert.deepEqual(
      [...region.words(4096, lanes)],
      Array.from({ length: lanes }, (_, lane) => lane * 3),
    );
  });

  test(`${lanes} lanes: values live on across calls, in loops as well`, () => {
    const code = compile((f, module) => {
      const next = module.function('next', ['i32'], ['i32']);
      next.get(next.params[0]!).i32(3).op('i32.mul').i32(1).op('i32.add');
      // spoils every vector register it can
      const noise = module.function('noise', []);
      const vectors = Array.from({ length: 40 }, () => noise.local('vector'));
      vectors.forEach((vector, i) =>
        noise
          .i32(8192 + 4 * i)
          .load('vector')
          .set(vector),
      );
      for (const vector of vectors) noise.i32(16_384).get(vector).store('vector');
      const [sum, x, counter, inner] = [f.local('vector'), f.local('i32'), f.local('i32'), f.local('i32')];
      f.vector('i32', (lane) => lane)
        .set(sum)
        .i32(1)
        .set(x)
        .i32(5)
        .set(counter);
      f.loop((again) => {
        f.get(x).call(next).set(x).call(noise);
        f.get(sum).get(x).op('vector.i32.splat').op('vector.i32.add').set(sum);
        f.i32(3).set(inner);
        f.loop((more) => {
          f.get(sum).get(f.params[0]!).op('vector.i32.splat').op('vector.i32.add').set(sum);
          f.get(inner).i32(1).op('i32.sub').tee(inner).brIf(more);
        });
        f.get(counter).i32(1).op('i32.sub').tee(counter).brIf(again);
      });
      f.i32(4096).get(sum).store('vector').get(x);
    });
    const xs = [4, 13, 40, 121, 364];
    assert.equal(code.run(1000), 364);
    const total = xs.reduce((a, b) => a + b) + 15_000;
    assert.deepEqual(
      [...region.words(4096, lanes)],
      Array.from({ length: lanes }, (_, lane) => lane + total),
    );
  });

  test(`${lanes} lanes: control flow`, () => {
    const code = compile((f) => {
      // numbers below a whose Collatz sequence has more than b steps
      const [limit, least] = f.params as [never, never];
      const [found, n, x, steps] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
      f.i32(0).set(found).i32(1).set(n);
      f.block((done) => {
        f.loop((next) => {
          f.get(n).get(limit).op('i32.greaterEqual').brIf(done);
          f.get(n).set(x).i32(0).set(steps);
          f.block((reached) => {
            f.loop((again) => {
              f.get(x).i32(1).op('i32.equal').brIf(reached);
              f.get(x).i32(1).op('i32.and');
              f.if_(
                () => f.get(x).i32(3).op('i32.mul').i32(1).op('i32.add'),
                () => f.get(x).i32(1).op('i32.shiftRightLogical'),
                'i32',
              );
              f.set(x).get(steps).i32(1).op('i32.add').set(steps).br(again);
            });
          });
          f.get(steps).get(least).op('i32.greater');
          f.if_(() => f.get(found).i32(1).op('i32.add').set(found));
          f.get(n).i32(1).op('i32.add').set(n).br(next);
        });
      });
      f.get(found);
    });
    const steps = (n: number): number => (n === 1 ? 0 : 1 + steps(n % 2 === 1 ? 3 * n + 1 : n / 2));
    const expected = Array.from({ length: 99 }, (_, i) => i + 1).filter((n) => steps(n) > 20).length;
    assert.equal(code.run(100, 20), expected);
    assert.equal(code.run(1, 0), 0);
  });

  test(`${lanes} lanes: returns from inside, unreachable code, loops that change values places`, () => {
    const code = compile((f) => {
      const [n] = f.params as [never];
      const [a, b, old, counter] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
      f.i32(7).set(a).i32(11).set(b).get(n).set(counter);
      f.get(n).op('i32.isZero');
      f.if_(() => {
        f.i32(-1).return_().i32(5).drop();
        f.loop((again) => f.br(again));
      });
      f.loop((again) => {
        f.get(a).set(old).get(b).set(a).get(old).set(b);
        f.get(counter).i32(1).op('i32.sub').tee(counter).brIf(again);
      });
      f.get(a).i32(100).op('i32.mul').get(b).op('i32.add');
    });
    assert.equal(code.run(0), -1);
    assert.equal(code.run(1), 1107);
    assert.equal(code.run(2), 711);
  });

  test(`${lanes} lanes: clearing memory and counting`, () => {
    const code = compile((f) => {
      f.get(f.params[0]!).get(f.params[1]!).zeroMemory();
      f.i32(64).get(f.params[2]!).atomicAdd(4);
    });
    const words = region.words(0, 4096);
    for (const count of [0, 1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 200, 1000]) {
      words.fill(-1);
      words[17] = 30;
      assert.equal(code.run(1028, 4 * count, 12), 30);
      assert.equal(words[17], 42);
      assert.equal(words[256], -1);
      assert.equal(words[257 + count], -1, `${count} words`);
      assert.ok(words.subarray(257, 257 + count).every((word) => word === 0));
    }
  });

  test(`${lanes} lanes: nothing beyond the lanes asked for is touched`, () => {
    const pageBytes = 4096;
    const pages = new Region(3 * pageBytes);
    native().unmap(pages.address + 2 * pageBytes, pageBytes);
    native().unmap(pages.address, pageBytes);
    // only the page in the middle is left: what is read outside it ends the process
    const [start, end] = [pageBytes, 2 * pageBytes];
    const middle = new Int32Array(native().view(pages.address + pageBytes, pageBytes));
    const run = (body: (f: Code) => void): void => {
      const code = compiled(lanes, pages, (f) => {
        body(f);
        f.i32(0);
      });
      code.run();
      code.free();
    };
    for (let count = 1; count <= lanes; count++) {
      middle.fill(7);
      run((f) => {
        f.i32(end - 4 * count)
          .i32(end - 4 * count)
          .loadPartial(count)
          .vector('i32', 1)
          .op('vector.i32.add')
          .storePartial(count);
        f.i32(start)
          .i32(end - 4 * count)
          .loadPartial(count)
          .storePartial(count);
        f.i32(start + 1024)
          .i32(end - 4 * count)
          .loadPartial(count)
          .store('vector');
        f.i32(end - 200 - count)
          .vector('i32', 0x0101)
          .scatter('u8', 1, count);
        f.i32(end - 4)
          .vector('i32', (lane) => lane)
          .scatter('32', -8, count);
      });
      assert.deepEqual(
        [...middle.subarray(0, lanes)],
        Array.from({ length: lanes }, (_, i) => (i < count ? 8 : 7)),
      );
      const zeros = Array.from({ length: lanes }, (_, i) => (i < count ? 8 : 0));
      assert.deepEqual([...middle.subarray(256, 256 + lanes)], zeros);
      assert.equal(middle[1023 - 2 * (count - 1)], count - 1);
      const bytes = new Uint8Array(middle.buffer, middle.byteOffset + pageBytes - 200 - count - 1, count + 2);
      assert.deepEqual([...bytes.subarray(1, count + 1)], new Array(count).fill(1));
      assert.notEqual(bytes[0], 1);
      assert.notEqual(bytes[count + 1], 1);
    }
    for (const stride of [4, -4, 8, -8, 12, 0, 100]) {
      middle.forEach((_, i) => {
        middle[i] = i * 3;
      });
      const first = stride < 0 ? end - 4 : end - 4 - (lanes - 1) * stride;
      run((f) => {
        f.i32(start).i32(first).gather('32', stride).store('vector');
        f.i32(start + 256)
          .i32(first)
          .gather('u8', stride)
          .store('vector');
        f.i32(start + 512)
          .i32(stride < 0 ? start - (lanes - 1) * stride : start)
          .gather('32', stride)
          .store('vector');
        f.i32(start + 768)
          .i32(end - lanes)
          .load('bytes')
          .store('vector');
        f.i32(start + 1024)
          .i32(end - 1)
          .load('byteSplat')
          .store('vector');
        f.i32(start + 1280)
          .i32(end - 4)
          .load('splat')
          .store('vector');
      });
      const at = (lane: number): number => ((first - start) / 4 + (lane * stride) / 4) * 3;
      assert.deepEqual(
        [...middle.subarray(0, lanes)],
        Array.from({ length: lanes }, (_, lane) => at(lane)),
      );
      assert.deepEqual(
        [...middle.subarray(64, 64 + lanes)],
        Array.from({ length: lanes }, (_, lane) => at(lane) & 255),
      );
      assert.deepEqual([...middle.subarray(320, 320 + lanes)], new Array(lanes).fill(1023 * 3));
    }
  });
}
