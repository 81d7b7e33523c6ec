/**
 * Vector and mask instructions (Intel SDM volume 2), as "operands = [prefix] map opcode [/digit]; traits".
 * A row stands for its VEX and EVEX forms in all their lengths; the first form that takes the operands wins.
 *
 * Operands: V vector in ModRM.reg · H vector in VEX.vvvv · W vector or memory in ModRM.rm · U vector, M memory, R general
 * register there · S memory with a vector of indices · L vector in the immediate · I immediate byte · K, KH, KW mask register
 * in reg, vvvv, rm · G general register in reg · E general register or memory.
 * Sizes: none the instruction's vector length, h q e its half, quarter, eighth; x y z 128, 256, 512 bits; a number: bytes
 * of memory. Of G, R, E: b w d q bits.
 * Traits: vex, evex only that encoding · l128 l256 l512 only these lengths · b32 b64 a broadcast element of that size ·
 * w1 W set in both encodings, evex.w1 in EVEX alone (b64 implies it).
 */
export type VectorRow = string;
type Rows = readonly VectorRow[];

type FloatSuffix = 'ps' | 'pd' | 'ss' | 'sd';

/** Packed and scalar, of 32 and 64 bits: V = V op W. */
function floats<const Name extends string>(name: Name, opcode: string): Record<`v${Name}${FloatSuffix}`, Rows> {
  const rows: Record<string, Rows> = {
    [`v${name}ps`]: [`V H W = 0f ${opcode}; b32`],
    [`v${name}pd`]: [`V H W = 66 0f ${opcode}; b64`],
    [`v${name}ss`]: [`Vx Hx Wx4 = f3 0f ${opcode}`],
    [`v${name}sd`]: [`Vx Hx Wx8 = f2 0f ${opcode}; evex.w1`],
  };
  return rows as Record<`v${Name}${FloatSuffix}`, Rows>;
}

type FusedOrder = '132' | '213' | '231';

/** Fused multiply-add in its three orders; `low` is the second digit of the packed opcode, the scalar one is next to it. */
function fused<const Name extends string>(
  name: Name,
  low: number,
): Record<`v${Name}${FusedOrder}${FloatSuffix}`, Rows> {
  const rows: Record<string, Rows> = {};
  for (const [order, high] of Object.entries({ 132: 0x90, 213: 0xa0, 231: 0xb0 })) {
    const [packed, scalar] = [high + low, high + low + 1].map((opcode) => opcode.toString(16));
    rows[`v${name}${order}ps`] = [`V H W = 66 0f38 ${packed}; b32`];
    rows[`v${name}${order}pd`] = [`V H W = 66 0f38 ${packed}; w1 b64`];
    rows[`v${name}${order}ss`] = [`Vx Hx Wx4 = 66 0f38 ${scalar}`];
    rows[`v${name}${order}sd`] = [`Vx Hx Wx8 = 66 0f38 ${scalar}; w1`];
  }
  return rows as Record<`v${Name}${FusedOrder}${FloatSuffix}`, Rows>;
}

/** Shift by an immediate, and by a count in the low bits of a register. */
const shift = (code: string, byRegister: string, traits: string, wide = ''): Rows => [
  `H U I = 66 0f ${code}; vex`,
  `H W I = 66 0f ${code}; evex ${traits}`,
  `V H Wx16 = 66 0f ${byRegister}; ${wide}`,
];

/** A comparison: to lanes of ones in VEX, to a mask register in EVEX. */
const compare = (code: string, traits = ''): Rows => [`V H W = ${code}; vex`, `K H W = ${code}; evex ${traits}`];

const maskSizes = { b: ['66', ''], w: ['', ''], d: ['66', 'w1'], q: ['', 'w1'] } as const;

/** Operations on mask registers, of 8 (b) to 64 (q) bits. */
function masks<const Name extends string>(
  name: Name,
  row: (prefix: string, traits: string) => string,
): Record<`k${Name}${keyof typeof maskSizes}`, Rows> {
  const rows: Record<string, Rows> = {};
  for (const [size, [prefix, traits]] of Object.entries(maskSizes)) rows[`k${name}${size}`] = [row(prefix, traits)];
  return rows as Record<`k${Name}${keyof typeof maskSizes}`, Rows>;
}

