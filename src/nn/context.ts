/** What a forward pass is for: layers such as dropout and batch normalisation do other things in training. */
export interface Context {
  readonly mode: 'training' | 'inference';
}

export const training: Context = { mode: 'training' };
export const inference: Context = { mode: 'inference' };
