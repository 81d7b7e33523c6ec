"""Writes images.safetensors: picture files of each kind, and what Pillow decodes them to; one picture resized.

python3 make-golden.py, with Pillow 12.3.0, NumPy 2.4.6, safetensors 0.8.0
"""
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import save_file

y, x = np.mgrid[0:23, 0:37]
rgb = np.stack([x * 6 % 256, y * 10 % 256, (x * y) % 256], -1).astype(np.uint8)
smooth = np.stack([x * 6, y * 10, (x + y) * 4], -1).astype(np.uint8)
alpha = (x * 7 % 256).astype(np.uint8)
grey = (x * 5 + y * 3).astype(np.uint8)
deep = (x * 1700 + y * 13).astype(np.uint16)
tensors = {}


def put(name, image, pixels=None, **options):
    """The file's bytes, and its pixels as RGBA (PNG) or RGB (JPEG)."""
    file = io.BytesIO()
    image.save(file, name.rsplit(".", 1)[1].replace("jpg", "jpeg"), **options)
    tensors[name] = np.frombuffer(file.getvalue(), np.uint8)
    if pixels is None:
        mode = "RGBA" if name.endswith("png") else "RGB"
        pixels = np.asarray(ImageOps.exif_transpose(Image.open(file)).convert(mode))
    tensors[name + " pixels"] = np.ascontiguousarray(pixels)


def opaque(grey):
    return np.dstack([grey, grey, grey, np.full_like(grey, 255)])


put("rgb.png", Image.fromarray(rgb))
put("rgba.png", Image.fromarray(np.dstack([rgb, alpha])))
put("grey.png", Image.fromarray(grey))
put("grey-alpha.png", Image.fromarray(np.dstack([grey, alpha])))
put("grey-16-bits.png", Image.fromarray(deep), opaque((deep >> 8).astype(np.uint8)))
put("grey-1-bit.png", Image.fromarray(((x // 4 + y) % 2 * 255).astype(np.uint8)).convert("1"))
put("palette-4-bits.png", Image.fromarray(rgb).quantize(13))
put("palette-8-bits.png", Image.fromarray(rgb).quantize(200))
put("palette-alpha.png", Image.fromarray(rgb).quantize(13), transparency=3)
put("grey-key.png", Image.fromarray(grey), transparency=int(grey[3, 3]))
put("rgb-key.png", Image.fromarray(rgb), transparency=tuple(int(v) for v in rgb[3, 3]))
put("rgb.jpg", Image.fromarray(smooth), quality=95, subsampling=0)
put("progressive.jpg", Image.fromarray(smooth), quality=90, progressive=True)
put("grey.jpg", Image.fromarray(grey), quality=95)
put("grey-restart.jpg", Image.fromarray(grey), quality=95, restart_marker_blocks=4)
for orientation in range(2, 9):
    exif = Image.Exif()
    exif[0x112] = orientation
    put(f"turned-{orientation}.jpg", Image.fromarray(smooth), quality=95, subsampling=0, exif=exif)

tensors["rgb as grey"] = np.asarray(Image.fromarray(rgb).convert("L"))
# Pillow's BOX takes whole pixels only; repeated 7 x 10 times, each mean is over whole ones
blocks = rgb.repeat(7, 0).repeat(10, 1).reshape(7, 23, 10, 37, 3).astype(np.float64).mean((1, 3))
tensors["rgb at 7 x 10, area"] = np.floor(blocks + 0.5).astype(np.uint8)
tensors["rgb at 50 x 61, bilinear"] = np.asarray(Image.fromarray(rgb).resize((61, 50), Image.Resampling.BILINEAR))
save_file(tensors, Path(__file__).with_name("images.safetensors"))
