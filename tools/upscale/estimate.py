"""Trains the estimate of how a picture came about: `estimate.py FOLDER STATE.pt --out WEIGHTS.bin`, with PyTorch.

A small network reads windows of luma from the shards of examples.py, and gives the variance of the blur with its
uncertainty (as the parameters of a normal distribution, Nix and Weigend 1994) and the sizes of three losses. It then
writes its estimates beside the shards, from which train.py learns to use them.
"""

import argparse
import glob
import math
import os
import random
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

WIDTH, DEPTH, MEANS, UNITS = 16, 6, 16, 32
AROUND = 4  # pixels each way of the window whose mean is taken away
LEAK = 0.1
CROP = 36  # side of what is learnt from at a time
GROUP = 32  # examples of one picture that follow each other in a shard
HELD_OUT = 320  # groups
UNKNOWN = 0.25
LOSSES = (400, 100, 100)  # estimated as logarithms of 1 + this times them: noise, JPEG's step, this codec's
LEAST = (1 / 255, 5 / 255, 0.02)  # smaller ones are none
ONE = 4096  # one in the weights


class Estimate(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [2] + [WIDTH] * (DEPTH - 1) + [2 * MEANS]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3) for a, b in zip(widths, widths[1:]))
        for layer in self.layers:
            nn.init.normal_(layer.weight, std=0.9 * (2 / (9 * layer.in_channels)) ** 0.5)
            nn.init.zeros_(layer.bias)
        self.hidden, self.output = nn.Linear(MEANS, UNITS), nn.Linear(UNITS, 5)

    def forward(self, small, count):
        """Of windows [n * count, h, w], `count` of each picture: variance, logarithm of its uncertainty, losses."""
        padded = F.pad(small[:, None], (AROUND,) * 4, mode="replicate")
        detail = small[:, None] - F.avg_pool2d(padded, 2 * AROUND + 1, 1)
        x = torch.cat([4 * detail, (32 * detail).clamp(-1, 1)], 1)
        x = F.pad(x, (DEPTH,) * 4, mode="replicate").contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            for layer in self.layers[:-1]:
                x = F.leaky_relu(layer(x), LEAK)
            x = self.layers[-1](x)
        values, weights = x[:, :MEANS].float(), x[:, MEANS:].float().clamp(-6, 6).exp()
        sums = [part.mean((2, 3)).view(-1, count, MEANS).mean(1) for part in (values * weights, weights)]
        return self.output(F.leaky_relu(self.hidden(sums[0] / sums[1]), LEAK))


def loss(found, truth):
    spread = found[:, 1].clamp(-5, 0)
    likelihood = (0.5 * ((found[:, 0] - truth[:, 0]) / spread.exp()) ** 2 + spread).mean()
    losses = torch.stack([torch.log1p(factor * truth[:, 1 + k]) for k, factor in enumerate(LOSSES)], 1)
    return likelihood + 6 * F.smooth_l1_loss(found[:, 2:], losses, beta=0.3)


def shards(folder):
    return sorted(glob.glob(os.path.join(folder, "*.npz")))


def groups(folder):
    """Windows of each picture, and its degradation."""
    found = []
    for path in shards(folder):
        with np.load(path) as file:
            small, known = (torch.from_numpy(file[name]) for name in ("small", "degradation"))
        pairs = zip(small.split(GROUP), known.split(GROUP))
        found += [(a, b[0].float()) for a, b in pairs if len(a) == GROUP and (b == b[0]).all()]
    return found


def batch(pool, windows):
    count = random.choice((2, 4, 8))
    small, known = [], []
    for _ in range(windows // count):
        group, truth = random.choice(pool)
        v, u = (random.randint(0, group.shape[-1] - CROP) for _ in (0, 1))
        x = group[torch.randperm(GROUP)[:count], v : v + CROP, u : u + CROP].float() / 255
        x = x.transpose(1, 2) if random.random() < 0.5 else x
        x = x.flip(random.choice(((), (1,), (2,), (1, 2)))) * random.choice((-1, 1)) * random.uniform(0.8, 1)
        small.append(x)
        known.append(truth)
    return torch.cat(small), count, torch.stack(known)


def numbers(network):
    parts = [part for layer in network.layers for part in (layer.weight, layer.bias)]
    parts += [torch.cat([layer.weight, layer.bias[:, None]], 1) for layer in (network.hidden, network.output)]
    return torch.cat([part.detach().reshape(-1) for part in parts])


def mark(network, folder):
    """Writes the estimates of each example beside its shard."""
    network.eval()
    for path in shards(folder):
        with np.load(path) as file:
            small = torch.from_numpy(file["small"])
        rows = []
        for group in small.split(GROUP):
            with torch.no_grad():
                found = network(group[: GROUP // 2].float() / 255, len(group[: GROUP // 2]))[0]
            losses = [found[2 + k].expm1().item() / factor for k, factor in enumerate(LOSSES)]
            losses = [size if size >= least else 0 for size, least in zip(losses, LEAST)]
            uncertainty = min(UNKNOWN, found[1].clamp(-5, 0).exp().item())
            rows += [[max(0, found[0].item()), uncertainty, *losses]] * len(group)
        np.save(path[:-4] + ".estimate.npy", np.float32(rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("state")
    parser.add_argument("--out")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--windows", type=int, default=96, help="in a batch")
    options = parser.parse_args()
    network = Estimate()
    if os.path.exists(options.state):
        network.load_state_dict(torch.load(options.state))
    pool = groups(options.folder)
    pool, test = pool[:-HELD_OUT], pool[-HELD_OUT:]
    optimiser = torch.optim.Adam(network.parameters(), lr=options.rate)
    start, step, losses = time.time(), 0, []
    while (done := (time.time() - start) / (60 * options.minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = options.rate * max(0.01, 0.5 + 0.5 * math.cos(math.pi * done))
        small, count, known = batch(pool, options.windows)
        error = loss(network(small, count), known)
        optimiser.zero_grad()
        error.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        losses.append(error.item())
        step += 1
        if step % 250 == 0:
            network.eval()
            with torch.no_grad():
                found = torch.cat([network(small[:16].float() / 255, 16) for small, _ in test])
            truth = torch.stack([known for _, known in test])
            error = (found[:, 0] - truth[:, 0]).abs().mean()
            print(step, f"loss {np.mean(losses):.3f}, held out {loss(found, truth):.3f}, error {error:.3f}", flush=True)
            network.train()
            losses.clear()
            torch.save(network.state_dict(), options.state + ".part")
            os.rename(options.state + ".part", options.state)
    if options.out:
        (numbers(network) * ONE).round().clamp(-32768, 32767).numpy().astype("<i2").tofile(options.out)
    mark(network, options.folder)


if __name__ == "__main__":
    main()
