"""One training step of the study's network in PyTorch, eager and compiled, to compare `inr bench engine` with.

Prints one line per way: name and the median of the steps' wall times in nanoseconds per pixel.
"""

import argparse
import time

import torch


class Sine(torch.nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = torch.nn.Linear(inputs, outputs)

    def forward(self, x):
        return torch.sin(30.0 * self.linear(x))


def step_time(network, points, targets, runs):
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)
    seconds = []
    for run in range(runs + 2):  # The first two do not count.
        began = time.perf_counter()
        optimiser.zero_grad()
        loss = torch.nn.functional.mse_loss(network(points), targets)
        loss.backward()
        optimiser.step()
        if run >= 2:
            seconds.append(time.perf_counter() - began)
    return sorted(seconds)[len(seconds) // 2]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--pixels", type=int, default=65536)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-compile", action="store_true")
    args = parser.parse_args()
    torch.manual_seed(0)
    width = args.width
    network = torch.nn.Sequential(Sine(2, width), Sine(width, width), torch.nn.Linear(width, 1))
    points = torch.rand(args.pixels, 2) * 2 - 1
    targets = torch.rand(args.pixels, 1) * 2 - 1
    ways = [("eager", network)]
    if not args.no_compile:
        ways.append(("compile", torch.compile(network)))
    for name, way in ways:
        seconds = step_time(way, points, targets, args.runs)
        print(f"{name} {seconds / args.pixels * 1e9:.1f}", flush=True)


if __name__ == "__main__":
    main()
