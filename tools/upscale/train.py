"""Trains the enlarging field on the shards of examples.py: `train.py FOLDER STATE.pt --out WEIGHTS.bin`, with PyTorch.

A trunk of 3 x 3 layers at the small size gives coefficients of a cubic B-spline on a lattice FINE times as fine, with a
gain per channel by the scale. The field is that spline and the picture's own. Estimates of estimate.py lie beside the
shards. Training resumes from STATE.pt.
"""

import argparse
import glob
import os
import random
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

FINE = 4
LEAK = 0.1  # slope of a rectifier below zero
GAIN = 4.0  # of the picture without its local mean
AROUND = 4  # pixels each way of the window of that mean
FEATURES = 6  # the picture, variance of the blur and its uncertainty, noise, JPEG's step, this codec's
SCALING = (1.0, 2.0, 2.0, 8.0, 4.0, 4.0)
ONE = 8192  # one in the weights
UNKNOWN = 0.25  # uncertainty of the variance where nothing is known


def spline(x):
    x = x.abs()
    return torch.where(x < 1, 2 / 3 - x * x * (1 - x / 2), torch.where(x < 2, (2 - x) ** 3 / 6, 0.0))


def inverse(side):
    """From samples to the coefficients of their cubic B-spline, edges mirrored about the end samples' outer sides."""
    matrix = torch.zeros(side, side, dtype=torch.float64)
    for i in range(side):
        for k, weight in ((i - 1, 1 / 6), (i, 2 / 3), (i + 1, 1 / 6)):
            matrix[i, min(max(k, 0), side - 1)] += weight
    return torch.linalg.inv(matrix).float()


class Sine(nn.Module):
    def forward(self, x):
        return torch.sin(x)


class Layer(nn.Module):
    """A 3 x 3 convolution, in training the sum of it, a 1 x 1 convolution and the input, and its activation."""

    def __init__(self, inputs, width, sine):
        super().__init__()
        self.conv = nn.Conv2d(inputs, width, 3, padding=1)
        self.point = nn.Parameter(torch.zeros(width, inputs))
        self.skip = inputs == width
        self.activation = Sine() if sine else nn.LeakyReLU(LEAK)
        n = inputs * 9
        # Sines start nearly linear, as the differences that they read are small.
        nn.init.normal_(self.conv.weight, std=((0.25 if sine else 0.5) if self.skip else 2) ** 0.5 / n**0.5)
        nn.init.zeros_(self.conv.bias)

    def weight(self):
        weight = self.conv.weight
        middle = self.point + torch.eye(len(self.point)) if self.skip else self.point
        return weight + F.pad(middle[:, :, None, None], (1, 1, 1, 1))

    def forward(self, x):
        return self.activation(F.conv2d(x, self.weight(), self.conv.bias, padding=1))


class Trunk(nn.Module):
    def __init__(self, width, depth, sine):
        super().__init__()
        self.layers = nn.ModuleList(Layer(FEATURES if k == 0 else width, width, sine) for k in range(depth))
        self.head = nn.Conv2d(width, FINE * FINE, 3, padding=1)
        nn.init.normal_(self.head.weight, std=0.1 * (1 / (9 * width)) ** 0.5)
        nn.init.zeros_(self.head.bias)
        self.gains = nn.Parameter(torch.zeros(2, FINE * FINE))

    def forward(self, small, degradation, inverse_scale):
        """Coefficients [b, FINE h, FINE w] of luma [b, h, w]."""
        padded = F.pad(small[:, None], (AROUND,) * 4, mode="replicate")
        mean = F.avg_pool2d(padded, 2 * AROUND + 1, 1)
        x = [GAIN * (small[:, None] - mean)]
        x += [plane[:, None, None, None].expand_as(mean) for plane in degradation.unbind(1)]
        x = torch.cat(x, 1) * torch.tensor(SCALING)[:, None, None]
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            for layer in self.layers:
                x = layer(x)
            x = self.head(x)
        t = inverse_scale[:, None] - 1 / 3
        gain = 1 + t * self.gains[0] + t * t * self.gains[1]
        return F.pixel_shuffle(x.float() * 0.25 * gain[:, :, None, None], FINE)[:, 0]


