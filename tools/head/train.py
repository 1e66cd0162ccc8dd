"""Trains the sine head: `train.py PAIRS OUT.bin [--test PAIRS]`, with PyTorch and numpy.

PAIRS is a folder of files written by `cargo run --release -p inr-tools --bin head_pairs`. Networks of levels 3 and above, 2 and 1
are trained one after the other, each on what the coarser ones leave and starting from the one before.
"""

import argparse
import json
import math
import pathlib
import random

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

WIDTH, DEPTH = 32, 4
ALPHA, BETA, GAMMA, DELTA = -1.5861343, -0.05298012, 0.8829111, 0.44350685
LOW, HIGH = 1.1496044, 0.86986445


def lift_even(even, odd, weight):
    left = torch.cat([odd[..., :1], odd], -1)[..., : even.shape[-1]]
    right = odd if odd.shape[-1] == even.shape[-1] else torch.cat([odd, odd[..., -1:]], -1)
    return even + weight * (left + right)


def lift_odd(odd, even, weight):
    right = torch.cat([even[..., 1:], even[..., -1:]], -1)[..., : odd.shape[-1]]
    return odd + weight * (even[..., : odd.shape[-1]] + right)


def join_lines(low, high):
    if high.shape[-1] == 0:
        return low
    low, high = low / LOW, high / HIGH
    low = lift_even(low, high, -DELTA)
    high = lift_odd(high, low, -GAMMA)
    low = lift_even(low, high, -BETA)
    high = lift_odd(high, low, -ALPHA)
    out = torch.empty(*low.shape[:-1], low.shape[-1] + high.shape[-1])
    out[..., 0::2], out[..., 1::2] = low, high
    return out


def join(grid, bands):
    top, bottom = join_lines(grid, bands[0]), join_lines(bands[1], bands[2])
    return join_lines(top.transpose(-1, -2), bottom.transpose(-1, -2)).transpose(-1, -2)


