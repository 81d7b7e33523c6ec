import type { Kernel } from './nest.js';
import type { Buffer, LoweredProgram, Step } from './program.js';
import { splitReduction } from './split.js';
import type { Target } from './target.js';

/** The program with long reductions whose results are too few to share cut into parts, whose sums a kernel after them adds up. */
export function splitReductions(program: LoweredProgram, target: Target): LoweredProgram {
  const buffers: Buffer[] = [...program.buffers];
  const launch = (kernel: Kernel): Step => ({ kind: 'launch', kernel });
  const split = (step: Step): Step[] => {
    switch (step.kind) {
      case 'loop':
        return [{ ...step, steps: step.steps.flatMap(split) }];
      case 'branch':
        return [{ ...step, whenTrue: step.whenTrue.flatMap(split), whenFalse: step.whenFalse.flatMap(split) }];
      case 'launch': {
        const { nest, label, buffers: uses } = step.kernel;
        const parts = splitReduction(nest, target);
        if (!parts) return [step];
        const buffer = buffers.length;
        buffers.push({
          id: buffer,
          dtype: parts.partialType,
          elements: parts.partialElements,
          role: { kind: 'temporary' },
        });
        const written = new Set(parts.combine.stores.map(({ access }) => access.buffer));
        const reads = uses.map(({ buffer: used }) => ({ buffer: used, access: 'read' as const }));
        return [
          ...parts.parts.map((part) => launch({ nest: part, label, buffers: [...reads, { buffer, access: 'write' }] })),
          launch({
            nest: parts.combine,
            label,
            buffers: [...uses.map((use, i) => (written.has(i) ? use : reads[i]!)), { buffer, access: 'read' }],
          }),
        ];
      }
    }
  };
  return { ...program, buffers, steps: program.steps.flatMap(split) };
}
