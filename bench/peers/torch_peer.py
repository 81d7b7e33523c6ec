"""PyTorch: `python3 torch_peer.py THREADS`. Speaks the JSON lines that serve.mjs describes.

float32 only: oneDNN is told not to use bfloat16 behind our back. Contiguous and channels-last are both tried where they
differ, the faster one is measured.
"""

import json
import os
import sys
import time

os.environ["ONEDNN_DEFAULT_FPMATH_MODE"] = "STRICT"
import torch  # noqa: E402
import torch.nn as nn  # noqa: E402
import torch.nn.functional as F  # noqa: E402

torch.set_num_threads(int(sys.argv[1]))
torch.set_float32_matmul_precision("highest")
torch.manual_seed(0)
FORMATS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}


def gemm(c):
    a, b = torch.randn(c["m"], c["k"]), torch.randn(c["k"], c["n"])
    out = torch.empty(c["m"], c["n"])
    return {"": lambda: torch.mm(a, b, out=out)}


def conv(c):
    """One run for each memory format. Padding that differs between the sides is a pad of its own, as users write it."""
    (top, bottom), (left, right) = c["padding"]
    symmetric = top == bottom and left == right
    padding = [top, left] if symmetric else [0, 0]
    runs = {}
    for name, memory_format in FORMATS.items():
        x = torch.randn(c["batch"], c["inputChannels"], *c["spatial"]).contiguous(memory_format=memory_format)
        w = torch.randn(c["filters"], c["inputChannels"] // c["groups"], *c["kernel"]).contiguous(memory_format=memory_format)
        dy = torch.randn(c["batch"], c["filters"], *c["output"]).contiguous(memory_format=memory_format)

        def padded(x=x):
            return x if symmetric else F.pad(x, (left, right, top, bottom))

        def forward(w=w, padded=padded):
            return F.conv2d(padded(), w, None, c["strides"], padding, c["dilation"], c["groups"])

        def backward(mask, x=x, w=w, dy=dy, padded=padded):
            arguments = (None, c["strides"], padding, c["dilation"], False, [0, 0], c["groups"], mask)
            dx, dw, _ = torch.ops.aten.convolution_backward(dy, padded(), w, *arguments)
            return dw if dx is None else dx if symmetric else F.pad(dx, (-left, -right, -top, -bottom))

        runs[name] = {
            "forward": forward,
            "inputGradient": lambda backward=backward: backward([True, False, False]),
            "kernelGradient": lambda backward=backward: backward([False, True, False]),
        }[c["direction"]]
    return runs


def elementwise(c):
    x = torch.rand(c["elements"]) * 2 - 1
    return {"": lambda: torch.relu(torch.tanh(x * 1.5 + 0.25) * 2 + x)}


class Mnist(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 32, 3)
        self.dense1, self.dense2 = nn.Linear(4608, 128), nn.Linear(128, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
        x = F.dropout(x, 0.25).flatten(1)
        return self.dense2(F.dropout(F.relu(self.dense1(x)), 0.5))


def mnist_step(c):
    runs = {}
    for name, memory_format in FORMATS.items():
        model = Mnist().to(memory_format=memory_format)
        x = torch.rand(c["batch"], 1, 28, 28).contiguous(memory_format=memory_format)
        y = torch.arange(c["batch"]) % 10
        optimizer = torch.optim.Adam(model.parameters(), fused=True)

        def step(model=model, x=x, y=y, optimizer=optimizer):
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(model(x), y).backward()
            optimizer.step()

        runs[f"{name}, fused Adam"] = step
    return runs


BUILDERS = {"gemm": gemm, "conv": conv, "elementwise": elementwise, "mnistStep": mnist_step}


def timed(run):
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1e3


def fastest(runs):
    """The name of the run with the least time, each tried until 0.2 s have passed."""
    best = {}
    for name, run in runs.items():
        run()
        times = [timed(run)]
        while sum(times) < 200:
            times.append(timed(run))
        best[name] = min(times)
    return min(best, key=best.get)


def say(message):
    print(json.dumps(message), flush=True)


def main():
    say({"ready": f"torch {torch.__version__}"})
    run = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                case = request["prepare"]
                with torch.set_grad_enabled(case["kind"] == "mnistStep"):
                    runs = BUILDERS[case["kind"]](case)
                    run = runs[fastest(runs)]
                gradients = case["kind"] == "mnistStep"
                del runs
                say({"prepared": True})
            else:
                with torch.set_grad_enabled(gradients):
                    say({"ms": [timed(run) for _ in range(request["run"])]})
        except (RuntimeError, KeyError) as error:
            say({"prepared": False, "why": str(error).splitlines()[0]})


main()
