/**
 * WebAssembly's instructions by their names in the text format (core specification 2.0 with threads and relaxed SIMD).
 * A code is one byte, or 0xPPnnn: the prefix byte PP (fc bulk memory, fd vectors, fe atomics) and the number nnn after it.
 */
type Codes<Name extends string> = { readonly [name in Name]: number };

/** Names of instructions whose codes follow one another; '' leaves a gap. */
function from<const Name extends string>(first: number, ...names: readonly Name[]): Codes<Exclude<Name, ''>> {
  const codes: Record<string, number> = {};
  for (const [i, name] of names.entries()) if (name !== '') codes[name] = first + i;
  return codes as Codes<Exclude<Name, ''>>;
}

/** Instructions without immediates. */
export const plainCodes = {
  ...from(0x00, 'unreachable', 'nop'),
  ...from(0x45, 'i32.eqz', 'i32.eq', 'i32.ne', 'i32.lt_s', 'i32.lt_u', 'i32.gt_s', 'i32.gt_u'),
  ...from(0x4c, 'i32.le_s', 'i32.le_u', 'i32.ge_s', 'i32.ge_u'),
  ...from(0x50, 'i64.eqz', 'i64.eq', 'i64.ne', 'i64.lt_s', 'i64.lt_u', 'i64.gt_s', 'i64.gt_u'),
  ...from(0x57, 'i64.le_s', 'i64.le_u', 'i64.ge_s', 'i64.ge_u'),
  ...from(0x5b, 'f32.eq', 'f32.ne', 'f32.lt', 'f32.gt', 'f32.le', 'f32.ge'),
  ...from(0x61, 'f64.eq', 'f64.ne', 'f64.lt', 'f64.gt', 'f64.le', 'f64.ge'),
  ...from(0x67, 'i32.clz', 'i32.ctz', 'i32.popcnt', 'i32.add', 'i32.sub', 'i32.mul', 'i32.div_s', 'i32.div_u'),
  ...from(0x6f, 'i32.rem_s', 'i32.rem_u', 'i32.and', 'i32.or', 'i32.xor', 'i32.shl', 'i32.shr_s', 'i32.shr_u'),
  ...from(0x77, 'i32.rotl', 'i32.rotr'),
  ...from(0x79, 'i64.clz', 'i64.ctz', 'i64.popcnt', 'i64.add', 'i64.sub', 'i64.mul', 'i64.div_s', 'i64.div_u'),
  ...from(0x81, 'i64.rem_s', 'i64.rem_u', 'i64.and', 'i64.or', 'i64.xor', 'i64.shl', 'i64.shr_s', 'i64.shr_u'),
  ...from(0x89, 'i64.rotl', 'i64.rotr'),
  ...from(0x8b, 'f32.abs', 'f32.neg', 'f32.ceil', 'f32.floor', 'f32.trunc', 'f32.nearest', 'f32.sqrt'),
  ...from(0x92, 'f32.add', 'f32.sub', 'f32.mul', 'f32.div', 'f32.min', 'f32.max', 'f32.copysign'),
  ...from(0x99, 'f64.abs', 'f64.neg', 'f64.ceil', 'f64.floor', 'f64.trunc', 'f64.nearest', 'f64.sqrt'),
  ...from(0xa0, 'f64.add', 'f64.sub', 'f64.mul', 'f64.div', 'f64.min', 'f64.max', 'f64.copysign'),
  ...from(0xa7, 'i32.wrap_i64', 'i32.trunc_f32_s', 'i32.trunc_f32_u', 'i32.trunc_f64_s', 'i32.trunc_f64_u'),
  ...from(0xac, 'i64.extend_i32_s', 'i64.extend_i32_u'),
  ...from(0xae, 'i64.trunc_f32_s', 'i64.trunc_f32_u', 'i64.trunc_f64_s', 'i64.trunc_f64_u'),
  ...from(0xb2, 'f32.convert_i32_s', 'f32.convert_i32_u', 'f32.convert_i64_s', 'f32.convert_i64_u', 'f32.demote_f64'),
  ...from(0xb7, 'f64.convert_i32_s', 'f64.convert_i32_u', 'f64.convert_i64_s', 'f64.convert_i64_u', 'f64.promote_f32'),
  ...from(0xbc, 'i32.reinterpret_f32', 'i64.reinterpret_f64', 'f32.reinterpret_i32', 'f64.reinterpret_i64'),
  ...from(0xc0, 'i32.extend8_s', 'i32.extend16_s', 'i64.extend8_s', 'i64.extend16_s', 'i64.extend32_s'),
  ...from(0xfc000, 'i32.trunc_sat_f32_s', 'i32.trunc_sat_f32_u', 'i32.trunc_sat_f64_s', 'i32.trunc_sat_f64_u'),
  ...from(0xfc004, 'i64.trunc_sat_f32_s', 'i64.trunc_sat_f32_u', 'i64.trunc_sat_f64_s', 'i64.trunc_sat_f64_u'),

  ...from(0xfd00e, 'i8x16.swizzle'),
  ...from(0xfd00f, 'i8x16.splat', 'i16x8.splat', 'i32x4.splat', 'i64x2.splat', 'f32x4.splat', 'f64x2.splat'),
  ...from(0xfd023, 'i8x16.eq', 'i8x16.ne', 'i8x16.lt_s', 'i8x16.lt_u', 'i8x16.gt_s', 'i8x16.gt_u'),
  ...from(0xfd029, 'i8x16.le_s', 'i8x16.le_u', 'i8x16.ge_s', 'i8x16.ge_u'),
  ...from(0xfd02d, 'i16x8.eq', 'i16x8.ne', 'i16x8.lt_s', 'i16x8.lt_u', 'i16x8.gt_s', 'i16x8.gt_u'),
  ...from(0xfd033, 'i16x8.le_s', 'i16x8.le_u', 'i16x8.ge_s', 'i16x8.ge_u'),
  ...from(0xfd037, 'i32x4.eq', 'i32x4.ne', 'i32x4.lt_s', 'i32x4.lt_u', 'i32x4.gt_s', 'i32x4.gt_u'),
  ...from(0xfd03d, 'i32x4.le_s', 'i32x4.le_u', 'i32x4.ge_s', 'i32x4.ge_u'),
  ...from(0xfd041, 'f32x4.eq', 'f32x4.ne', 'f32x4.lt', 'f32x4.gt', 'f32x4.le', 'f32x4.ge'),
  ...from(0xfd047, 'f64x2.eq', 'f64x2.ne', 'f64x2.lt', 'f64x2.gt', 'f64x2.le', 'f64x2.ge'),
  ...from(0xfd04d, 'v128.not', 'v128.and', 'v128.andnot', 'v128.or', 'v128.xor', 'v128.bitselect', 'v128.any_true'),
  ...from(0xfd05e, 'f32x4.demote_f64x2_zero', 'f64x2.promote_low_f32x4'),
  ...from(0xfd060, 'i8x16.abs', 'i8x16.neg', 'i8x16.popcnt', 'i8x16.all_true', 'i8x16.bitmask'),
  ...from(0xfd065, 'i8x16.narrow_i16x8_s', 'i8x16.narrow_i16x8_u'),
  ...from(0xfd067, 'f32x4.ceil', 'f32x4.floor', 'f32x4.trunc', 'f32x4.nearest'),
  ...from(0xfd06b, 'i8x16.shl', 'i8x16.shr_s', 'i8x16.shr_u', 'i8x16.add', 'i8x16.add_sat_s', 'i8x16.add_sat_u'),
  ...from(0xfd071, 'i8x16.sub', 'i8x16.sub_sat_s', 'i8x16.sub_sat_u', 'f64x2.ceil', 'f64x2.floor'),
  ...from(0xfd076, 'i8x16.min_s', 'i8x16.min_u', 'i8x16.max_s', 'i8x16.max_u', 'f64x2.trunc', 'i8x16.avgr_u'),
  ...from(0xfd07c, 'i16x8.extadd_pairwise_i8x16_s', 'i16x8.extadd_pairwise_i8x16_u'),
  ...from(0xfd07e, 'i32x4.extadd_pairwise_i16x8_s', 'i32x4.extadd_pairwise_i16x8_u'),
  ...from(0xfd080, 'i16x8.abs', 'i16x8.neg', 'i16x8.q15mulr_sat_s', 'i16x8.all_true', 'i16x8.bitmask'),
  ...from(0xfd085, 'i16x8.narrow_i32x4_s', 'i16x8.narrow_i32x4_u'),
  ...from(0xfd087, 'i16x8.extend_low_i8x16_s', 'i16x8.extend_high_i8x16_s'),
  ...from(0xfd089, 'i16x8.extend_low_i8x16_u', 'i16x8.extend_high_i8x16_u'),
  ...from(0xfd08b, 'i16x8.shl', 'i16x8.shr_s', 'i16x8.shr_u', 'i16x8.add', 'i16x8.add_sat_s', 'i16x8.add_sat_u'),
  ...from(0xfd091, 'i16x8.sub', 'i16x8.sub_sat_s', 'i16x8.sub_sat_u', 'f64x2.nearest', 'i16x8.mul'),
  ...from(0xfd096, 'i16x8.min_s', 'i16x8.min_u', 'i16x8.max_s', 'i16x8.max_u', '', 'i16x8.avgr_u'),
  ...from(0xfd09c, 'i16x8.extmul_low_i8x16_s', 'i16x8.extmul_high_i8x16_s'),
  ...from(0xfd09e, 'i16x8.extmul_low_i8x16_u', 'i16x8.extmul_high_i8x16_u'),
  ...from(0xfd0a0, 'i32x4.abs', 'i32x4.neg', '', 'i32x4.all_true', 'i32x4.bitmask'),
  ...from(0xfd0a7, 'i32x4.extend_low_i16x8_s', 'i32x4.extend_high_i16x8_s'),
  ...from(0xfd0a9, 'i32x4.extend_low_i16x8_u', 'i32x4.extend_high_i16x8_u'),
  ...from(0xfd0ab, 'i32x4.shl', 'i32x4.shr_s', 'i32x4.shr_u', 'i32x4.add', '', '', 'i32x4.sub'),
  ...from(0xfd0b5, 'i32x4.mul', 'i32x4.min_s', 'i32x4.min_u', 'i32x4.max_s', 'i32x4.max_u', 'i32x4.dot_i16x8_s'),
  ...from(0xfd0bc, 'i32x4.extmul_low_i16x8_s', 'i32x4.extmul_high_i16x8_s'),
  ...from(0xfd0be, 'i32x4.extmul_low_i16x8_u', 'i32x4.extmul_high_i16x8_u'),
  ...from(0xfd0c0, 'i64x2.abs', 'i64x2.neg', '', 'i64x2.all_true', 'i64x2.bitmask'),
  ...from(0xfd0c7, 'i64x2.extend_low_i32x4_s', 'i64x2.extend_high_i32x4_s'),
  ...from(0xfd0c9, 'i64x2.extend_low_i32x4_u', 'i64x2.extend_high_i32x4_u'),
  ...from(
    0xfd0cb,
    'i64x2.shl',
    'i64x2.shr_s',
    'i64x2.shr_u',
    'i64x2.add',
    '',
    '',
    'i64x2.sub',
    '',
    '',
    '',
    'i64x2.mul',
  ),
  ...from(0xfd0d6, 'i64x2.eq', 'i64x2.ne', 'i64x2.lt_s', 'i64x2.gt_s', 'i64x2.le_s', 'i64x2.ge_s'),
  ...from(0xfd0dc, 'i64x2.extmul_low_i32x4_s', 'i64x2.extmul_high_i32x4_s'),
  ...from(0xfd0de, 'i64x2.extmul_low_i32x4_u', 'i64x2.extmul_high_i32x4_u'),
  ...from(0xfd0e0, 'f32x4.abs', 'f32x4.neg', '', 'f32x4.sqrt', 'f32x4.add', 'f32x4.sub', 'f32x4.mul', 'f32x4.div'),
  ...from(0xfd0e8, 'f32x4.min', 'f32x4.max', 'f32x4.pmin', 'f32x4.pmax'),
  ...from(0xfd0ec, 'f64x2.abs', 'f64x2.neg', '', 'f64x2.sqrt', 'f64x2.add', 'f64x2.sub', 'f64x2.mul', 'f64x2.div'),
  ...from(0xfd0f4, 'f64x2.min', 'f64x2.max', 'f64x2.pmin', 'f64x2.pmax'),
  ...from(0xfd0f8, 'i32x4.trunc_sat_f32x4_s', 'i32x4.trunc_sat_f32x4_u'),
  ...from(0xfd0fa, 'f32x4.convert_i32x4_s', 'f32x4.convert_i32x4_u'),
  ...from(0xfd0fc, 'i32x4.trunc_sat_f64x2_s_zero', 'i32x4.trunc_sat_f64x2_u_zero'),
  ...from(0xfd0fe, 'f64x2.convert_low_i32x4_s', 'f64x2.convert_low_i32x4_u'),

  ...from(0xfd100, 'i8x16.relaxed_swizzle', 'i32x4.relaxed_trunc_f32x4_s', 'i32x4.relaxed_trunc_f32x4_u'),
  ...from(0xfd103, 'i32x4.relaxed_trunc_f64x2_s_zero', 'i32x4.relaxed_trunc_f64x2_u_zero'),
  ...from(0xfd105, 'f32x4.relaxed_madd', 'f32x4.relaxed_nmadd', 'f64x2.relaxed_madd', 'f64x2.relaxed_nmadd'),
  ...from(0xfd109, 'i8x16.relaxed_laneselect', 'i16x8.relaxed_laneselect'),
  ...from(0xfd10b, 'i32x4.relaxed_laneselect', 'i64x2.relaxed_laneselect'),
  ...from(0xfd10d, 'f32x4.relaxed_min', 'f32x4.relaxed_max', 'f64x2.relaxed_min', 'f64x2.relaxed_max'),
  ...from(0xfd111, 'i16x8.relaxed_q15mulr_s', 'i16x8.relaxed_dot_i8x16_i7x16_s'),
  ...from(0xfd113, 'i32x4.relaxed_dot_i8x16_i7x16_add_s'),
} as const;

