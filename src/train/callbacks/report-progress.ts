import type { Host, Progress } from '../host.js';
import type { Callback, FitView } from './callback.js';

/** Shows each step to the host, which redraws as often as is useful. */
export function reportProgress({ progress }: Pick<Host, 'progress'>): Callback {
  const where = ({ epoch, epochs, stepInEpoch, stepsPerEpoch = 0 }: FitView): Progress => ({
    epoch,
    epochs,
    step: stepInEpoch,
    stepsPerEpoch,
  });
  const shown = ({ loss, accuracy }: Readonly<Record<string, number>>): Partial<Progress> => ({
    ...(loss === undefined ? {} : { loss }),
    ...(accuracy === undefined ? {} : { accuracy }),
  });
  return {
    name: 'reportProgress',
    onStep: (_, fit) => progress({ ...where(fit), ...shown(fit.averages) }),
    onEpochEnd: ({ epoch, values }, fit) => {
      const { validationLoss, validationAccuracy } = values;
      const steps = fit.stepsPerEpoch ?? 0;
      progress({
        epoch,
        epochs: fit.epochs,
        step: steps,
        stepsPerEpoch: steps,
        isEpochDone: true,
        ...shown(values),
        ...(validationLoss === undefined ? {} : { validationLoss }),
        ...(validationAccuracy === undefined ? {} : { validationAccuracy }),
      });
    },
  };
}
