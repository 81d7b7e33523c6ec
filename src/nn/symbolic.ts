import { mapTree, type Shape, type Tensor } from '../core/index.js';
import type { AnyLayer, Layer } from './layer.js';
import { outputSignature, outputSignatureOfMany, type Signature } from './signature.js';

let created = 0;

/** A place in a functional graph: an input, or what a layer makes of other places. */
export class Symbolic {
  readonly signature: Signature;
  /** `undefined` for an input. */
  readonly layer: AnyLayer | undefined;
  /** A tree of places. */
  readonly incoming: unknown;
  readonly layerName: string | undefined;
  /** Places come after those they depend on. */
  readonly order: number;

  private constructor(signature: Signature, layer?: AnyLayer, incoming?: unknown, layerName?: string) {
    this.signature = signature;
    this.layer = layer;
    this.incoming = incoming;
    this.layerName = layerName;
    this.order = created++;
  }

  /** @internal */
  static input(signature: Signature, name?: string): Symbolic {
    return new Symbolic(signature, undefined, undefined, name);
  }

  /** @internal */
  static of(layer: Layer, incoming: Symbolic, name?: string): Symbolic {
    return new Symbolic(outputSignature(layer, incoming.signature), layer, incoming, name);
  }

  /** @internal For layers that take a tree of tensors. */
  static ofMany(layer: Layer<never>, incoming: unknown, name?: string): Symbolic {
    const signature = outputSignatureOfMany(layer, (probe) =>
      mapTree(incoming, (place) => probe((place as Symbolic).signature)),
    );
    return new Symbolic(signature, layer, incoming, name);
  }

  /** Shape of one sample, without the batch. */
  get shape(): Shape {
    return this.signature.shape;
  }

  toString(): string {
    return `Symbolic ${this.signature.dtype} [batch, ${this.shape.join(', ')}]`;
  }
}

/** A tree of tensors in the structure of a tree of places. */
export type TensorsOf<S> = S extends Symbolic ? Tensor : { readonly [K in keyof S]: TensorsOf<S[K]> };