/** Instructions whose immediates are always zero: indices of the one memory, or reserved. The value is [code, zeros]. */
export const zeroTailCodes = {
  'memory.size': [0x3f, 1],
  'memory.grow': [0x40, 1],
  'memory.copy': [0xfc00a, 2],
  'memory.fill': [0xfc00b, 1],
  'atomic.fence': [0xfe003, 1],
} as const;

/** Loads, stores and atomics. */
export const memoryCodes = {
  ...from(0x28, 'i32.load', 'i64.load', 'f32.load', 'f64.load'),
  ...from(0x2c, 'i32.load8_s', 'i32.load8_u', 'i32.load16_s', 'i32.load16_u'),
  ...from(0x30, 'i64.load8_s', 'i64.load8_u', 'i64.load16_s', 'i64.load16_u', 'i64.load32_s', 'i64.load32_u'),
  ...from(0x36, 'i32.store', 'i64.store', 'f32.store', 'f64.store', 'i32.store8', 'i32.store16'),
  ...from(0x3c, 'i64.store8', 'i64.store16', 'i64.store32'),
  ...from(0xfd000, 'v128.load', 'v128.load8x8_s', 'v128.load8x8_u', 'v128.load16x4_s', 'v128.load16x4_u'),
  ...from(0xfd005, 'v128.load32x2_s', 'v128.load32x2_u'),
  ...from(0xfd007, 'v128.load8_splat', 'v128.load16_splat', 'v128.load32_splat', 'v128.load64_splat', 'v128.store'),
  ...from(0xfd05c, 'v128.load32_zero', 'v128.load64_zero'),
  ...from(0xfe000, 'memory.atomic.notify', 'memory.atomic.wait32', 'memory.atomic.wait64'),
  ...from(0xfe010, 'i32.atomic.load', 'i64.atomic.load', 'i32.atomic.load8_u', 'i32.atomic.load16_u'),
  ...from(0xfe017, 'i32.atomic.store', 'i64.atomic.store', 'i32.atomic.store8', 'i32.atomic.store16'),
  ...from(0xfe01e, 'i32.atomic.rmw.add', 'i64.atomic.rmw.add'),
  ...from(0xfe025, 'i32.atomic.rmw.sub', 'i64.atomic.rmw.sub'),
  ...from(0xfe02c, 'i32.atomic.rmw.and', 'i64.atomic.rmw.and'),
  ...from(0xfe033, 'i32.atomic.rmw.or', 'i64.atomic.rmw.or'),
  ...from(0xfe03a, 'i32.atomic.rmw.xor', 'i64.atomic.rmw.xor'),
  ...from(0xfe041, 'i32.atomic.rmw.xchg', 'i64.atomic.rmw.xchg'),
  ...from(0xfe048, 'i32.atomic.rmw.cmpxchg', 'i64.atomic.rmw.cmpxchg'),
} as const;

