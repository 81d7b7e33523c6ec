#!/usr/bin/env python3
"""char-rnn's recipe in PyTorch, as `kiln train text` has it: the validation loss to compare with.

    python3 -m pip install 'torch==2.13.0+cpu' --extra-index-url https://download.pytorch.org/whl/cpu
    python3 bench/char-rnn.py tinyshakespeare.txt --epochs 10
    npx kiln train text tinyshakespeare.txt --epochs 10

Both read the text as `batch-size` parallel streams with the state carried from batch to batch, keep the last 5 % of each
stream for validation, begin with weights between -0.08 and 0.08 and forget biases of 1, and step with RMSProp, gradients
cut to ±5. The draws of the first weights differ, so that the losses agree to about 0.02 nats, not to the last digit.
Options are those of `kiln train text`.
"""

import argparse
import math
import time

import torch
import torch.nn.functional as F


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    for name, kind, default in (
        ("layers", int, 2), ("hidden", int, 128), ("dropout", float, 0.0), ("sequence-length", int, 50),
        ("batch-size", int, 50), ("epochs", int, 50), ("learning-rate", float, 2e-3), ("learning-rate-decay", float, 0.97),
        ("decay-after", int, 10), ("decay-rate", float, 0.95), ("clip", float, 5.0), ("validation", float, 0.05),
        ("seed", int, 0), ("threads", int, 2), ("steps", int, None),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=kind, default=default)
    return parser.parse_args()


class Network(torch.nn.Module):
    def __init__(self, vocabulary, options):
        super().__init__()
        self.lstm = torch.nn.LSTM(vocabulary, options.hidden, options.layers, batch_first=True, dropout=options.dropout)
        self.drop = torch.nn.Dropout(options.dropout)
        self.dense = torch.nn.Linear(options.hidden, vocabulary)
        self.vocabulary = vocabulary
        for name, parameter in self.named_parameters():
            torch.nn.init.uniform_(parameter, -0.08, 0.08)
            if name.startswith("lstm.bias_hh"):  # Kiln has one bias
                torch.nn.init.zeros_(parameter)
                parameter.requires_grad_(False)
            if name.startswith("lstm.bias_ih"):  # gates i, f, g, o
                parameter.data[options.hidden : 2 * options.hidden] = 1

    def forward(self, ids, state=None):
        y, state = self.lstm(F.one_hot(ids, self.vocabulary).float(), state)
        return self.dense(self.drop(y)), state


def main():
    options = arguments()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    text = "".join(open(path, encoding="utf-8", newline="").read() for path in options.files)
    symbols = sorted(set(text))
    numbers = torch.tensor([symbols.index(c) for c in text])

    batch, steps = options.batch_size, options.sequence_length
    batches = (len(numbers) - 1) // (batch * steps)
    kept = min(batches - 1, max(1, math.floor(batches * options.validation + 0.5)))
    count = batches * batch * steps
    inputs = numbers[:count].view(batch, batches, steps).transpose(0, 1)
    targets = numbers[1 : count + 1].view(batch, batches, steps).transpose(0, 1)
    train = batches - kept

    network = Network(len(symbols), options)
    trained = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.RMSprop(trained, lr=options.learning_rate, alpha=options.decay_rate, eps=1e-8)

    def loss_of(i, state):
        logits, state = network(inputs[i], state)
        return F.cross_entropy(logits.reshape(-1, len(symbols)), targets[i].reshape(-1)), tuple(s.detach() for s in state)

    done, began = 0, time.time()
    for epoch in range(1, options.epochs + 1):
        state, losses = None, []
        network.train()
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * options.learning_rate_decay ** max(0, epoch - max(1, options.decay_after))
        for i in range(train):
            loss, state = loss_of(i, state)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_value_(trained, options.clip)
            optimizer.step()
            losses.append(loss.item())
            done += 1
            if done % 100 == 0:
                print(f"step {done}  loss {loss.item():.4f}  {1000 * (time.time() - began) / done:.1f} ms a step", flush=True)
            if options.steps is not None and done >= options.steps:
                return
        network.eval()
        with torch.no_grad():
            state, validation = None, []
            for i in range(train, batches):
                loss, state = loss_of(i, state)
                validation.append(loss.item())
        mean = sum(validation) / len(validation)
        print(f"epoch {epoch}/{options.epochs}  loss {sum(losses) / len(losses):.4f}  validation loss {mean:.4f}  "
              f"({mean / math.log(2):.3f} bits)  {time.time() - began:.0f} s", flush=True)  # fmt: skip


main()