def sampling(start, step, count, side, fine):
    """[b, count, side * fine]: values of a spline of `side` small pixels at places start + k step, in small pixels."""
    places = start[:, None] + step[:, None] * torch.arange(count)
    lattice = (torch.arange(side * fine) + 0.5) / fine - 0.5
    return spline((places[:, :, None] - lattice) * fine)


def enlarge(trunk, small, degradation, places, count):
    side = small.shape[-1]
    fine = [sampling(places[:, k], places[:, 2 + k], count, side, FINE) for k in (0, 1)]
    base = [sampling(places[:, k], places[:, 2 + k], count, side, 1) @ inverse(side) for k in (0, 1)]
    inverse_scale = (places[:, 2] + places[:, 3]) / 2
    coefficients = trunk(small, degradation, inverse_scale)
    plain = base[0] @ small @ base[1].transpose(1, 2)
    return plain + fine[0] @ coefficients @ fine[1].transpose(1, 2), plain


class Pool:
    """Shards in memory; each batch is from one of them."""

    def __init__(self, folder, most):
        self.folder, self.most, self.shards, self.known = folder, most, [], set()

    def refresh(self):
        for path in sorted(glob.glob(os.path.join(self.folder, "*.npz")), key=os.path.getmtime):
            estimates = path[:-4] + ".estimate.npy"
            if path in self.known or not os.path.exists(estimates):
                continue
            self.known.add(path)
            with np.load(path) as file:
                shard = {name: torch.from_numpy(file[name]) for name in file.files}
            shard["estimate"] = torch.from_numpy(np.load(estimates))
            self.shards.append(shard)
        del self.shards[: -self.most]

    def batch(self, size):
        shard = random.choice(self.shards)
        # Compressed examples, which are the hardest, come more often.
        share = 1 + 0.8 * (shard["degradation"][:, 2] > 0) + 0.3 * (shard["degradation"][:, 3] > 0)
        pick = torch.multinomial(share, size, replacement=True)
        names = ("small", "large", "places", "degradation", "estimate")
        small, large, places, known, estimate = (shard[name][pick].float() for name in names)
        small, large = small / 255, large / 255
        if random.random() < 0.5:
            small, large, places = small.transpose(1, 2), large.transpose(1, 2), places[:, [1, 0, 3, 2]]
        for axis in (0, 1):
            if random.random() < 0.5:
                small, large = small.flip(1 + axis), large.flip(1 + axis)
                last = places[:, axis] + places[:, 2 + axis] * (large.shape[1 + axis] - 1)
                places = places.clone()
                places[:, axis] = small.shape[1] - 1 - last
        sign = 1 if random.random() < 0.5 else -1
        strength = sign * random.uniform(0.7, 1.0)
        return strength * small, strength * large, places, self.read(known, estimate)

    @staticmethod
    def read(known, estimate):
        """What the trunk reads of a degradation: the truth, the estimate of estimate.py, others with their uncertainty, or nothing."""
        count = len(known)
        unsure = torch.rand(count) * UNKNOWN
        kind = torch.rand(count)
        unsure = torch.where(kind < 0.35, 0.0, torch.where(kind < 0.7, UNKNOWN, unsure))
        variance = known[:, 0] + unsure * torch.randn(count)
        variance = torch.where(unsure == UNKNOWN, 0.0, variance)
        losses = known[:, 1:] * torch.exp(0.2 * torch.randn(count, 3))
        losses = losses * (torch.rand(count, 1) > 0.15)
        told = torch.cat([variance[:, None], unsure[:, None], losses], 1)
        # JPEG files have their tables with them.
        tables = (torch.rand(count) < 0.7) & (known[:, 2] > 0)
        losses = torch.where(tables[:, None], known[:, 1:], estimate[:, 2:])
        estimated = torch.cat([estimate[:, :2], losses], 1)
        return torch.where(torch.rand(count, 1) < 0.35, estimated, told)


def meet(path, trunk, mean):
    """Takes the mean with the weights of another process that trains at the same time (McMahan et al. 2017)."""
    if not os.path.exists(path):
        return
    state = torch.load(path)
    with torch.no_grad():
        for ours, theirs in ((trunk, state["trunk"]), (mean, state["mean"])):
            for name, weight in ours.named_parameters():
                weight.lerp_(theirs[name], 0.5)


