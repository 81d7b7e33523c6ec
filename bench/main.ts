/** `npm run bench -- [FILTER ...] [--json]`: Kiln and whatever peers are there, alternating in one run. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type BenchCase, cases, flopsOf } from './cases.js';
import { type KilnOptions, measureLimit, prepareKiln } from './kiln.js';
import { alternate, type Contestant } from './measure.js';
import { openPeers, type Peer, peerNames } from './peers.js';
import { describeMachine, formatTable, type Row } from './report.js';
import { drawShapes, shapesFolder } from './shapes.js';

const help = `npm run bench -- [FILTER ...] [options]

Measures the cases whose name holds every FILTER, on Kiln and on the peers that are there, in alternation.

  --json            one row a case as JSON lines on stdout, instead of a table
  --device NAME     Kiln's device (wasm)
  --threads N       threads of Kiln and of peers that have some (${availableParallelism()})
  --rounds N        turns of each contestant (7)
  --peers A,B|none  ${peerNames.join(', ')} (all)
  --shapes N        problems drawn from oneDNN's tests (20)
  --seed N          of that drawing (1)
  --list            names of the cases

Example: npm run bench -- conv kernelGradient --peers torch
The peers from npm: npm ci --ignore-scripts --prefix bench/peers. PyTorch: KILN_PYTHON names a Python that has torch.`;

const say = (line: string): void => console.error(line);

function parse() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      device: { type: 'string', default: 'wasm' },
      threads: { type: 'string', default: String(availableParallelism()) },
      rounds: { type: 'string', default: '7' },
      peers: { type: 'string', default: '' },
      shapes: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const integer = (name: 'threads' | 'rounds' | 'shapes' | 'seed', least: number): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < least)
      throw new Error(`--${name} takes an integer from ${least}: got ${values[name]}`);
    return value;
  };
  const peers = values.peers === '' ? [...peerNames] : values.peers.split(',').filter((name) => name !== 'none');
  const unknown = peers.find((name) => !peerNames.includes(name));
  if (unknown !== undefined) throw new Error(`--peers knows ${peerNames.join(', ')} and none: got ${unknown}`);
  return {
    ...{ filters: positionals, json: values.json, device: values.device, list: values.list, help: values.help, peers },
    ...{ threads: integer('threads', 1), rounds: integer('rounds', 1) },
    ...{ shapes: integer('shapes', 0), seed: integer('seed', 0) },
  };
}

type Options = ReturnType<typeof parse>;

/** The cases of Kiln's own list and the drawn ones, filtered. */
function chooseCases({ filters, shapes, seed }: Options): BenchCase[] {
  const folder = shapesFolder();
  if (folder === undefined && shapes > 0)
    say('shapes of benchdnn left out: KILN_SHARED_DATA names no folder that holds benchdnn-shapes');
  // from 0.1 ms to about 100 ms a run
  const bounds = { minMacs: 2e6, maxMacs: 2e9 };
  const drawn = folder === undefined ? [] : drawShapes(folder, { count: shapes, seed, ...bounds });
  return [...cases, ...drawn].filter(({ name }) => filters.every((filter) => name.includes(filter)));
}

async function measureCase(
  problem: BenchCase,
  peers: readonly Peer[],
  options: KilnOptions & { rounds: number; limit: number | undefined },
): Promise<Row> {
  const { device, rounds, limit } = options;
  const contestants: Contestant[] = [];
  const kiln = prepareKiln(problem, options);
  if (kiln) contestants.push({ name: 'kiln', run: (times) => timeRuns(kiln.run, times) });
  for (const peer of peers) if (await peer.prepare(problem)) contestants.push(peer);
  const medians = await alternate(contestants, { rounds });
  const ms = medians.get('kiln');
  medians.delete('kiln');
  const row: Row = { case: problem.name, device, peers: Object.fromEntries(medians) };
  if (ms === undefined) return row;
  const gflops = flopsOf(problem) / ms / 1e6;
  const hasLimit = limit !== undefined && problem.kind !== 'elementwise';
  return {
    ...row,
    ms,
    gflops,
    ...(hasLimit ? { fractionOfLimit: gflops / limit } : {}),
    ...(medians.size > 0 ? { ratio: Math.min(...medians.values()) / ms } : {}),
  };
}

async function timeRuns(run: () => void | Promise<void>, times: number): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await run();
    all.push(performance.now() - start);
  }
  return all;
}

async function main(): Promise<void> {
  const options = parse();
  if (options.help) return console.log(help);
  const chosen = chooseCases(options);
  if (options.list) return console.log(chosen.map(({ name }) => name).join('\n'));
  if (chosen.length === 0) throw new Error(`no case holds ${options.filters.join(' and ')}; --list prints their names`);
  const { threads, device, rounds, json } = options;
  const peers = await openPeers({ names: options.peers, threads, say });
  try {
    const limit = await measureLimit({ threads, device });
    const rows: Row[] = [];
    for (const problem of chosen) {
      const row = await measureCase(problem, peers, { threads, device, rounds, limit });
      rows.push(row);
      if (json) console.log(JSON.stringify(row));
      else say(`${rows.length}/${chosen.length} ${row.case}`);
    }
    if (json) return;
    const versions = peers.map(({ version }) => version).join(', ');
    const date = new Date().toISOString().slice(0, 10);
    const machine = `${date}: ${describeMachine()}; ${threads} threads; Node ${process.versions.node}${versions && `; ${versions}`}`;
    const limitText = limit === undefined ? '' : `; limit ${limit.toFixed(0)} GFLOP/s`;
    console.log(`${machine}${limitText}. Median ms; ratio = fastest peer / Kiln.\n\n${formatTable(rows)}`);
  } finally {
    for (const peer of peers) peer.close();
  }
}

main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
});
