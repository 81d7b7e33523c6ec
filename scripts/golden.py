#!/usr/bin/env python3
"""Writes tests/golden/torch: values from PyTorch that the tests compare Kiln with.

    python3 -m pip install 'torch==2.13.0+cpu' numpy --extra-index-url https://download.pytorch.org/whl/cpu
    python3 scripts/golden.py

Inputs are float32; PyTorch computes from them in float64, and the results are rounded to float32 once, so the tolerances
are Kiln's own. Layouts are Kiln's: pictures [batch, height, width, channels], kernels [height, width, channels / groups,
filters], dense kernels [inputs, units]. index.json has one entry a case: its op, its parameters in Kiln's words, and the
names of its tensors. `gradients` are those of sum(output * dy), or of the loss itself where there is no dy.
Same versions, same bytes.
"""

import json
import pathlib
import struct

import numpy as np
import torch
import torch.nn.functional as F

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden" / "torch"
files: dict[str, dict[str, np.ndarray]] = {}
cases: list[dict] = []
random = np.random.default_rng(20260101)
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


# --- writing ---------------------------------------------------------------------------------------------------------


def write_safetensors(path, tensors):
    """https://huggingface.co/docs/safetensors: 8 bytes length, JSON header, then the bytes."""
    names = {"float32": "F32", "int32": "I32"}
    header, offset = {}, 0
    for name, array in tensors.items():
        end = offset + array.nbytes
        header[name] = {"dtype": names[str(array.dtype)], "shape": list(array.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in tensors.values()))


def stored(value):
    """float32 or int32, contiguous, with one kind of NaN."""
    array = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    kind = np.int32 if array.dtype.kind in "iub" else np.float32
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(array.astype(kind)).reshape(array.shape)
    if kind is np.float32:
        array[np.isnan(array)] = np.float32(np.nan)
    return array


def case(file, name, op, inputs, outputs, gradients=None, parameters=None, tolerance=1e-5):
    """Adds a case: its tensors go to `file` as `name/tensor`; `tolerance` is relative to the largest expected value."""
    entry = {"name": name, "file": f"{file}.safetensors", "op": op, "parameters": parameters or {}}
    for role, tensors in (("inputs", inputs), ("outputs", outputs), ("gradients", gradients or {})):
        entry[role] = {}
        for key, value in tensors.items():
            tensor_name = f"{name}/{key}" if role != "gradients" else f"{name}/gradient/{key}"
            files.setdefault(file, {})[tensor_name] = stored(value)
            entry[role][key] = tensor_name
    entry["tolerance"] = tolerance
    cases.append(entry)


# --- inputs ----------------------------------------------------------------------------------------------------------


def normal(*shape, scale=1.0):
    """Normal float32 numbers as a float64 leaf that wants its gradient."""
    array = (random.standard_normal(shape) * scale).astype(np.float32)
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def leaf(values):
    return torch.tensor(np.asarray(values, np.float32), dtype=torch.float64, requires_grad=True)


def gradients_of(y, dy, **leaves):
    return dict(zip(leaves, torch.autograd.grad((y * dy).sum(), list(leaves.values()))))


def to_nchw(x):
    return x.permute(0, 3, 1, 2)


def to_nhwc(x):
    return x.permute(0, 2, 3, 1)


def to_oihw(kernel):
    return kernel.permute(3, 2, 0, 1)


# --- elementwise -----------------------------------------------------------------------------------------------------

UNARY = {
    "neg": torch.neg, "exp": torch.exp, "log": torch.log, "log1p": torch.log1p, "expm1": torch.expm1,
    "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal, "square": torch.square,
    "sin": torch.sin, "cos": torch.cos, "tanh": torch.tanh, "erf": torch.erf, "sigmoid": torch.sigmoid,
    "floor": torch.floor, "ceil": torch.ceil, "round": torch.round, "abs": torch.abs,
    "sign": lambda x: torch.where(x.isnan(), x, torch.sign(x)),  # NaN stays NaN, as in NumPy; PyTorch says 0
}  # fmt: skip
ACTIVATIONS = {
    "relu": (F.relu, {}), "relu6": (F.relu6, {}), "leakyRelu": (lambda x: F.leaky_relu(x, 0.2), {"negativeSlope": 0.2}),
    "elu": (F.elu, {"alpha": 1}), "selu": (F.selu, {}), "softplus": (F.softplus, {}), "softsign": (F.softsign, {}),
    "silu": (F.silu, {}), "mish": (F.mish, {}), "gelu": (F.gelu, {"approximate": "none"}),
    "geluTanh": (lambda x: F.gelu(x, approximate="tanh"), {"approximate": "tanh"}),
    "logSigmoid": (F.logsigmoid, {}), "hardSigmoid": (F.hardsigmoid, {}), "hardSwish": (F.hardswish, {}),
    "hardTanh": (F.hardtanh, {}),
}  # fmt: skip
POSITIVE = {"log", "sqrt", "rsqrt"}
LIMIT = float(np.finfo(np.float32).max)
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-7, -1e-7, 1e-30, 1e30, -1e30, 1.17549435e-38, LIMIT, -LIMIT,
         88.0, 89.0, -87.0, -104.0, 20.0, -20.0, 1000.0, np.inf, -np.inf, np.nan]  # fmt: skip


