import { Assembler, dword, low32, mem, r10, rax, rbx, rcx, rdx } from './assembler.js';
import { ExecutableCode } from './executable.node.js';
import type { Native } from './native.node.js';

/** What the processor can do, and the system lets it. */
export interface CpuFeatures {
  /** 'GenuineIntel', 'AuthenticAMD' … */
  readonly vendor: string;
  /** The name on the box. */
  readonly brand: string;
  readonly avx2: boolean;
  readonly fma: boolean;
  /** Conversions of float16. */
  readonly f16c: boolean;
  readonly avx512: { readonly f: boolean; readonly dq: boolean; readonly bw: boolean; readonly vl: boolean };
  /** Data cache of one core. */
  readonly l1Bytes: number;
  /** Second cache of one core. */
  readonly l2Bytes: number;
  /** Third cache, shared by some cores; 0 where it does not say. */
  readonly l3Bytes: number;
}

/** Registers after CPUID. */
export interface CpuidResult {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

/** Reads the processor's description with CPUID and XGETBV in emitted code. */
export function cpuFeatures(native: Native): CpuFeatures {
  const { bytes, xgetbvOffset } = emitReaders(native);
  const code = ExecutableCode.create(native, bytes);
  const out = native.map(16);
  try {
    const readCpuid = native.functionAt(code.address, 3);
    const readXgetbv = native.functionAt(code.address + xgetbvOffset, 0);
    return describeCpu(
      (leaf, subleaf = 0) => {
        readCpuid(leaf, subleaf, out);
        const [eax, ebx, ecx, edx] = new Uint32Array(native.read(out, 16).buffer) as unknown as CpuidWords;
        return { eax, ebx, ecx, edx };
      },
      () => readXgetbv(),
    );
  } finally {
    native.unmap(out, 16);
    code.free();
  }
}

type CpuidWords = readonly [number, number, number, number];

function emitReaders({ platform }: Native): { readonly bytes: Uint8Array; readonly xgetbvOffset: number } {
  const a = new Assembler();
  const [leaf, subleaf, out] = platform.arguments;
  a.comment('cpuid(leaf, subleaf, out)').op('push', rbx).op('mov', r10, out);
  a.op('mov', low32(rax), low32(leaf)).op('mov', low32(rcx), low32(subleaf)).op('cpuid');
  for (const [i, register] of [rax, rbx, rcx, rdx].entries()) a.op('mov', dword(mem(r10, 4 * i)), low32(register));
  a.op('pop', rbx).op('ret');
  const xgetbv = a.here('xgetbv');
  a.op('xor', low32(rcx), low32(rcx)).op('xgetbv').op('ret');
  return { bytes: a.finish(), xgetbvOffset: xgetbv.offset };
}

const hasBit = (word: number, bit: number): boolean => ((word >>> bit) & 1) === 1;

/** Leaves as in Intel SDM volume 2, CPUID; AMD's in AMD64 volume 3, appendix E.4. */
export function describeCpu(cpuid: (leaf: number, subleaf?: number) => CpuidResult, xgetbv: () => number): CpuFeatures {
  const { eax: mostLeaf, ebx, ecx, edx } = cpuid(0);
  const vendor = textOf([ebx, edx, ecx]);
  const one = cpuid(1);
  const seven = mostLeaf >= 7 ? cpuid(7) : { ebx: 0 };
  // the system must save the registers when it changes threads: 6 for xmm and ymm, e0 for masks and zmm
  const saved = hasBit(one.ecx, 27) ? xgetbv() : 0;
  const hasYmm = (saved & 6) === 6 && hasBit(one.ecx, 28);
  const hasZmm = hasYmm && (saved & 0xe0) === 0xe0;
  return {
    vendor,
    brand: brandOf(cpuid),
    avx2: hasYmm && hasBit(seven.ebx, 5),
    fma: hasYmm && hasBit(one.ecx, 12),
    f16c: hasYmm && hasBit(one.ecx, 29),
    avx512: {
      f: hasZmm && hasBit(seven.ebx, 16),
      dq: hasZmm && hasBit(seven.ebx, 17),
      bw: hasZmm && hasBit(seven.ebx, 30),
      vl: hasZmm && hasBit(seven.ebx, 31),
    },
    ...cachesOf(cpuid, vendor, mostLeaf),
  };
}

function textOf(words: readonly number[]): string {
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  return String.fromCharCode(...bytes)
    .replace(/\0.*$/s, '')
    .trim();
}

const extended = 0x80000000;

function brandOf(cpuid: (leaf: number) => CpuidResult): string {
  if (cpuid(extended).eax < extended + 4) return '';
  const words = [2, 3, 4].flatMap((leaf) => {
    const { eax, ebx, ecx, edx } = cpuid(extended + leaf);
    return [eax, ebx, ecx, edx];
  });
  return textOf(words);
}

type Caches = Pick<CpuFeatures, 'l1Bytes' | 'l2Bytes' | 'l3Bytes'>;

/** Where a processor, or what stands before it, says nothing: the smallest of common ones. */
const unknownCaches: Caches = { l1Bytes: 32 * 1024, l2Bytes: 256 * 1024, l3Bytes: 0 };

/** Intel's leaf 4, and AMD's of the same layout: one cache a subleaf, until one of type 0. */
function cachesOf(cpuid: (leaf: number, subleaf?: number) => CpuidResult, vendor: string, mostLeaf: number): Caches {
  const isAmd = vendor === 'AuthenticAMD' || vendor === 'HygonGenuine';
  const leaf = isAmd ? extended + 0x1d : 4;
  if (leaf > (isAmd ? cpuid(extended).eax : mostLeaf)) return unknownCaches;
  const sizes = new Map<number, number>();
  for (let subleaf = 0; subleaf < 16; subleaf++) {
    const { eax, ebx, ecx } = cpuid(leaf, subleaf);
    const type = eax & 31;
    if (type === 0) break;
    if (type === 2) continue; // instructions
    const [ways, partitions, line, sets] = [(ebx >>> 22) + 1, ((ebx >>> 12) & 1023) + 1, (ebx & 4095) + 1, ecx + 1];
    sizes.set((eax >>> 5) & 7, ways * partitions * line * sets);
  }
  return {
    l1Bytes: sizes.get(1) ?? unknownCaches.l1Bytes,
    l2Bytes: sizes.get(2) ?? unknownCaches.l2Bytes,
    l3Bytes: sizes.get(3) ?? unknownCaches.l3Bytes,
  };
}
