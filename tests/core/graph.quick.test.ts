import assert from 'node:assert/strict';
import test from 'node:test';
import { traceFunction } from '../../src/core/execute.js';
import {
  canonicalKey,
  type Graph,
  GraphBuilder,
  InternalError,
  inline,
  interpret,
  type Node,
  ones,
  Parameter,
  printGraph,
  scan,
  type Tensor,
  tensor,
  valueAndGrad,
  verifyGraph,
  withLabel,
} from '../../src/core/index.js';
import '../devices.js';

const graphOf = (f: (...inputs: Tensor[]) => unknown, inputs: readonly Tensor[]): Graph =>
  traceFunction((_, ...traced: never[]) => f(...(traced as unknown as Tensor[])), inputs).graph;

test('a dense step as text', () => {
  const kernel = new Parameter('kernel', [4, 2]);
  kernel.assign(ones([4, 2]));
  const step = (x: Tensor, rate: Tensor): Tensor => {
    const { value, gradients } = valueAndGrad(() => withLabel('dense', () => x.matmul(kernel).relu().mean()), {
      kernel,
    });
    kernel.assign(kernel.value.sub(gradients.kernel.mul(rate)));
    return value;
  };
  const graph = graphOf(step as never, [ones([3, 4]), tensor(0.1)]);
  verifyGraph(graph, 'tracing');
  assert.equal(printGraph(graph), denseStep);
});

test('a loop as text, with its body', () => {
  const graph = graphOf(
    (h, xs) =>
      scan(
        (state: Tensor, x: Tensor) => {
          const next = state.mul(0.5).add(x);
          return [next, next];
        },
        h!,
        xs!,
      ),
    [ones([2]), ones([3, 2])],
  );
  assert.equal(printGraph(graph), loop);
});

test('equal expressions are one node', () => {
  const graph = graphOf((x) => x!.add(1).mul(x!.add(1)), [ones([2])]);
  assert.equal(graph.nodes.filter(({ op }) => op === 'add').length, 1);
});

test('the key is that of what is computed: not of names, numbers of nodes or dead code', () => {
  const f = (x: Tensor, y: Tensor): Tensor => x.mul(y).add(0.5);
  const withDeadCode = (x: Tensor, y: Tensor): Tensor => {
    x.exp();
    return withLabel('named', () => f(x, y));
  };
  const inputs = [ones([2]), ones([2])];
  assert.equal(canonicalKey(graphOf(f as never, inputs)), canonicalKey(graphOf(withDeadCode as never, inputs)));
  const others: ((x: Tensor, y: Tensor) => Tensor)[] = [
    (x, y) => x.mul(y).add(-0.5),
    (x, y) => y.mul(x).add(0.5),
    (x) => x.mul(x).add(0.5),
    (x, y) => x.mul(y).add(Number.NaN),
    (x, y) => x.mul(y).add(-0),
    (x, y) => x.mul(y).add(0),
  ];
  const keys = [f, ...others].map((g) => canonicalKey(graphOf(g as never, inputs)));
  assert.equal(new Set(keys).size, keys.length);
  assert.notEqual(keys[0], canonicalKey(graphOf(f as never, [ones([3]), ones([3])])));
});

test('inline puts a graph into another', () => {
  const body = graphOf((x, y) => x!.mul(y!).add(1), [ones([2]), ones([2])]);
  const builder = new GraphBuilder();
  const x = builder.input({ shape: [2], dtype: 'float32' }) as Node;
  const [once] = inline(builder, body, [x, x]);
  const [twice] = inline(builder, body, [once!, x]);
  const result = interpret(builder.graph([twice!]), [{ shape: [2], dtype: 'float32', data: Float64Array.of(2, 3) }]);
  assert.deepEqual([...result[0]!.data], [11, 31]);
});

test('the verifier names a node that is used before it is made, and one that claims another type', () => {
  const graph = graphOf((x) => x!.exp().log(), [ones([2])]);
  const [x, exp, log] = graph.nodes as [Node, Node, Node];
  assert.throws(() => verifyGraph({ ...graph, nodes: [x, log, exp] }, 'a pass'), {
    name: 'InternalError',
    message: 'after a pass: log #2 uses exp #1 before it is made',
  });
  const lying = { ...exp, types: [{ shape: [3], dtype: 'float32' }] } as unknown as Node;
  assert.throws(() => verifyGraph({ nodes: [x, lying], inputs: graph.inputs, outputs: [lying] }, 'a pass'), {
    name: 'InternalError',
    message: 'after a pass: exp #1 claims float32[3], is float32[2]',
  });
  assert.throws(() => verifyGraph({ ...graph, nodes: [x, exp] }, 'a pass'), InternalError);
});

const denseStep = `%0 = input(index=0) : float32[3, 4]
%1 = input(index=1) : float32[]
%2 = input(index=2) : float32[4, 2]
%3 = identity(%2, tag=1, barrier=false) : float32[4, 2]
%4 = dot(%0, %3, leftContract=[1], rightContract=[0], leftBatch=[], rightBatch=[]) : float32[3, 2]  # dense
%5 = constant(value=0) : float32[]
%6 = broadcast(%5) : float32[3, 2]  # dense
%7 = lessEqual(%4, %6) : bool[3, 2]  # dense
%8 = select(%7, %6, %4) : float32[3, 2]  # dense
%9 = reduceSum(%8, axes=[0,1]) : float32[]  # dense
%10 = constant(value=6) : float32[]
%11 = div(%9, %10) : float32[]  # dense
%12 = constant(value=1) : float32[]
%13 = div(%12, %10) : float32[]  # dense gradient
%14 = reshape(%13) : float32[1, 1]  # dense gradient
%15 = broadcast(%14) : float32[3, 2]  # dense gradient
%16 = select(%7, %6, %15) : float32[3, 2]  # dense gradient
%17 = dot(%0, %16, leftContract=[0], rightContract=[0], leftBatch=[], rightBatch=[]) : float32[4, 2]  # dense gradient
%18 = broadcast(%1) : float32[4, 2]
%19 = mul(%17, %18) : float32[4, 2]
%20 = sub(%2, %19) : float32[4, 2]
return %11, %20`;
const loop = `%0 = input(index=0) : float32[2]
%1 = input(index=1) : float32[3, 2]
%2 = scan(%0, %1, length=3, carries=1, sequences=1, reverse=false, results=2) : float32[2], float32[3, 2], float32[3, 2]
  body:
    %0 = input(index=0) : float32[2]
    %1 = input(index=1) : float32[2]
    %2 = constant(value=0.5) : float32[]
    %3 = broadcast(%2) : float32[2]
    %4 = mul(%0, %3) : float32[2]
    %5 = add(%4, %1) : float32[2]
    return %5, %5, %0
%3 = part(%2, index=0) : float32[2]
%4 = part(%2, index=1) : float32[3, 2]
return %3, %4`;