const maskPair = (opcode: string) => (prefix: string, traits: string) =>
  `K KH KW = ${prefix} 0f ${opcode}; vex l256 ${traits}`;
const maskTest = (opcode: string) => (prefix: string, traits: string) => `K KW = ${prefix} 0f ${opcode}; vex ${traits}`;

export const vectorInstructions = {
  // moves
  vmovaps: ['V W = 0f 28', 'W V = 0f 29'],
  vmovups: ['V W = 0f 10', 'W V = 0f 11'],
  vmovupd: ['V W = 66 0f 10; evex.w1', 'W V = 66 0f 11; evex.w1'],
  vmovdqa: ['V W = 66 0f 6f; vex', 'W V = 66 0f 7f; vex'],
  vmovdqu: ['V W = f3 0f 6f; vex', 'W V = f3 0f 7f; vex'],
  vmovdqa32: ['V W = 66 0f 6f; evex', 'W V = 66 0f 7f; evex'],
  vmovdqu8: ['V W = f2 0f 6f; evex', 'W V = f2 0f 7f; evex'],
  vmovdqu16: ['V W = f2 0f 6f; evex w1', 'W V = f2 0f 7f; evex w1'],
  vmovdqu32: ['V W = f3 0f 6f; evex', 'W V = f3 0f 7f; evex'],
  vmovdqu64: ['V W = f3 0f 6f; evex w1', 'W V = f3 0f 7f; evex w1'],
  vmovntps: ['M V = 0f 2b'],
  vmovss: ['Vx M4 = f3 0f 10', 'M4 Vx = f3 0f 11', 'Vx Hx Ux = f3 0f 10'],
  vmovsd: ['Vx M8 = f2 0f 10; evex.w1', 'M8 Vx = f2 0f 11; evex.w1', 'Vx Hx Ux = f2 0f 10; evex.w1'],
  vmovd: ['Vx Ed = 66 0f 6e', 'Ed Vx = 66 0f 7e'],
  vmovq: [
    'Vx Wx8 = f3 0f 7e; vex',
    'Wx8 Vx = 66 0f d6; vex',
    'Vx Ux = f3 0f 7e; evex w1',
    'Vx Eq = 66 0f 6e; w1',
    'Eq Vx = 66 0f 7e; w1',
  ],
  vmovlps: ['Vx Hx M8 = 0f 12', 'M8 Vx = 0f 13'],
  vmovhps: ['Vx Hx M8 = 0f 16', 'M8 Vx = 0f 17'],
  vmovhlps: ['Vx Hx Ux = 0f 12'],
  vmovlhps: ['Vx Hx Ux = 0f 16'],
  vmovshdup: ['V W = f3 0f 16'],
  vmovsldup: ['V W = f3 0f 12'],
  vmaskmovps: ['V H M = 66 0f38 2c; vex', 'M H V = 66 0f38 2e; vex'],
  vpmaskmovd: ['V H M = 66 0f38 8c; vex', 'M H V = 66 0f38 8e; vex'],
  vbroadcastss: ['V Wx4 = 66 0f38 18'],
  vbroadcastsd: ['Vy Wx8 = 66 0f38 19; vex l256', 'V Wx8 = 66 0f38 19; evex l256 l512 evex.w1'],
  vbroadcastf128: ['Vy M16 = 66 0f38 1a; vex l256'],
  vbroadcasti128: ['Vy M16 = 66 0f38 5a; vex l256'],
  vbroadcastf32x4: ['V M16 = 66 0f38 1a; evex l256 l512'],
  vbroadcasti32x4: ['V M16 = 66 0f38 5a; evex l256 l512'],
  vbroadcastf32x8: ['Vz M32 = 66 0f38 1b; evex l512'],
  vpbroadcastb: ['V Wx1 = 66 0f38 78', 'V Rd = 66 0f38 7a; evex'],
  vpbroadcastw: ['V Wx2 = 66 0f38 79', 'V Rd = 66 0f38 7b; evex'],
  vpbroadcastd: ['V Wx4 = 66 0f38 58', 'V Rd = 66 0f38 7c; evex'],
  vpbroadcastq: ['V Wx8 = 66 0f38 59; evex.w1', 'V Rq = 66 0f38 7c; evex w1'],
  vgatherdps: ['V S H = 66 0f38 92; vex', 'V S = 66 0f38 92; evex'],
  vpgatherdd: ['V S H = 66 0f38 90; vex', 'V S = 66 0f38 90; evex'],
  vscatterdps: ['S V = 66 0f38 a2; evex'],
  vpscatterdd: ['S V = 66 0f38 a0; evex'],

  // floating point
  ...floats('add', '58'),
  ...floats('mul', '59'),
  ...floats('sub', '5c'),
  ...floats('min', '5d'),
  ...floats('div', '5e'),
  ...floats('max', '5f'),
  ...floats('sqrt', '51'),
  vsqrtps: ['V W = 0f 51; b32'],
  vsqrtpd: ['V W = 66 0f 51; b64'],
  ...fused('fmadd', 0x8),
  ...fused('fmsub', 0xa),
  ...fused('fnmadd', 0xc),
  ...fused('fnmsub', 0xe),
  vrsqrtps: ['V W = 0f 52; vex'],
  vrcpps: ['V W = 0f 53; vex'],
  vrsqrt14ps: ['V W = 66 0f38 4e; evex b32'],
  vrcp14ps: ['V W = 66 0f38 4c; evex b32'],
  vandps: ['V H W = 0f 54; b32'],
  vandnps: ['V H W = 0f 55; b32'],
  vorps: ['V H W = 0f 56; b32'],
  vxorps: ['V H W = 0f 57; b32'],
  vroundps: ['V W I = 66 0f3a 08; vex'],
  vroundpd: ['V W I = 66 0f3a 09; vex'],
  vroundss: ['Vx Hx Wx4 I = 66 0f3a 0a; vex'],
  vroundsd: ['Vx Hx Wx8 I = 66 0f3a 0b; vex'],
  vrndscaleps: ['V W I = 66 0f3a 08; evex b32'],
  vrndscalepd: ['V W I = 66 0f3a 09; evex b64'],
  vrndscaless: ['Vx Hx Wx4 I = 66 0f3a 0a; evex'],
  vrndscalesd: ['Vx Hx Wx8 I = 66 0f3a 0b; evex w1'],
  vscalefps: ['V H W = 66 0f38 2c; evex b32'],
  vgetexpps: ['V W = 66 0f38 42; evex b32'],
  vgetmantps: ['V W I = 66 0f3a 26; evex b32'],
  vrangeps: ['V H W I = 66 0f3a 50; evex b32'],
  vcmpps: ['V H W I = 0f c2; vex', 'K H W I = 0f c2; evex b32'],
  vcmppd: ['V H W I = 66 0f c2; vex', 'K H W I = 66 0f c2; evex b64'],
  vcmpss: ['Vx Hx Wx4 I = f3 0f c2; vex', 'K Hx Wx4 I = f3 0f c2; evex'],
  vucomiss: ['Vx Wx4 = 0f 2e'],
  vucomisd: ['Vx Wx8 = 66 0f 2e; evex.w1'],
  vfpclassps: ['K U I = 66 0f3a 66; evex'],
  vblendps: ['V H W I = 66 0f3a 0c; vex'],
  vblendvps: ['V H W L = 66 0f3a 4a; vex'],
  vblendvpd: ['V H W L = 66 0f3a 4b; vex'],
  vblendmps: ['V H W = 66 0f38 65; evex b32'],
  vhaddps: ['V H W = f2 0f 7c; vex'],
  vmovmskps: ['Gd U = 0f 50; vex'],
  vtestps: ['V W = 66 0f38 0e; vex'],

  // conversions
  vcvtdq2ps: ['V W = 0f 5b; b32'],
  vcvtps2dq: ['V W = 66 0f 5b; b32'],
  vcvttps2dq: ['V W = f3 0f 5b; b32'],
  vcvtudq2ps: ['V W = f2 0f 7a; evex b32'],
  vcvttps2udq: ['V W = 0f 78; evex b32'],
  vcvtps2pd: ['V Wh = 0f 5a; b32'],
  vcvtpd2ps: ['Vh U = 66 0f 5a; b64'],
  vcvtdq2pd: ['V Wh = f3 0f e6; b32'],
  vcvttpd2dq: ['Vh U = 66 0f e6; b64'],
  vcvtss2sd: ['Vx Hx Wx4 = f3 0f 5a'],
  vcvtsd2ss: ['Vx Hx Wx8 = f2 0f 5a; evex.w1'],
  vcvtsi2ss: ['Vx Hx Rd = f3 0f 2a', 'Vx Hx Rq = f3 0f 2a; w1'],
  vcvtsi2sd: ['Vx Hx Rd = f2 0f 2a', 'Vx Hx Rq = f2 0f 2a; w1'],
  vcvttss2si: ['Gd Wx4 = f3 0f 2c', 'Gq Wx4 = f3 0f 2c; w1'],
  vcvttsd2si: ['Gd Wx8 = f2 0f 2c', 'Gq Wx8 = f2 0f 2c; w1'],
  vcvtph2ps: ['V Wh = 66 0f38 13'],
  vcvtps2ph: ['Wh V I = 66 0f3a 1d'],

  // integers
  vpaddb: ['V H W = 66 0f fc'],
  vpaddw: ['V H W = 66 0f fd'],
  vpaddd: ['V H W = 66 0f fe; b32'],
  vpaddq: ['V H W = 66 0f d4; b64'],
  vpsubb: ['V H W = 66 0f f8'],
  vpsubw: ['V H W = 66 0f f9'],
  vpsubd: ['V H W = 66 0f fa; b32'],
  vpsubq: ['V H W = 66 0f fb; b64'],
  vpmullw: ['V H W = 66 0f d5'],
  vpmulld: ['V H W = 66 0f38 40; b32'],
  vpmuludq: ['V H W = 66 0f f4; b64'],
  vpmuldq: ['V H W = 66 0f38 28; b64'],
  vpmaddwd: ['V H W = 66 0f f5'],
  vpminsd: ['V H W = 66 0f38 39; b32'],
  vpminud: ['V H W = 66 0f38 3b; b32'],
  vpmaxsd: ['V H W = 66 0f38 3d; b32'],
  vpmaxud: ['V H W = 66 0f38 3f; b32'],
  vpminub: ['V H W = 66 0f da'],
  vpmaxub: ['V H W = 66 0f de'],
  vpabsd: ['V W = 66 0f38 1e; b32'],
  vpand: ['V H W = 66 0f db; vex'],
  vpandn: ['V H W = 66 0f df; vex'],
  vpor: ['V H W = 66 0f eb; vex'],
  vpxor: ['V H W = 66 0f ef; vex'],
  vpandd: ['V H W = 66 0f db; evex b32'],
  vpandnd: ['V H W = 66 0f df; evex b32'],
  vpord: ['V H W = 66 0f eb; evex b32'],
  vpxord: ['V H W = 66 0f ef; evex b32'],
  vpternlogd: ['V H W I = 66 0f3a 25; evex b32'],
  vplzcntd: ['V W = 66 0f38 44; evex b32'],
  vpcmpeqb: compare('66 0f 74'),
  vpcmpeqw: compare('66 0f 75'),
  vpcmpeqd: compare('66 0f 76', 'b32'),
  vpcmpgtb: compare('66 0f 64'),
  vpcmpgtw: compare('66 0f 65'),
  vpcmpgtd: compare('66 0f 66', 'b32'),
  vpcmpd: ['K H W I = 66 0f3a 1f; evex b32'],
  vpcmpud: ['K H W I = 66 0f3a 1e; evex b32'],
  vpcmpb: ['K H W I = 66 0f3a 3f; evex'],
  vpcmpub: ['K H W I = 66 0f3a 3e; evex'],
  vptestmd: ['K H W = 66 0f38 27; evex b32'],
  vptestnmd: ['K H W = f3 0f38 27; evex b32'],
  vptest: ['V W = 66 0f38 17; vex'],
  vpslld: shift('72 /6', 'f2', 'b32'),
  vpsrld: shift('72 /2', 'd2', 'b32'),
  vpsrad: shift('72 /4', 'e2', 'b32'),
  vpsllq: shift('73 /6', 'f3', 'b64', 'evex.w1'),
  vpsrlq: shift('73 /2', 'd3', 'b64', 'evex.w1'),
  vpslldq: ['H U I = 66 0f 73 /7; vex', 'H W I = 66 0f 73 /7; evex'],
  vpsrldq: ['H U I = 66 0f 73 /3; vex', 'H W I = 66 0f 73 /3; evex'],
  vpsllvd: ['V H W = 66 0f38 47; b32'],
  vpsrlvd: ['V H W = 66 0f38 45; b32'],
  vpsravd: ['V H W = 66 0f38 46; b32'],
  vpsllvq: ['V H W = 66 0f38 47; w1 b64'],
  vpsrlvq: ['V H W = 66 0f38 45; w1 b64'],
  vprord: ['H W I = 66 0f 72 /0; evex b32'],
  vprold: ['H W I = 66 0f 72 /1; evex b32'],
  vpblendd: ['V H W I = 66 0f3a 02; vex'],
  vpblendvb: ['V H W L = 66 0f3a 4c; vex'],
  vpblendmd: ['V H W = 66 0f38 64; evex b32'],
  vpmovmskb: ['Gd U = 66 0f d7; vex'],

  // narrower and wider lanes
  vpmovsxbw: ['V Wh = 66 0f38 20'],
  vpmovsxbd: ['V Wq = 66 0f38 21'],
  vpmovsxwd: ['V Wh = 66 0f38 23'],
  vpmovsxdq: ['V Wh = 66 0f38 25'],
  vpmovzxbw: ['V Wh = 66 0f38 30'],
  vpmovzxbd: ['V Wq = 66 0f38 31'],
  vpmovzxbq: ['V We = 66 0f38 32'],
  vpmovzxwd: ['V Wh = 66 0f38 33'],
  vpmovzxdq: ['V Wh = 66 0f38 35'],
  vpmovdb: ['Wq V = f3 0f38 31; evex'],
  vpmovdw: ['Wh V = f3 0f38 33; evex'],
  vpmovwb: ['Wh V = f3 0f38 30; evex'],
  vpmovqd: ['Wh V = f3 0f38 35; evex'],
  vpmovsdb: ['Wq V = f3 0f38 21; evex'],
  vpmovusdb: ['Wq V = f3 0f38 11; evex'],
  vpacksswb: ['V H W = 66 0f 63'],
  vpackuswb: ['V H W = 66 0f 67'],
  vpackssdw: ['V H W = 66 0f 6b; b32'],
  vpackusdw: ['V H W = 66 0f38 2b; b32'],

  // lanes that change places
  vpshufb: ['V H W = 66 0f38 00'],
  vpshufd: ['V W I = 66 0f 70; b32'],
  vshufps: ['V H W I = 0f c6; b32'],
  vshufpd: ['V H W I = 66 0f c6; b64'],
  vunpcklps: ['V H W = 0f 14; b32'],
  vunpckhps: ['V H W = 0f 15; b32'],
  vunpcklpd: ['V H W = 66 0f 14; b64'],
  vunpckhpd: ['V H W = 66 0f 15; b64'],
  vpunpcklbw: ['V H W = 66 0f 60'],
  vpunpcklwd: ['V H W = 66 0f 61'],
  vpunpckldq: ['V H W = 66 0f 62; b32'],
  vpunpckhbw: ['V H W = 66 0f 68'],
  vpunpckhwd: ['V H W = 66 0f 69'],
  vpunpckhdq: ['V H W = 66 0f 6a; b32'],
  vpunpcklqdq: ['V H W = 66 0f 6c; b64'],
  vpunpckhqdq: ['V H W = 66 0f 6d; b64'],
  vpermilps: ['V W I = 66 0f3a 04; b32', 'V H W = 66 0f38 0c; b32'],
  vperm2f128: ['Vy Hy Wy32 I = 66 0f3a 06; vex l256'],
  vperm2i128: ['Vy Hy Wy32 I = 66 0f3a 46; vex l256'],
  vpermps: ['V H W = 66 0f38 16; b32 l256 l512'],
  vpermd: ['V H W = 66 0f38 36; b32 l256 l512'],
  vpermq: ['V W I = 66 0f3a 00; w1 b64 l256 l512'],
  vpermpd: ['V W I = 66 0f3a 01; w1 b64 l256 l512'],
  vpermi2ps: ['V H W = 66 0f38 77; evex b32'],
  vpermi2d: ['V H W = 66 0f38 76; evex b32'],
  vpermt2ps: ['V H W = 66 0f38 7f; evex b32'],
  vpermt2d: ['V H W = 66 0f38 7e; evex b32'],
  vpalignr: ['V H W I = 66 0f3a 0f'],
  valignd: ['V H W I = 66 0f3a 03; evex b32'],
  vshuff32x4: ['V H W I = 66 0f3a 23; evex b32 l256 l512'],
  vshufi32x4: ['V H W I = 66 0f3a 43; evex b32 l256 l512'],
  vshuff64x2: ['V H W I = 66 0f3a 23; evex b64 l256 l512'],
  vextractf128: ['Wx16 Vy I = 66 0f3a 19; vex l256'],
  vextracti128: ['Wx16 Vy I = 66 0f3a 39; vex l256'],
  vextractf32x4: ['Wx16 V I = 66 0f3a 19; evex l256 l512'],
  vextracti32x4: ['Wx16 V I = 66 0f3a 39; evex l256 l512'],
  vextractf32x8: ['Wy32 Vz I = 66 0f3a 1b; evex l512'],
  vextractf64x4: ['Wy32 Vz I = 66 0f3a 1b; evex l512 w1'],
  vextracti64x4: ['Wy32 Vz I = 66 0f3a 3b; evex l512 w1'],
  vinsertf128: ['Vy Hy Wx16 I = 66 0f3a 18; vex l256'],
  vinserti128: ['Vy Hy Wx16 I = 66 0f3a 38; vex l256'],
  vinsertf32x4: ['V H Wx16 I = 66 0f3a 18; evex l256 l512'],
  vinserti32x4: ['V H Wx16 I = 66 0f3a 38; evex l256 l512'],
  vinsertf64x4: ['Vz Hz Wy32 I = 66 0f3a 1a; evex l512 w1'],
  vinserti64x4: ['Vz Hz Wy32 I = 66 0f3a 3a; evex l512 w1'],
  vinsertps: ['Vx Hx Wx4 I = 66 0f3a 21'],
  vextractps: ['Ed Vx I = 66 0f3a 17'],
  vpinsrb: ['Vx Hx Eb I = 66 0f3a 20'],
  vpinsrw: ['Vx Hx Ew I = 66 0f c4'],
  vpinsrd: ['Vx Hx Ed I = 66 0f3a 22'],
  vpinsrq: ['Vx Hx Eq I = 66 0f3a 22; w1'],
  vpextrb: ['Eb Vx I = 66 0f3a 14'],
  vpextrd: ['Ed Vx I = 66 0f3a 16'],
  vpextrq: ['Eq Vx I = 66 0f3a 16; w1'],

  // masks
  kmovb: ['K KW1 = 66 0f 90; vex', 'M1 K = 66 0f 91; vex', 'K Rd = 66 0f 92; vex', 'Gd KW = 66 0f 93; vex'],
  kmovw: ['K KW2 = 0f 90; vex', 'M2 K = 0f 91; vex', 'K Rd = 0f 92; vex', 'Gd KW = 0f 93; vex'],
  kmovd: ['K KW4 = 66 0f 90; vex w1', 'M4 K = 66 0f 91; vex w1', 'K Rd = f2 0f 92; vex', 'Gd KW = f2 0f 93; vex'],
  kmovq: ['K KW8 = 0f 90; vex w1', 'M8 K = 0f 91; vex w1', 'K Rq = f2 0f 92; vex w1', 'Gq KW = f2 0f 93; vex w1'],
  ...masks('and', maskPair('41')),
  ...masks('andn', maskPair('42')),
  ...masks('or', maskPair('45')),
  ...masks('xnor', maskPair('46')),
  ...masks('xor', maskPair('47')),
  ...masks('not', maskTest('44')),
  ...masks('ortest', maskTest('98')),
  ...masks('test', maskTest('99')),
  kshiftlb: ['K KW I = 66 0f3a 32; vex'],
  kshiftlw: ['K KW I = 66 0f3a 32; vex w1'],
  kshiftrb: ['K KW I = 66 0f3a 30; vex'],
  kshiftrw: ['K KW I = 66 0f3a 30; vex w1'],
  kunpckbw: ['K KH KW = 66 0f 4b; vex l256'],
  vpmovm2d: ['V KW = f3 0f38 38; evex'],
  vpmovd2m: ['K U = f3 0f38 39; evex'],

  vzeroupper: ['= 0f 77; vex'],
} satisfies Record<string, Rows>;
