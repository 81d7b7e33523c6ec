import { x64Target } from '../../compiler/index.js';
import { InternalError, type KilnError } from '../../core/index.js';
import {
  type AssembledCode,
  type CompileOptions,
  compileProgram,
  controlLayout,
  Heap,
  type Machine,
  MachineDevice,
  type Stage,
} from '../machine/index.js';
import { type Assembler, edi, jumpless, type Label, rbx, rdi } from './assembler.js';
import { addBarrier, barrierSpins, barrierWords, crowdedBarrierSpins } from './barrier.js';
import type { CpuFeatures } from './cpu-features.node.js';
import { ExecutableCode } from './executable.node.js';
import { X64ModuleBuilder } from './module-builder.js';
import type { Native } from './native.node.js';
import { NativeThreads } from './threads.node.js';
