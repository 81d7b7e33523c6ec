import type { Allocation } from './allocate.js';
import type { Assembler, Label } from './assembler.js';
import type { Instruction, MachineBlock, MachineFunction } from './instructions.js';
import { isSamePlace } from './moves.js';
import type { Operands } from './operand-places.js';

/** Where a function's blocks stand in its code: those that only lead to another one are not there at all. */
export class BlockLayout {
  readonly #asm: Assembler;
  readonly #machine: MachineFunction;
  readonly #allocation: Allocation;
  readonly #operands: Operands;
  readonly #labels: (Label | undefined)[];
  readonly #isEmpty: (boolean | undefined)[];

  constructor(asm: Assembler, machine: MachineFunction, allocation: Allocation, operands: Operands) {
    this.#asm = asm;
    this.#machine = machine;
    this.#allocation = allocation;
    this.#operands = operands;
    this.#labels = machine.blocks.map(() => undefined);
    this.#isEmpty = machine.blocks.map(() => undefined);
  }

  label(block: MachineBlock): Label {
    const known = this.#labels[block.order];
    if (known) return known;
    const label = this.#asm.label();
    this.#labels[block.order] = label;
    return label;
  }

  /** Whether a block only leads to another one. */
  emitsNothing(block: MachineBlock): boolean {
    let isEmpty = this.#isEmpty[block.order];
    if (isEmpty === undefined) {
      isEmpty = block.instructions.every(
        (instruction) =>
          (instruction.operation === 'jump' && instruction.whenTrue !== block && !this.#hasTransfers(instruction)) ||
          (instruction.operation === 'moves' &&
            !this.#hasTransfers(instruction) &&
            instruction.moves.every(({ to, from }) =>
              isSamePlace(this.#operands.place(to), this.#operands.place(from)),
            )),
      );
      this.#isEmpty[block.order] = isEmpty;
    }
    return isEmpty;
  }

  #hasTransfers({ before, after }: Instruction): boolean {
    return [...(before ?? []), ...(after ?? [])].some(
      ({ register: virtual }) => this.#allocation.registers[virtual] !== undefined,
    );
  }

  /** Where a jump to a block really leads. */
  target(block: MachineBlock): MachineBlock {
    let at = block;
    for (let steps = 0; this.emitsNothing(at); steps++) {
      if (steps > this.#machine.blocks.length) {
        this.#isEmpty[at.order] = false;
        break;
      }
      at = at.successors[0]!;
    }
    return at;
  }

  next(block: MachineBlock): MachineBlock | undefined {
    const { blocks } = this.#machine;
    let order = block.order + 1;
    while (order < blocks.length && this.emitsNothing(blocks[order]!)) order++;
    return blocks[order];
  }
}