/** Instructions that name one lane. */
export const laneCodes = {
  ...from(0xfd015, 'i8x16.extract_lane_s', 'i8x16.extract_lane_u', 'i8x16.replace_lane'),
  ...from(0xfd018, 'i16x8.extract_lane_s', 'i16x8.extract_lane_u', 'i16x8.replace_lane'),
  ...from(0xfd01b, 'i32x4.extract_lane', 'i32x4.replace_lane', 'i64x2.extract_lane', 'i64x2.replace_lane'),
  ...from(0xfd01f, 'f32x4.extract_lane', 'f32x4.replace_lane', 'f64x2.extract_lane', 'f64x2.replace_lane'),
} as const;

/** Loads and stores of one lane. */
export const memoryLaneCodes = {
  ...from(0xfd054, 'v128.load8_lane', 'v128.load16_lane', 'v128.load32_lane', 'v128.load64_lane'),
  ...from(0xfd058, 'v128.store8_lane', 'v128.store16_lane', 'v128.store32_lane', 'v128.store64_lane'),
} as const;

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

export const valueTypeCodes: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};
export const emptyBlock = 0x40;

/** What has immediates of its own kind: structure, variables, constants. */
export const control = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  i32: 0x41,
  i64: 0x42,
  f32: 0x43,
  f64: 0x44,
  v128: 0xfd00c,
  shuffle: 0xfd00d,
} as const;

