/**
 * The packages Kiln is measured against, each a child process that lives as long as the bench and answers JSON lines
 * (bench/peers/serve.mjs has the conversation), so that Kiln and all of them alternate within one run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type BenchCase, flopsOf } from './cases.js';

export interface Peer {
  readonly name: string;
  /** Name and version, as it says itself. */
  readonly version: string;
  /** Builds the case and runs it once; false where the peer cannot. */
  prepare(problem: BenchCase): Promise<boolean>;
  /** Times in milliseconds of so many runs of what was prepared. */
  run(times: number): Promise<number[]>;
  close(): void;
}

interface PeerOptions {
  readonly names: readonly string[];
  readonly threads: number;
  /** Receives lines such as "torch left out: …". */
  readonly say: (line: string) => void;
}

/** Tests and bench run from dist/bench. */
const directory = fileURLToPath(new URL('../../bench/peers/', import.meta.url));
const python = process.env['KILN_PYTHON'] ?? 'python3';

/** An answer that takes longer is given up: tfjs-cpu needs minutes for a convolution that takes others milliseconds. */
const patienceMs = 60_000;

const commands: readonly { name: string; command: string; args: readonly string[]; needs?: string }[] = [
  { name: 'torch', command: python, args: ['torch_peer.py', '{threads}'] },
  { name: 'onnxruntime', command: process.execPath, args: ['onnxruntime.mjs', '{threads}'], needs: 'onnxruntime-node' },
  { name: 'tfjs-wasm', command: process.execPath, args: ['tfjs.mjs', 'wasm'], needs: '@tensorflow/tfjs-backend-wasm' },
  { name: 'jax-js', command: process.execPath, args: ['jax-js.mjs'], needs: '@jax-js/jax' },
  { name: 'tfjs-cpu', command: process.execPath, args: ['tfjs.mjs', 'cpu'], needs: '@tensorflow/tfjs' },
];

export const peerNames: readonly string[] = commands.map(({ name }) => name);

/** Starts the peers that are there, and says which are not and why. */
export async function openPeers({ names, threads, say }: PeerOptions): Promise<Peer[]> {
  const wanted = commands.filter(({ name }) => names.includes(name));
  const opened = wanted.map(async ({ name, command, args, needs }) => {
    if (needs && !existsSync(`${directory}node_modules/${needs}`)) {
      say(`${name} left out: not installed (npm ci --ignore-scripts --prefix bench/peers)`);
      return undefined;
    }
    const peer = new ProcessPeer(
      name,
      command,
      args.map((arg) => arg.replace('{threads}', String(threads))),
      say,
    );
    const why = await peer.start();
    if (why === undefined) return peer;
    peer.close();
    say(`${name} left out: ${why}${name === 'torch' ? ' (KILN_PYTHON names a Python that has torch)' : ''}`);
    return undefined;
  });
  return (await Promise.all(opened)).filter((peer) => peer !== undefined);
}

interface Answer {
  readonly ready?: string;
  readonly prepared?: boolean;
  readonly why?: string;
  readonly ms?: readonly number[];
}

class ProcessPeer implements Peer {
  readonly name: string;
  version = '';
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #say: (line: string) => void;
  #child: ChildProcess | undefined;
  /** Operations of the smallest case that was given up, by its kind: larger ones are not tried. */
  readonly #givenUp = new Map<string, number>();
  #receive: ((answer: Answer) => void) | undefined;

  constructor(name: string, command: string, args: readonly string[], say: (line: string) => void) {
    this.name = name;
    this.#command = command;
    this.#args = args;
    this.#say = say;
  }

  /** Starts the process; the reason when it does not come up. */
  async start(): Promise<string | undefined> {
    let complaint = '';
    const child = spawn(this.#command, this.#args, { cwd: directory, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.stderr.on('data', (chunk) => {
      complaint = `${complaint}${chunk}`.slice(-2000);
    });
    child.stdin.on('error', () => {}); // the child's end is told by 'exit'
    const fail = (why: string) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#receive?.({ prepared: false, why });
    };
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code, signal) => fail(complaint.trim().split('\n').at(-1) || `it ended with ${signal ?? code}`));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.#receive?.(JSON.parse(line));
    });
    const answer = await this.#answer();
    this.version = answer.ready ?? '';
    return answer.ready === undefined ? answer.why : undefined;
  }

  async prepare(problem: BenchCase): Promise<boolean> {
    const kind = problem.kind === 'conv' ? problem.direction : problem.kind;
    const flops = flopsOf(problem);
    if (flops >= (this.#givenUp.get(kind) ?? Number.POSITIVE_INFINITY)) {
      this.#say(`${this.name} left out of ${problem.name}: given up with a smaller one`);
      return false;
    }
    if (!this.#child) {
      const why = await this.start();
      if (why !== undefined) return false;
    }
    const { prepared = false, why } = await this.#ask({ prepare: problem });
    if (!prepared) this.#say(`${this.name} left out of ${problem.name}: ${why}`);
    if (!this.#child) this.#givenUp.set(kind, flops);
    return prepared;
  }

  async run(times: number): Promise<number[]> {
    const { ms, why } = await this.#ask({ run: times });
    if (!ms) this.#say(`${this.name}: ${why}`);
    return ms ? [...ms] : [];
  }

  close(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.kill('SIGKILL');
  }

  #ask(request: { prepare: BenchCase } | { run: number }): Promise<Answer> {
    const answer = this.#answer();
    this.#child?.stdin?.write(`${JSON.stringify(request)}\n`);
    return answer;
  }

  #answer(): Promise<Answer> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.close();
        this.#receive?.({ prepared: false, why: `no answer within ${patienceMs / 1000} s` });
      }, patienceMs);
      this.#receive = (answer) => {
        clearTimeout(timer);
        this.#receive = undefined;
        resolve(answer);
      };
      if (!this.#child) this.#receive({ prepared: false, why: 'it is not running' });
    });
  }
}
