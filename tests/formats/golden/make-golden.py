"""Writes numpy.safetensors with the reference implementation (safetensors 0.8.0, NumPy 2.4.6): python3 make-golden.py"""
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

tensors = {
    "kernel": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
    "scalar": np.array(-1.5, dtype=np.float32),
    "empty": np.zeros((0, 3), dtype=np.float32),
    "labels": np.array([7, -2, 2**31 - 1], dtype=np.int32),
    "pixels": np.array([[0, 128, 255]], dtype=np.uint8),
    "mask": np.array([True, False, True]),
    "half": np.array([1, 0.5, -2], dtype=np.float16),
    "double": np.array([0.1, 1e-300, np.inf, np.nan], dtype=np.float64),
    "long": np.array([-(2**31), 2**31 - 1], dtype=np.int64),
    "unsigned": np.array([0, 65535], dtype=np.uint16),
    "byte": np.array([-128, 127], dtype=np.int8),
    "größe/é\"": np.array([1], dtype=np.uint8),
    "__proto__": np.array([2], dtype=np.uint8),
}
save_file(tensors, Path(__file__).with_name("numpy.safetensors"), metadata={"format": "np", "note": "ü"})