def numbers(trunk):
    """All weights, in the decoder's order."""
    parts = []
    for layer in trunk.layers:
        parts += [layer.weight(), layer.conv.bias]
    parts += [trunk.head.weight, trunk.head.bias, trunk.gains]
    return torch.cat([part.detach().reshape(-1) for part in parts])


def decibels(a, b):
    return -10 * torch.log10(((a - b) ** 2).mean((1, 2)) + 1e-9)


def judge(trunk, pool):
    """Mean gain over the plain spline in dB, by the shard's scale, on shards held out."""
    trunk.eval()
    said = []
    with torch.no_grad():
        for name, shard in pool:
            small, large, places, known = (shard[key][:64].float() for key in ("small", "large", "places", "degradation"))
            told = torch.cat([known[:, :1], torch.zeros(len(known), 1), known[:, 1:]], 1)
            found, plain = enlarge(trunk, small / 255, told, places, large.shape[-1])
            gain = (decibels(found, large / 255) - decibels(plain, large / 255)).mean()
            said.append(f"{name}:{gain.item():+.3f}")
    trunk.train()
    return " ".join(said)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("state")
    parser.add_argument("--out")
    parser.add_argument("--width", type=int, default=48)
    parser.add_argument("--depth", type=int, default=10)
    parser.add_argument("--sine", action="store_true")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--steps", type=int, default=100_000, help="of the whole course, for the learning rate")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--shards", type=int, default=400, help="most in memory")
    parser.add_argument("--report", type=int, default=500)
    parser.add_argument("--partner", help="state of another process, with which to share weights at every report")
    parser.add_argument("--test", default="", help="a folder of shards that are not learnt from")
    options = parser.parse_args()
    torch.manual_seed(time.time_ns() % 2**31)
    trunk = Trunk(options.width, options.depth, options.sine)
    mean = Trunk(options.width, options.depth, options.sine)
    optimiser = torch.optim.Adam(trunk.parameters(), lr=options.rate, betas=(0.9, 0.99))
    step = 0
    if os.path.exists(options.state):
        state = torch.load(options.state)
        trunk.load_state_dict(state["trunk"])
        optimiser.load_state_dict(state["optimiser"])
        step = state["step"]
        mean.load_state_dict(state["mean"])
    else:
        mean.load_state_dict(trunk.state_dict())
    print(numbers(trunk).numel(), "weights", flush=True)
    pool = Pool(options.folder, options.shards)
    tests = []
    for path in sorted(glob.glob(os.path.join(options.test, "*.npz"))) if options.test else []:
        with np.load(path) as file:
            tests.append((path.rsplit("-", 1)[1][:-4], {name: torch.from_numpy(file[name]) for name in file.files}))
    end = time.time() + 60 * options.minutes
    losses = []
    while time.time() < end and step < options.steps:
        if step % 500 == 0 or not pool.shards:
            pool.refresh()
        for group in optimiser.param_groups:
            done = step / options.steps
            group["lr"] = options.rate * min(1, (step + 1) / 300) * max(0.01, 0.5 + 0.5 * float(np.cos(np.pi * done)))
        small, large, places, told = pool.batch(options.batch)
        found, _ = enlarge(trunk, small, told, places, large.shape[-1])
        loss = torch.sqrt((found - large) ** 2 + 1e-6).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trunk.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
        step += 1
        keep = min(0.999, 1 - 1 / (step + 1))
        with torch.no_grad():
            for a, b in zip(mean.parameters(), trunk.parameters()):
                a.mul_(keep).add_(b, alpha=1 - keep)
        if step % options.report == 0:
            print(step, f"loss {np.mean(losses):.5f}", judge(mean, tests), f"{len(pool.shards)} shards", flush=True)
            losses.clear()
            torch.save(
                {"trunk": trunk.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict(), "step": step},
                options.state + ".part",
            )
            os.rename(options.state + ".part", options.state)
            if options.partner:
                meet(options.partner, trunk, mean)
            if options.out:
                rounded = (numbers(mean) * ONE).round().clamp(-32768, 32767)
                rounded.numpy().astype("<i2").tofile(options.out)


if __name__ == "__main__":
    main()
