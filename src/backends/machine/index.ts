/**
 * machine: runs nests on an abstract machine of vectors, registers and structured code; written once for all of them.
 * code.ts is the machine; emit-loop.ts and emit-contraction.ts make code of scheduled nests, driver.ts of whole programs.
 * Knows nests and schedules, never operations; a backend makes its machine's instructions of the code.
 */
export type {
  Code,
  CodeModule,
  FunctionHandle,
  Label,
  LoadName,
  Local,
  MachineOp,
  RegisterType,
  StoreName,
} from './code.js';
export { type CompileOptions, compileProgram, type FaultPlace, type MachineProgram, type Stage } from './compile.js';
export {
  type AssembledCode,
  type CompiledProgram,
  type Machine,
  MachineDevice,
  type ProgramOptions,
} from './device.js';
export { controlLayout } from './driver.js';
export { Heap } from './heap.js';
export { copyLimit, multiplyAddLimit } from './limits.js';
export type { Profile, ProfileOptions, StepProfile } from './profile.js';
export { ProfilingDevice } from './profiling-device.js';