def load(path):
    """Header, exact and decoded planes: (coarsest grid, {level: bands}), and {level: factors of the steps}."""
    raw = path.read_bytes()
    end = raw.index(b"\n")
    header = json.loads(raw[:end])
    numbers = torch.from_numpy(np.frombuffer(raw, np.float32, offset=end + 1).copy())
    sizes = [(header["width"], header["height"])]
    for _ in range(header["levels"]):
        sizes.append(tuple((side + 1) // 2 for side in sizes[-1]))
    at = 0

    def take(width, height):
        nonlocal at
        at += width * height
        return numbers[at - width * height : at].view(height, width)

    def plane():
        grid, bands = take(*sizes[-1]), {}
        for level in range(header["levels"], 0, -1):
            (full_w, full_h), (low_w, low_h) = sizes[level - 1], sizes[level]
            high_w, high_h = full_w - low_w, full_h - low_h
            bands[level] = [take(high_w, low_h), take(low_w, high_h), take(high_w, high_h)]
        return grid, bands

    exact, decoded = ([plane() for _ in range(header["planes"])] for _ in range(2))
    factors = {level: take(*sizes[level]) for level in range(header["levels"], 0, -1)}
    return header, exact, decoded, factors


def stack(planes, grids, level):
    """Shape [12, h, w]: each plane's grid and bands, bands filled up with zeros to the grid's size."""
    height, width = grids[0].shape
    fill = lambda x: F.pad(x, (0, width - x.shape[1], 0, height - x.shape[0]))
    return torch.stack([fill(x) for grid, (_, bands) in zip(grids, planes) for x in (grid, *bands[level])])


def features(x, factors):
    """What the network reads of x, shape [n, 12, h, w], in steps; factors: [n, h, w]."""
    out = []
    for plane in range(3):
        grid, *bands = (x[:, 4 * plane + part] for part in range(4))
        right = F.pad(grid[..., 1:] - grid[..., :-1], (0, 1))
        below = F.pad(grid[..., 1:, :] - grid[..., :-1, :], (0, 0, 0, 1))
        out += [right, below, *bands]
    out = torch.stack(out, 1) / factors[:, None]
    return out / (1 + out.abs())


class Sine(nn.Module):
    def forward(self, x):
        return torch.sin(x)


class Head(nn.Sequential):
    def __init__(self):
        layers, inputs = [], 15
        for _ in range(DEPTH):
            layers += [nn.Conv2d(inputs, WIDTH, 3), Sine()]
            inputs = WIDTH
        super().__init__(*layers, nn.Conv2d(WIDTH, 12, 1))
        with torch.no_grad():
            for layer in self.convolutions()[:-1]:
                bound = 1.5 * math.sqrt(6 / layer.weight[0].numel())
                layer.weight.uniform_(-bound, bound)
            self[-1].weight *= 0.1
            self[-1].bias.zero_()

    def convolutions(self):
        return [layer for layer in self if isinstance(layer, nn.Conv2d)]

    def read(self, path, level):
        """The weights of `level` in a file of all three."""
        numbers = torch.from_numpy(np.frombuffer(path.read_bytes(), "<i2").astype(np.float32)) / 4096
        tensors = [t for layer in self.convolutions() for t in (layer.weight, layer.bias)]
        at = (level - 1) * len(numbers) // 3
        for tensor in tensors:
            tensor.data = numbers[at : at + tensor.numel()].view(tensor.shape).clone()
            at += tensor.numel()

    def correct(self, x, factors):
        wider = lambda x: F.pad(x[None], (DEPTH,) * 4, mode="replicate")
        with torch.no_grad():
            return x + factors * self(features(wider(x), wider(factors[None])[0]))[0]


def prepare(paths, level, heads):
    """(decoded, exact, factors) of each file at `level` in steps, shape [12, h, w]; the coarser levels corrected by `heads`."""
    found = []
    for path in paths:
        header, exact, decoded, factors = load(path)
        if header["planes"] != 3 or header["levels"] < level:
            continue
        steps = lambda k: torch.tensor([header["steps"][p][k] for p in range(3) for _ in range(4)])[:, None, None]

        def at_level(planes, heads):
            grids = [grid for grid, _ in planes]
            for k in range(header["levels"], level, -1):
                x = stack(planes, grids, k)
                if heads:
                    x = heads[min(k, 3)].correct(x / steps(k), factors[k]) * steps(k)
                cut = lambda part, band: part[: band.shape[0], : band.shape[1]]
                grids = [
                    join(x[4 * p], [cut(x[4 * p + 1 + i], band) for i, band in enumerate(planes[p][1][k])])
                    for p in range(3)
                ]
            return stack(planes, grids, level) / steps(level)

        found.append((at_level(decoded, heads), at_level(exact, {}), factors[level]))
    return found


def gain(head, data):
    """Mean gain in dB of the squared error over the files."""
    error = lambda x, y, by: (((x - y) / by) ** 2).sum().item()
    return sum(10 * math.log10(error(x, y, by) / error(head.correct(x, by), y, by)) for x, y, by in data) / len(data)


def train(head, data, steps, batch, size, rate):
    head.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(head.parameters(), lr=rate, betas=(0.9, 0.99))
    side = size + 2 * DEPTH
    data = [pair for pair in data if min(pair[0].shape[1:]) >= side]
    areas = [x.shape[1] * x.shape[2] for x, *_ in data]
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        inputs, targets, masks = [], [], []
        for decoded, exact, factors in random.choices(data, areas, k=batch):
            y, x = (random.randrange(length - side + 1) for length in decoded.shape[1:])
            inputs.append(decoded[:, y : y + side, x : x + side])
            targets.append(exact[:, y + DEPTH : y + side - DEPTH, x + DEPTH : x + side - DEPTH])
            masks.append(factors[y : y + side, x : x + side])
        inputs, targets, masks = torch.stack(inputs), torch.stack(targets), torch.stack(masks)
        inner = slice(DEPTH, -DEPTH)
        error = (inputs[:, :, inner, inner] - targets) / masks[:, None, inner, inner]
        read = features(inputs, masks).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=step < 0.85 * steps):
            correction = head(read)
        loss = ((error + correction.float()) ** 2).mean() / (error**2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--test", type=pathlib.Path)
    parser.add_argument("--start", type=pathlib.Path, help="weights to start from instead of random ones")
    parser.add_argument("--share", type=float, default=1.0, help="of the steps")
    options = parser.parse_args()
    torch.manual_seed(0)
    random.seed(0)
    paths = sorted(options.pairs.glob("*.pairs"))
    tests = sorted(options.test.glob("*.pairs")) if options.test else []
    heads, last = {}, None
    for level, steps, size, batch in ((3, 2500, 20, 32), (2, 3500, 32, 16), (1, 14000, 32, 16)):
        head = Head()
        if options.start:
            head.read(options.start, level)
        elif last:
            head.load_state_dict(last.state_dict())
        data = prepare(paths, level, heads)
        if level == 3:
            data += prepare(paths, 4, {})
        rate = 1e-3 if options.start else 3e-3
        train(head, data, round(steps * options.share), batch, size, rate)
        heads[level] = last = head
        if tests:
            print(f"level {level}: {gain(head, prepare(tests, level, heads)):.3f} dB")
    tensors = [
        tensor.detach().reshape(-1)
        for level in (1, 2, 3)
        for layer in heads[level].convolutions()
        for tensor in (layer.weight, layer.bias)
    ]
    numbers = (torch.cat(tensors) * 4096).round().clamp(-32768, 32767)
    options.output.write_bytes(numbers.to(torch.int16).numpy().astype("<i2").tobytes())


main()