def elementwise():
    for name, function in UNARY.items():
        start = 0.01 if name in POSITIVE else -0.99 if name == "log1p" else -10
        x = leaf(np.linspace(start, 10, 101) + 0.0037)  # beside the integers, where floor and round jump
        y, dy = function(x), normal(101)
        case("elementwise", name, name, {"x": x, "dy": dy}, {"y": y}, gradients_of(y, dy, x=x), tolerance=1e-6)
        edges = leaf(EDGES)
        case("elementwise", f"{name}-edges", name, {"x": edges}, {"y": function(edges)}, tolerance=1e-6,
             parameters={"note": "compare element by element: NaN with NaN, infinities and signs of infinity equal"})  # fmt: skip
    for name, (function, parameters) in ACTIVATIONS.items():
        x = leaf(np.linspace(-8, 8, 101) + 0.0037)
        y, dy = function(x), normal(101)
        case("elementwise", name, name, {"x": x, "dy": dy}, {"y": y}, gradients_of(y, dy, x=x), parameters, 2e-6)


def binary():
    functions = {
        "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow,
        "maximum": torch.maximum, "minimum": torch.minimum, "mod": torch.remainder,
    }  # fmt: skip
    few = [0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 1e30, np.inf, -np.inf, np.nan]
    for name, function in functions.items():
        a = leaf(np.abs(random.standard_normal((4, 1, 5))) + 0.2)
        b = leaf(random.standard_normal((3, 1)) * 1.5)
        y = function(a, b)
        dy = normal(*y.shape)
        gradients = gradients_of(y, dy, a=a) if name == "mod" else gradients_of(y, dy, a=a, b=b)
        case("binary", name, name, {"a": a, "b": b, "dy": dy}, {"y": y}, gradients, tolerance=2e-6)
        a, b = leaf(few).reshape(-1, 1), leaf(few)
        # in float32: in float64 1e30 · 1e30 is no infinity
        edges = function(a.float(), b.float())
        case("binary", f"{name}-edges", name, {"a": a, "b": b}, {"y": edges}, tolerance=2e-6,
             parameters={"note": "compare element by element: NaN with NaN, infinities and signs of infinity equal"})  # fmt: skip


# --- reductions and products -----------------------------------------------------------------------------------------


def reductions():
    def over(axis, keep):
        every = axis is None
        axes = (0, 1, 2) if every else axis
        return {
            "sum": lambda x: x.sum(axes, keep), "mean": lambda x: x.mean(axes, keep),
            "max": lambda x: x.amax(axes, keep), "min": lambda x: x.amin(axes, keep),
            "variance": lambda x: x.var(axes, correction=0, keepdim=keep),
            "std": lambda x: x.std(axes, correction=0, keepdim=keep),
            "logSumExp": lambda x: x.logsumexp(axes, keep),
        }  # fmt: skip

    for label, axis, keep in (("all", None, False), ("axis0", 0, False), ("axis-1", -1, True), ("axes02", (0, 2), False)):
        for name, function in over(axis, keep).items():
            x = normal(4, 3, 7)
            y = function(x)
            dy = normal(*y.shape)
            parameters = {} if axis is None else {"axis": list(axis) if isinstance(axis, tuple) else axis}
            parameters |= {"keepDims": True} if keep else {}
            case("reductions", f"{name}-{label}", name, {"x": x, "dy": dy}, {"y": y}, gradients_of(y, dy, x=x), parameters)
    for axis in (0, -1):
        x = normal(4, 3, 7)
        y = x.prod(axis)
        dy = normal(*y.shape)
        case("reductions", f"prod-axis{axis}", "prod", {"x": x, "dy": dy}, {"y": y}, gradients_of(y, dy, x=x), {"axis": axis})
        y = x.cumsum(axis)
        dy = normal(*y.shape)
        case("reductions", f"cumsum-axis{axis}", "cumsum", {"x": x, "dy": dy}, {"y": y}, gradients_of(y, dy, x=x), {"axis": axis})
        for name in ("argmax", "argmin"):
            case("reductions", f"{name}-axis{axis}", name, {"x": x}, {"y": getattr(torch, name)(x, axis)}, parameters={"axis": axis})
    for label, shape in (("", (5, 9)), ("-large", (3, 4, 6))):
        for axis in (0, -1):
            x = normal(*shape, scale=100 if label else 2)
            dy = normal(*shape)
            for name, function in (("softmax", F.softmax), ("logSoftmax", F.log_softmax)):
                y = function(x, axis)
                gradients = gradients_of(y, dy, x=x)
                case("reductions", f"{name}{label}-axis{axis}", name, {"x": x, "dy": dy}, {"y": y}, gradients, {"axis": axis})