export type PlainName = keyof typeof plainCodes | keyof typeof zeroTailCodes;
export type MemoryName = keyof typeof memoryCodes;
export type LaneName = keyof typeof laneCodes;
export type MemoryLaneName = keyof typeof memoryLaneCodes;

/** Bytes that a load, store or atomic touches: its natural alignment, which atomics demand. */
export function naturalAlignment(name: MemoryName | MemoryLaneName): number {
  const cached = alignments.get(name);
  if (cached !== undefined) return cached;
  // load8x8, load16x4 and load32x2 all read eight bytes; a width after load or store is in bits; else the type's own.
  const pair = /load(\d+)x(\d+)/.exec(name);
  const width = /(?:load|store|wait)(\d+)/.exec(name);
  const type = /^[if](32|64)|^v(128)|^memory/.exec(name);
  const bits = pair ? 64 : Number(width?.[1] ?? type?.[1] ?? type?.[2] ?? 32);
  alignments.set(name, bits / 8);
  return bits / 8;
}

const alignments = new Map<string, number>();

/** Lanes that a lane instruction counts: 4 for f32x4, and 16 bytes divided by the width for v128.load32_lane. */
export function laneCount(name: LaneName | MemoryLaneName): number {
  const shape = /^[if]\d+x(\d+)/.exec(name);
  return shape ? Number(shape[1]) : 16 / naturalAlignment(name as MemoryLaneName);
}
