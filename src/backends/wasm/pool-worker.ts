/** Words of the control block that the calling thread and its workers share. */
export const controlWords = {
  /** Counts programs; workers look at it, and sleep on it. */
  generation: 0,
  /** The generation whose participants are decided; workers that reported wait for it. */
  go: 1,
  /** Counts reports; the calling thread sleeps on it until the workers are awake. */
  reports: 2,
  /** Participants that have not come to their end. */
  remaining: 3,
  moduleId: 4,
  context: 5,
  threads: 6,
  /** Per worker: the last generation that it reported for, `notStarted` at first. */
  reported: 16,
  /** Per worker: generation · 256 + its thread number in this program, 0 for not taking part. */
  part: 16 + 256,
  /** Per worker: what its `run` returned. */
  result: 16 + 512,
  /** Per worker: 1 when its `run` trapped; the text follows by message. */
  trapped: 16 + 768,
} as const;

export const controlBytes = (16 + 1024) * 4;
/** A worker's thread number takes eight bits of its part. */
export const mostThreads = 256;
export const notStarted = -1;

/** How long a thread looks before it sleeps. A job to a sleeping worker and back takes 60–80 µs more. */
export const spinMs = 0.05;

/** What a worker is started with. */
export interface WorkerStart {
  readonly worker: number;
  readonly control: SharedArrayBuffer;
  readonly memory: unknown;
  /** Address of the barrier's words for the abort and the generation, in 32-bit words; −1 without a barrier. */
  readonly abortWord: number;
  readonly generationWord: number;
  readonly port: unknown;
}

/** Messages to a worker. */
export type ToWorker =
  | { readonly id: number; readonly module: unknown; readonly release?: undefined }
  | { readonly release: number; readonly id?: undefined };

/** Messages from a worker. */
export interface FromWorker {
  readonly generation: number;
  readonly error: string;
}

/**
 * The program of a worker thread. It imports nothing but node:worker_threads, so that it needs no file: bundlers and
 * installed packages have nothing to find. It never returns to its event loop; messages are taken from the port when
 * a program's module is not known yet.
 */
export const workerSource = `'use strict';
const { workerData, receiveMessageOnPort } = require('node:worker_threads');
const { worker, control, memory, abortWord, generationWord, port } = workerData;
const words = new Int32Array(control);
const runs = new Map();

/** Looks at a word for a while, then sleeps, until it is no longer \`old\`. */
function waitWhile(index, old) {
  if (Atomics.load(words, index) !== old) return;
  const end = performance.now() + ${spinMs};
  do {
    for (let i = 0; i < 100; i++) if (Atomics.load(words, index) !== old) return;
  } while (performance.now() < end);
  while (Atomics.load(words, index) === old) Atomics.wait(words, index, old);
}

function runOf(id) {
  for (let received; !runs.has(id) && (received = receiveMessageOnPort(port)); ) {
    const { message } = received;
    if (message.release !== undefined) runs.delete(message.release);
    else runs.set(message.id, new WebAssembly.Instance(message.module, { env: { memory } }).exports.run);
  }
  const run = runs.get(id);
  if (!run) throw new Error('the program did not arrive');
  return run;
}

function takePart(generation, thread) {
  let result = 0;
  try {
    result = runOf(words[${controlWords.moduleId}])(words[${controlWords.context}], thread, words[${controlWords.threads}]);
  } catch (error) {
    port.postMessage({ generation, error: String(error) });
    Atomics.store(words, ${controlWords.trapped} + worker, 1);
    if (abortWord >= 0) {
      const shared = new Int32Array(memory.buffer);
      Atomics.store(shared, abortWord, 1);
      Atomics.notify(shared, generationWord);
    }
  }
  words[${controlWords.result} + worker] = result;
  Atomics.sub(words, ${controlWords.remaining}, 1);
  Atomics.notify(words, ${controlWords.remaining});
}

for (;;) {
  const seen = Atomics.load(words, ${controlWords.generation});
  Atomics.store(words, ${controlWords.reported} + worker, seen);
  Atomics.add(words, ${controlWords.reports}, 1);
  Atomics.notify(words, ${controlWords.reports});
  for (let go; (go = Atomics.load(words, ${controlWords.go})) !== seen; ) {
    if (Atomics.load(words, ${controlWords.generation}) !== seen) break; // came too late for this one
    waitWhile(${controlWords.go}, go);
  }
  const part = Atomics.load(words, ${controlWords.part} + worker);
  const thread = part & 255;
  if (thread > 0 && part - thread === seen << 8) takePart(seen, thread);
  waitWhile(${controlWords.generation}, seen);
}
`;