def products():
    for label, left, right in (("matrix", (5, 7), (7, 3)), ("batched", (2, 1, 4, 6), (3, 6, 5)), ("vector", (6,), (6, 4)),
                               ("rows", (3, 4, 6), (6,)), ("inner", (9,), (9,))):  # fmt: skip
        a, b = normal(*left), normal(*right)
        y = a @ b
        dy = normal(*y.shape)
        case("products", f"matmul-{label}", "matmul", {"a": a, "b": b, "dy": dy}, {"y": y}, gradients_of(y, dy, a=a, b=b))
    for equation, left, right in (("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("ij,kj->ik", (3, 4), (5, 4)), ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4))):
        a, b = normal(*left), normal(*right)
        y = torch.einsum(equation, a, b)
        dy = normal(*y.shape)
        gradients = gradients_of(y, dy, a=a, b=b)
        case("products", f"einsum-{equation}", "einsum", {"a": a, "b": b, "dy": dy}, {"y": y}, gradients, {"equation": equation})
    ids = np.array([[0, 3, 3], [5, 0, 3]], np.int32)
    table = normal(6, 4)
    y = F.embedding(torch.tensor(ids, dtype=torch.int64), table)
    dy = normal(*y.shape)
    case("products", "embedding", "embedding", {"ids": ids, "table": table, "dy": dy}, {"y": y}, gradients_of(y, dy, table=table))


# --- convolutions and pools ------------------------------------------------------------------------------------------


def convolutions():
    rows = [
        # name, batch, [h, w], channels, filters, kernel, strides, padding [[top, bottom], [left, right]], dilation, groups
        ("plain", 2, (6, 7), 3, 4, (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
        ("padded", 2, (5, 6), 2, 3, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
        ("strided", 1, (9, 8), 3, 5, (3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1), 1),
        ("strides-differ", 2, (8, 9), 2, 3, (2, 3), (3, 2), ((0, 0), (1, 1)), (1, 1), 1),
        ("strides-skip", 1, (8, 8), 2, 3, (1, 1), (2, 2), ((0, 0), (0, 0)), (1, 1), 1),
        ("asymmetric", 1, (7, 6), 2, 4, (3, 2), (2, 2), ((0, 1), (2, 0)), (1, 1), 1),
        ("dilated", 1, (9, 10), 2, 3, (3, 3), (1, 1), ((2, 2), (2, 2)), (2, 2), 1),
        ("dilated-strided", 1, (11, 10), 2, 3, (3, 2), (2, 3), ((1, 1), (0, 0)), (2, 3), 1),
        ("grouped", 2, (6, 6), 4, 6, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 2),
        ("grouped-strided", 1, (7, 7), 6, 3, (3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1), 3),
        ("depthwise", 2, (6, 5), 5, 5, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 5),
        ("depthwise-multiplier", 1, (7, 7), 3, 6, (3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1), 3),
        ("pointwise", 2, (4, 5), 7, 9, (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
        ("whole-picture", 3, (5, 4), 2, 6, (5, 4), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
        ("one-channel", 2, (12, 12), 1, 8, (5, 5), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    ]
    for name, n, (h, w), c, o, kernel_size, strides, padding, dilation, groups in rows:
        x, kernel = normal(n, h, w, c), normal(*kernel_size, c // groups, o, scale=0.5)
        (top, bottom), (left, right) = padding
        padded = F.pad(to_nchw(x), (left, right, top, bottom))
        y = to_nhwc(F.conv2d(padded, to_oihw(kernel), None, strides, 0, dilation, groups))
        dy = normal(*y.shape)
        parameters = {"strides": list(strides), "padding": [list(side) for side in padding], "dilation": list(dilation), "groups": groups}
        gradients = gradients_of(y, dy, x=x, kernel=kernel)
        case("conv2d", f"conv2d-{name}", "conv2d", {"x": x, "kernel": kernel, "dy": dy}, {"y": y}, gradients, parameters)

    transposed = [
        # as Keras's Conv2DTranspose: kernel [kh, kw, filters, channels]; padding is cropped from the output
        ("plain", 2, (4, 5), 3, 2, (3, 3), (1, 1), (0, 0), (0, 0), (1, 1)),
        ("strided", 1, (4, 3), 2, 3, (3, 3), (2, 2), (1, 1), (1, 1), (1, 1)),
        ("strided-even", 1, (5, 4), 3, 2, (4, 4), (2, 2), (1, 1), (0, 0), (1, 1)),
        ("gaps", 1, (3, 3), 2, 2, (2, 2), (3, 3), (0, 0), (0, 0), (1, 1)),
        ("dilated", 1, (4, 4), 2, 3, (3, 3), (1, 1), (1, 1), (0, 0), (2, 2)),
    ]
    for name, n, (h, w), c, o, kernel_size, strides, padding, extra, dilation in transposed:
        x, kernel = normal(n, h, w, c), normal(*kernel_size, o, c, scale=0.5)
        weight = kernel.permute(3, 2, 0, 1)  # PyTorch's [channels, filters, kh, kw]
        y = to_nhwc(F.conv_transpose2d(to_nchw(x), weight, None, strides, padding, extra, 1, dilation))
        dy = normal(*y.shape)
        parameters = {"strides": list(strides), "padding": list(padding), "outputPadding": list(extra), "dilation": list(dilation)}
        gradients = gradients_of(y, dy, x=x, kernel=kernel)
        case("conv2d", f"conv2dTranspose-{name}", "conv2dTranspose", {"x": x, "kernel": kernel, "dy": dy}, {"y": y}, gradients, parameters)


def pools():
    rows = [
        # name, [h, w], window, strides, padding, ceil mode
        ("2", (6, 8), (2, 2), (2, 2), (0, 0), False),
        ("odd-input", (7, 5), (2, 2), (2, 2), (0, 0), False),
        ("overlapping", (9, 9), (3, 3), (2, 2), (0, 0), False),
        ("padded", (7, 6), (3, 3), (2, 2), (1, 1), False),
        ("ceil", (6, 6), (3, 3), (2, 2), (0, 0), True),
        ("gaps", (8, 9), (2, 1), (3, 2), (0, 0), False),
    ]
    for name, (h, w), window, strides, padding, ceil in rows:
        parameters = {"window": list(window), "strides": list(strides), "padding": list(padding), "ceilMode": ceil}
        x = normal(2, h, w, 3)
        y = to_nhwc(F.max_pool2d(to_nchw(x), window, strides, padding, 1, ceil))
        dy = normal(*y.shape)
        case("pool", f"maxPool2d-{name}", "maxPool2d", {"x": x, "dy": dy}, {"y": y}, gradients_of(y, dy, x=x), parameters)
        # padding does not count into the mean, as in Keras and TensorFlow
        y = to_nhwc(F.avg_pool2d(to_nchw(x), window, strides, padding, ceil, count_include_pad=False))
        dy = normal(*y.shape)
        parameters = parameters | {"countPadding": False}
        case("pool", f"averagePool2d-{name}", "averagePool2d", {"x": x, "dy": dy}, {"y": y}, gradients_of(y, dy, x=x), parameters)
    x = leaf(np.zeros((1, 4, 4, 1)))
    y = to_nhwc(F.max_pool2d(to_nchw(x), 2))
    dy = normal(*y.shape)
    parameters = {"window": [2, 2], "strides": [2, 2], "padding": [0, 0], "ceilMode": False, "note": "all equal: the first of a window has the gradient"}
    case("pool", "maxPool2d-ties", "maxPool2d", {"x": x, "dy": dy}, {"y": y}, gradients_of(y, dy, x=x), parameters)


# --- layers and losses -----------------------------------------------------------------------------------------------


def normalizations():
    for label, shape, axes in (("last", (4, 6), 1), ("two-axes", (2, 3, 4, 5), 2)):
        x, gamma, beta = normal(*shape, scale=3), normal(*shape[-axes:]), normal(*shape[-axes:])
        y = F.layer_norm(x, shape[-axes:], gamma, beta, 1e-3)
        dy = normal(*shape)
        parameters = {"epsilon": 1e-3, "axes": axes}
        gradients = gradients_of(y, dy, x=x, gamma=gamma, beta=beta)
        case("normalization", f"layerNorm-{label}", "layerNorm", {"x": x, "gamma": gamma, "beta": beta, "dy": dy}, {"y": y}, gradients, parameters)
    for label, shape in (("pictures", (3, 4, 5, 2)), ("rows", (8, 5))):
        channels = shape[-1]
        x, gamma, beta = normal(*shape, scale=2), normal(channels), normal(channels)
        mean, variance = normal(channels), leaf(np.abs(random.standard_normal(channels)) + 0.5)
        dy = normal(*shape)
        turned = to_nchw(x) if len(shape) == 4 else x
        axes = tuple(range(len(shape) - 1))
        inputs = {"x": x, "gamma": gamma, "beta": beta, "mean": mean, "variance": variance, "dy": dy}
        for mode in ("training", "inference"):
            running = [mean.detach().clone(), variance.detach().clone()]
            y = F.batch_norm(turned, *running, gamma, beta, mode == "training", 0.01, 1e-3)
            y = to_nhwc(y) if len(shape) == 4 else y
            outputs = {"y": y}
            if mode == "training":
                biased = x.var(axes, correction=0)
                outputs |= {"batchMean": x.mean(axes), "batchVariance": biased}
                # Keras moves by the biased variance of the batch, PyTorch by the unbiased one
                outputs |= {"newMean": running[0], "newVariance": variance * 0.99 + biased * 0.01, "newVarianceTorch": running[1]}
            parameters = {"epsilon": 1e-3, "momentum": 0.99, "mode": mode}
            gradients = gradients_of(y, dy, x=x, gamma=gamma, beta=beta)
            case("normalization", f"batchNorm-{label}-{mode}", "batchNorm", inputs, outputs, gradients, parameters)


def losses():
    logits = normal(6, 5, scale=3)
    labels = torch.tensor([0, 4, 2, 2, 1, 3])
    targets = F.softmax(normal(6, 5), -1).detach()
    smooth = {"labelSmoothing": 0.1}

    def add(name, op, inputs, value, gradients, parameters=None):
        gradients = dict(zip(gradients, torch.autograd.grad(value, list(gradients.values()))))
        case("losses", name, op, inputs, {"loss": value}, gradients, parameters)

    leaves = {"logits": logits}
    add("crossEntropy-sparse", "crossEntropy", {"logits": logits, "labels": labels}, F.cross_entropy(logits, labels), leaves)
    add("crossEntropy-dense", "crossEntropy", {"logits": logits, "labels": targets}, F.cross_entropy(logits, targets), leaves)
    smoothed = F.cross_entropy(logits, labels, label_smoothing=0.1)
    add("crossEntropy-smoothed", "crossEntropy", {"logits": logits, "labels": labels}, smoothed, leaves, smooth)
    far = leaf([[200.0, -300.0, 0.0], [-1e4, 1e4, 5.0]])
    far_labels = torch.tensor([1, 1])
    add("crossEntropy-far", "crossEntropy", {"logits": far, "labels": far_labels}, F.cross_entropy(far, far_labels), {"logits": far})
    pixels, pixel_labels = normal(2, 3, 3, 4), torch.tensor(random.integers(0, 4, (2, 3, 3)))
    value = F.cross_entropy(to_nchw(pixels), pixel_labels)
    add("crossEntropy-pixels", "crossEntropy", {"logits": pixels, "labels": pixel_labels}, value, {"logits": pixels})

    yes = torch.tensor(random.integers(0, 2, (6, 5)), dtype=torch.float64)
    add("binaryCrossEntropy", "binaryCrossEntropy", {"logits": logits, "labels": yes}, F.binary_cross_entropy_with_logits(logits, yes), leaves)
    wide = leaf([[-500.0, 500.0, 0.0, -30.0, 30.0]])
    wide_labels = torch.tensor([[1.0, 0.0, 1.0, 0.0, 1.0]], dtype=torch.float64)
    value = F.binary_cross_entropy_with_logits(wide, wide_labels)
    add("binaryCrossEntropy-far", "binaryCrossEntropy", {"logits": wide, "labels": wide_labels}, value, {"logits": wide})

    predicted, wanted = normal(4, 6, scale=2), normal(4, 6, scale=2)
    inputs, leaves = {"predictions": predicted, "targets": wanted}, {"predictions": predicted}
    add("meanSquaredError", "meanSquaredError", inputs, F.mse_loss(predicted, wanted), leaves)
    add("meanAbsoluteError", "meanAbsoluteError", inputs, F.l1_loss(predicted, wanted), leaves)
    for delta in (1.0, 2.5):
        value = F.huber_loss(predicted, wanted, delta=delta)
        add(f"huber-{delta}", "huber", inputs, value, leaves, {"delta": delta})


# --- optimizers ------------------------------------------------------------------------------------------------------


class KerasAdam:
    """Adam as Keras has it (Kingma & Ba 2015, section 2): epsilon stands beside the root of v that is not bias-corrected."""

    def __init__(self, parameters, lr, epsilon=1e-7, betas=(0.9, 0.999)):
        self.parameters, self.lr, self.epsilon, self.betas, self.t = list(parameters), lr, epsilon, betas, 0
        self.moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in self.parameters]

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.t += 1
        b1, b2 = self.betas
        rate = self.lr * (1 - b2**self.t) ** 0.5 / (1 - b1**self.t)
        for p, (m, v) in zip(self.parameters, self.moments):
            m.mul_(b1).add_((1 - b1) * p.grad)
            v.mul_(b2).add_((1 - b2) * p.grad**2)
            p.sub_(rate * m / (v.sqrt() + self.epsilon))


def optimizers():
    optim = torch.optim
    adam = "m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g²; "
    rows = [
        ("sgd", "sgd", lambda p: optim.SGD(p, 0.1), {"learningRate": 0.1}, "p = p - rate g"),
        ("sgd-momentum", "sgd", lambda p: optim.SGD(p, 0.05, momentum=0.9), {"learningRate": 0.05, "momentum": 0.9}, "v = momentum v + g; p = p - rate v"),
        ("sgd-nesterov", "sgd", lambda p: optim.SGD(p, 0.05, momentum=0.9, nesterov=True), {"learningRate": 0.05, "momentum": 0.9, "nesterov": True},
         "v = momentum v + g; p = p - rate (g + momentum v)"),
        ("adam-torch", "adam", lambda p: optim.Adam(p, 0.01, eps=1e-7), {"learningRate": 0.01, "epsilon": 1e-7},
         adam + "p = p - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)"),
        ("adam-keras", "adam", lambda p: KerasAdam(p, 0.01), {"learningRate": 0.01, "epsilon": 1e-7},
         adam + "p = p - rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon); computed by the script"),
        ("adamW", "adamW", lambda p: optim.AdamW(p, 0.01, eps=1e-7, weight_decay=0.1), {"learningRate": 0.01, "epsilon": 1e-7, "weightDecay": 0.1},
         "p = p - rate weightDecay p; then as adam-torch"),
        ("rmsProp", "rmsProp", lambda p: optim.RMSprop(p, 0.01, alpha=0.9, eps=1e-7), {"learningRate": 0.01, "rho": 0.9, "epsilon": 1e-7},
         "v = rho v + (1 - rho) g²; p = p - rate g / (sqrt(v) + epsilon)"),
        ("rmsProp-momentum", "rmsProp", lambda p: optim.RMSprop(p, 0.01, alpha=0.9, eps=1e-7, momentum=0.8),
         {"learningRate": 0.01, "rho": 0.9, "epsilon": 1e-7, "momentum": 0.8},
         "v = rho v + (1 - rho) g²; b = momentum b + g / (sqrt(v) + epsilon); p = p - rate b"),
        ("adaGrad", "adaGrad", lambda p: optim.Adagrad(p, 0.1, eps=1e-7, initial_accumulator_value=0.1),
         {"learningRate": 0.1, "epsilon": 1e-7, "initialAccumulator": 0.1}, "s = s + g²; p = p - rate g / (sqrt(s) + epsilon)"),
    ]  # fmt: skip
    x, target, start = normal(8, 3).detach(), normal(8, 2).detach(), normal(3, 2).detach()
    for name, op, make, parameters, formula in rows:
        w = start.clone().requires_grad_(True)
        optimizer = make([w])
        path, gradients = [], []
        for _ in range(5):
            optimizer.zero_grad()
            F.mse_loss(x @ w, target).backward()
            gradients.append(w.grad.clone())
            optimizer.step()
            path.append(w.detach().clone())
        inputs = {"x": x, "target": target, "start": start, "stepGradients": torch.stack(gradients)}
        parameters = parameters | {"steps": 5, "loss": "mean((x · w - target)²)", "formula": formula}
        case("optimizers", name, op, inputs, {"parameters": torch.stack(path)}, parameters=parameters)


def schedules():
    schedulers = torch.optim.lr_scheduler
    rows = [
        ("constant", lambda o: schedulers.ConstantLR(o, 1.0), {}, "rate"),
        ("step", lambda o: schedulers.StepLR(o, 4, 0.5), {"every": 4, "factor": 0.5}, "rate · factor^floor(t / every)"),
        ("exponential", lambda o: schedulers.ExponentialLR(o, 0.9), {"factor": 0.9}, "rate · factor^t"),
        ("cosine", lambda o: schedulers.CosineAnnealingLR(o, 12, 0.001), {"steps": 12, "minimum": 0.001},
         "minimum + (rate - minimum)(1 + cos(π t / steps)) / 2"),
        ("warmUp", lambda o: schedulers.LinearLR(o, 0.2, 1.0, 5), {"steps": 5, "from": 0.2}, "rate · (from + (1 - from) min(t / steps, 1))"),
    ]  # fmt: skip
    for name, make, parameters, formula in rows:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1)
        scheduler, rates = make(optimizer), []
        for _ in range(12):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        parameters = {"learningRate": 0.1} | parameters | {"formula": formula}
        case("optimizers", f"schedule-{name}", "schedule", {}, {"rates": np.array(rates)}, parameters=parameters)


# --- a whole step ----------------------------------------------------------------------------------------------------


def network():
    """Two convolutions, pool, two dense layers: loss, all gradients, and the parameters after three steps of Adam."""
    x, labels = normal(5, 12, 12, 1), torch.tensor([3, 0, 2, 1, 3])
    start = {
        "conv1/kernel": normal(3, 3, 1, 4, scale=0.4), "conv1/bias": normal(4, scale=0.1),
        "conv2/kernel": normal(3, 3, 4, 6, scale=0.2), "conv2/bias": normal(6, scale=0.1),
        "dense1/kernel": normal(96, 8, scale=0.15), "dense1/bias": normal(8, scale=0.1),
        "dense2/kernel": normal(8, 4, scale=0.4), "dense2/bias": normal(4, scale=0.1),
    }  # fmt: skip

    def forward(p):
        y = F.relu(F.conv2d(to_nchw(x), to_oihw(p["conv1/kernel"]), p["conv1/bias"]))
        y = F.relu(F.conv2d(y, to_oihw(p["conv2/kernel"]), p["conv2/bias"]))
        y = to_nhwc(F.max_pool2d(y, 2)).flatten(1)  # flattened channels last, as Kiln does
        y = F.relu(y @ p["dense1/kernel"] + p["dense1/bias"])
        return y @ p["dense2/kernel"] + p["dense2/bias"]

    logits = forward(start)
    loss = F.cross_entropy(logits, labels)
    gradients = dict(zip(start, torch.autograd.grad(loss, list(start.values()))))
    outputs = {"logits": logits, "loss": loss}
    for kind, make in (("keras", lambda p: KerasAdam(p, 0.01)), ("torch", lambda p: torch.optim.Adam(p, 0.01, eps=1e-7))):
        parameters = {name: value.detach().clone().requires_grad_(True) for name, value in start.items()}
        optimizer, all_losses = make(list(parameters.values())), []
        for _ in range(3):
            optimizer.zero_grad()
            value = F.cross_entropy(forward(parameters), labels)
            value.backward()
            optimizer.step()
            all_losses.append(value.detach())
        outputs[f"{kind}/losses"] = torch.stack(all_losses)
        outputs |= {f"{kind}/{name}": value for name, value in parameters.items()}
    layers = "conv 4@3x3 relu, conv 6@3x3 relu, maxPool 2, flatten, dense 8 relu, dense 4; mean cross-entropy from logits"
    note = "outputs keras/… and torch/… are the losses of, and parameters after, three steps of adam-keras and adam-torch"
    parameters = {"layers": layers, "learningRate": 0.01, "epsilon": 1e-7, "steps": 3, "note": note}
    case("network", "cnn", "network", {"x": x, "labels": labels} | start, outputs, gradients, parameters, 1e-4)


# --- recurrent networks ------------------------------------------------------------------------------------------------


def recurrent():
    def swapped(kernel, units):
        """GRU's columns from Kiln's order z, r, h to PyTorch's r, z, n, and back."""
        z, r, h = kernel.split(units, -1)
        return torch.cat((r, z, h), -1)

    def weights_of(kind, kernel, recurrent_kernel, bias):
        """PyTorch's weight_ih, weight_hh, bias_ih, bias_hh."""
        if kind != "gru":
            return [kernel.T, recurrent_kernel.T, bias, torch.zeros_like(bias)]
        units = recurrent_kernel.shape[0]
        return [swapped(kernel, units).T, swapped(recurrent_kernel, units).T, *swapped(bias, units)]

    run = {"rnn": torch._VF.rnn_tanh, "gru": torch._VF.gru, "lstm": torch._VF.lstm}
    batch, steps, inputs, units = 3, 6, 4, 5
    for kind, gates in (("rnn", 1), ("lstm", 4), ("gru", 3)):
        for layers in (1, 2):
            for directions in (1, 2):
                x = normal(batch, steps, inputs)
                leaves = {"x": x}
                flat = []
                for layer in range(layers):
                    width = inputs if layer == 0 else directions * units
                    for direction in ("forward", "backward")[:directions]:
                        kernel = normal(width, gates * units, scale=0.6)
                        recurrent_kernel = normal(units, gates * units, scale=0.6)
                        bias = normal(*((2,) if kind == "gru" else ()), gates * units, scale=0.5)
                        parts = {"kernel": kernel, "recurrentKernel": recurrent_kernel, "bias": bias}
                        leaves |= {f"layer{layer}/{direction}/{name}": value for name, value in parts.items()}
                        flat += weights_of(kind, kernel, recurrent_kernel, bias)
                zero = torch.zeros(layers * directions, batch, units, dtype=torch.float64)
                start = (zero, zero) if kind == "lstm" else zero
                y, *last = run[kind](x, start, flat, True, layers, 0.0, False, directions == 2, True)
                dy = normal(*y.shape)
                outputs = {"y": y} | {f"last/{name}": value[-1] for name, value in zip("hc", last)}
                parameters = {"kind": kind, "layers": layers, "bidirectional": directions == 2, "units": units}
                name = f"{kind}-{layers}{'-bidirectional' if directions == 2 else ''}"
                case("recurrent", name, "recurrent", leaves | {"dy": dy}, outputs, gradients_of(y, dy, **leaves), parameters)


# --- volumes -----------------------------------------------------------------------------------------------------------


def volumes():
    def to_ncdhw(x):
        return x.permute(0, 4, 1, 2, 3)

    def to_ndhwc(x):
        return x.permute(0, 2, 3, 4, 1)

    rows = [
        # name, batch, [d, h, w], channels, filters, kernel, strides, padding (before and after), dilation, groups
        ("plain", 2, (4, 5, 6), 2, 3, (2, 3, 3), (1, 1, 1), (0, 0, 0), (1, 1, 1), 1),
        ("padded", 1, (3, 4, 5), 2, 3, (3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1), 1),
        ("strided", 1, (5, 6, 7), 3, 4, (3, 3, 2), (2, 2, 3), (1, 1, 0), (1, 1, 1), 1),
        ("dilated", 1, (5, 6, 7), 2, 2, (2, 3, 2), (1, 1, 1), (0, 2, 1), (2, 2, 3), 1),
        ("grouped", 1, (4, 5, 5), 4, 6, (3, 3, 3), (1, 2, 2), (1, 1, 1), (1, 1, 1), 2),
        ("depthwise", 1, (4, 4, 5), 3, 3, (2, 3, 3), (1, 1, 1), (0, 1, 1), (1, 1, 1), 3),
    ]
    for name, n, sizes, c, o, kernel_size, strides, padding, dilation, groups in rows:
        x, kernel = normal(n, *sizes, c), normal(*kernel_size, c // groups, o, scale=0.5)
        weight = kernel.permute(4, 3, 0, 1, 2)
        y = to_ndhwc(F.conv3d(to_ncdhw(x), weight, None, strides, padding, dilation, groups))
        dy = normal(*y.shape)
        parameters = {"strides": list(strides), "padding": list(padding), "dilation": list(dilation), "groups": groups}
        gradients = gradients_of(y, dy, x=x, kernel=kernel)
        case("volumes", f"conv3d-{name}", "conv3d", {"x": x, "kernel": kernel, "dy": dy}, {"y": y}, gradients, parameters)

    transposed = [
        ("plain", 1, (2, 3, 4), 2, 3, (2, 3, 3), (1, 1, 1), (0, 0, 0), (0, 0, 0), (1, 1, 1)),
        ("strided", 1, (3, 2, 3), 2, 2, (3, 3, 3), (2, 2, 1), (1, 1, 1), (1, 0, 0), (1, 1, 1)),
        ("dilated", 1, (2, 3, 3), 2, 2, (2, 2, 3), (1, 1, 2), (0, 1, 0), (0, 0, 0), (2, 2, 1)),
    ]
    for name, n, sizes, c, o, kernel_size, strides, padding, extra, dilation in transposed:
        x, kernel = normal(n, *sizes, c), normal(*kernel_size, o, c, scale=0.5)
        weight = kernel.permute(4, 3, 0, 1, 2)
        y = to_ndhwc(F.conv_transpose3d(to_ncdhw(x), weight, None, strides, padding, extra, 1, dilation))
        dy = normal(*y.shape)
        parameters = {"strides": list(strides), "padding": list(padding), "outputPadding": list(extra), "dilation": list(dilation)}
        gradients = gradients_of(y, dy, x=x, kernel=kernel)
        case("volumes", f"conv3dTranspose-{name}", "conv3dTranspose", {"x": x, "kernel": kernel, "dy": dy}, {"y": y}, gradients, parameters)

    pooled = [
        # name, [d, h, w], window, strides, padding, ceil mode
        ("2", (4, 4, 6), (2, 2, 2), (2, 2, 2), (0, 0, 0), False),
        ("overlapping", (5, 5, 4), (3, 2, 3), (2, 1, 1), (0, 0, 0), False),
        ("padded", (4, 5, 6), (3, 3, 2), (2, 2, 2), (1, 1, 0), False),
        ("ceil", (4, 6, 3), (3, 3, 2), (2, 2, 2), (0, 0, 0), True),
    ]
    for name, sizes, window, strides, padding, ceil in pooled:
        parameters = {"window": list(window), "strides": list(strides), "padding": list(padding), "ceilMode": ceil}
        x = normal(1, *sizes, 2)
        y = to_ndhwc(F.max_pool3d(to_ncdhw(x), window, strides, padding, 1, ceil))
        dy = normal(*y.shape)
        case("volumes", f"maxPool3d-{name}", "maxPool3d", {"x": x, "dy": dy}, {"y": y}, gradients_of(y, dy, x=x), parameters)
        y = to_ndhwc(F.avg_pool3d(to_ncdhw(x), window, strides, padding, ceil, count_include_pad=False))
        dy = normal(*y.shape)
        parameters = parameters | {"countPadding": False}
        case("volumes", f"averagePool3d-{name}", "averagePool3d", {"x": x, "dy": dy}, {"y": y}, gradients_of(y, dy, x=x), parameters)


# --- sorting -----------------------------------------------------------------------------------------------------------


def sorting():
    for label, shape, axis, descending in (("last", (3, 17), -1, False), ("first", (9, 4), 0, True), ("middle", (2, 33, 3), 1, False)):
        x = normal(*shape)
        y = torch.sort(x, dim=axis, descending=descending, stable=True).values
        dy = normal(*y.shape)
        parameters = {"axis": axis, "descending": descending}
        case("sorting", f"sort-{label}", "sort", {"x": x, "dy": dy}, {"y": y}, gradients_of(y, dy, x=x), parameters)
    for label, shape, axis, k in (("last", (3, 50), -1, 5), ("first", (20, 3), 0, 9)):
        x = normal(*shape)
        y = torch.topk(x, k, axis).values
        dy = normal(*y.shape)
        case("sorting", f"topK-{label}", "topK", {"x": x, "dy": dy}, {"y": y}, gradients_of(y, dy, x=x), {"axis": axis, "k": k})


def main():
    for part in (elementwise, binary, reductions, products, convolutions, pools, normalizations, losses, optimizers, schedules, network, recurrent, volumes, sorting):
        part()
    OUT.mkdir(parents=True, exist_ok=True)
    for name, tensors in files.items():
        write_safetensors(OUT / f"{name}.safetensors", tensors)
    about = {
        "from": f"torch {torch.__version__}, numpy {np.__version__}",
        "script": "scripts/golden.py",
        "arithmetic": "float64 from float32 inputs, rounded once; binary edges in float32",
        "tolerance": "|got - expected| <= tolerance · max(1e-6, largest finite |expected|); edges: tolerance · |expected| for each element",
    }
    lines = ",\n".join(f"    {json.dumps(entry, ensure_ascii=False)}" for entry in cases)
    head = json.dumps(about, indent=2, ensure_ascii=False).replace("\n", "\n  ")
    (OUT / "index.json").write_text(f'{{\n  "about": {head},\n  "cases": [\n{lines}\n  ]\n}}\n')
    total = sum(path.stat().st_size for path in OUT.iterdir())
    print(f"{len(cases)} cases, {total / 1024:.0f} KiB")


main()
