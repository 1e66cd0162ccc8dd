"""Trains the upscaling networks: `train.py OUT.bin PICTURE...`, with PyTorch, numpy and Pillow.

One trunk of 3 x 3 sine layers reads the differences of luma between neighbours at the small size and is shared by an
output layer for each of the scales 2, 3 and 4, which give what is missing in the bicubic enlargement, sub-pixel by
sub-pixel. Photographs are joined by drawn shapes ("dead leaves"), which have every kind of edge.
"""

import argparse
import math
import random
import time

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import nn
from torch.nn import functional as F

SCALES = (2, 3, 4)
GAIN = 4.0  # of the differences that are read


def keys(x):
    x = np.abs(x)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def axis(source, target, kernel):
    """Weights [target, source] of one axis; edges are mirrored."""
    ratio = source / target
    wide = max(ratio, 1)
    reach = {"bicubic": 2, "area": 0.5}.get(kernel[0], 3 * kernel[-1] if kernel[0] == "gaussian" else 0) * wide
    matrix = np.zeros((target, source))
    for i in range(target):
        centre = (i + 0.5) * ratio - 0.5
        taps = np.arange(math.floor(centre - reach), math.ceil(centre + reach) + 1)
        if kernel[0] == "bicubic":
            weights = keys((taps - centre) / wide)
        elif kernel[0] == "area":
            weights = np.clip(np.minimum(taps + 0.5, centre + reach) - np.maximum(taps - 0.5, centre - reach), 0, None)
        else:
            weights = np.exp(-0.5 * ((taps - centre) / (kernel[1] * wide)) ** 2)
        taps = taps % (2 * source)
        taps = np.where(taps < source, taps, 2 * source - 1 - taps)
        np.add.at(matrix[i], taps, weights / weights.sum())
    return matrix.astype(np.float32)


def resize(plane, width, height, kernel=("bicubic",)):
    return axis(plane.shape[0], height, kernel) @ plane @ axis(plane.shape[1], width, kernel).T


def rounded(plane):
    return np.clip(np.round(plane * 255), 0, 255) / np.float32(255)


def luma(image):
    if image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    pixels = np.asarray(image, np.float32) / 255
    return pixels if pixels.ndim == 2 else pixels @ np.array([0.299, 0.587, 0.114], np.float32)


def photographs(paths):
    """Luma planes of every picture at sizes at which it is sharp."""
    Image.MAX_IMAGE_PIXELS = None
    found = []
    for path in paths:
        image = Image.open(path)
        full = luma(image)
        sizes = (1, 0.7) if full.size < 5e5 else (0.8, 0.5) if full.size < 3e6 else (0.45, 0.3, 0.2, 0.12)
        for size in sizes:
            plane = full if size == 1 else resize(full, round(full.shape[1] * size), round(full.shape[0] * size))
            found.append(rounded(plane))
    return found


def leaves(side, textures):
    """A picture of shapes that hide each other: discs, polygons, bars, stripes, letters, flat, shaded or textured."""
    over = 3
    size = side * over
    canvas = np.full((size, size), random.random(), np.float32)
    grid = np.linspace(-1, 1, size, dtype=np.float32)
    for _ in range(random.randint(40, 160)):
        mask = Image.new("L", (size, size))
        draw = ImageDraw.Draw(mask)
        x, y = random.uniform(0, size), random.uniform(0, size)
        radius = over * 3 / max(random.random(), 0.03) ** 0.9
        kind = random.random()
        if kind < 0.3:
            a, b = radius, radius * random.uniform(0.3, 1)
            draw.ellipse((x - a, y - b, x + a, y + b), fill=255)
        elif kind < 0.6:
            turns = sorted(random.uniform(0, 2 * math.pi) for _ in range(random.randint(3, 7)))
            draw.polygon([(x + radius * math.cos(t), y + radius * math.sin(t)) for t in turns], fill=255)
        elif kind < 0.8:
            t, length = random.uniform(0, math.pi), 3 * radius
            dx, dy = length * math.cos(t), length * math.sin(t)
            count, step, width = random.choice((1, 1, 2, 6, 12)), over * random.uniform(3, 9), over * random.uniform(0.7, 4)
            for k in range(count):
                ox, oy = -k * step * math.sin(t), k * step * math.cos(t)
                draw.line((x - dx + ox, y - dy + oy, x + dx + ox, y + dy + oy), fill=255, width=max(1, round(width)))
        elif kind < 0.9:
            box = (x - radius, y - radius, x + radius, y + radius)
            draw.arc(box, random.uniform(0, 360), random.uniform(0, 360), fill=255, width=round(over * random.uniform(1, 4)))
        else:
            word = "".join(chr(random.randint(33, 126)) for _ in range(random.randint(1, 9)))
            draw.text((x - radius, y), word, fill=255, font=ImageFont.load_default(over * random.randint(7, 40)))
        mask = np.asarray(mask, np.float32) / 255
        fill = random.random() ** random.choice((0.5, 1, 2))
        if random.random() < 0.5:
            t = random.uniform(0, 2 * math.pi)
            fill = fill + random.uniform(0, 0.4) * (math.cos(t) * grid[None] + math.sin(t) * grid[:, None])
        elif random.random() < 0.3:
            texture = random.choice(textures)
            top, left = (random.randrange(length - side + 1) for length in texture.shape)
            texture = texture[top : top + side, left : left + side].repeat(over, 0).repeat(over, 1)
            fill = fill + random.uniform(0.2, 1) * (texture - texture.mean())
        canvas += mask * (np.clip(fill, 0, 1) - canvas)
    plane = resize(canvas, side, side, ("gaussian", random.uniform(0.25, 0.45)))
    return rounded(plane)


def prepare(planes, scale, kernels):
    """(small, missing) of each plane: [h, w], and what bicubic lacks of it, [scale^2, h, w]."""
    found = []
    for plane in planes:
        height, width = (side // scale for side in plane.shape)
        plane = plane[: height * scale, : width * scale]
        small = rounded(resize(plane, width, height, random.choice(kernels)))
        missing = torch.from_numpy(plane - resize(small, width * scale, height * scale))
        missing = F.pixel_unshuffle(missing[None], scale)
        found.append((torch.from_numpy(small), missing.half()))
    return found


class Sine(nn.Module):
    def forward(self, x):
        return torch.sin(x)


class Upscaler(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        layers, inputs = [], 2
        for _ in range(depth):
            layers += [nn.Conv2d(inputs, width, 3), Sine()]
            inputs = width
        self.trunk = nn.Sequential(*layers)
        self.outputs = nn.ModuleDict({str(s): nn.Conv2d(width, s * s, 1, bias=False) for s in SCALES})
        self.depth = depth
        with torch.no_grad():
            for layer in self.convolutions():
                bound = 1.5 * math.sqrt(6 / layer.weight[0].numel())
                layer.weight.uniform_(-bound, bound)
            for layer in self.outputs.values():
                layer.weight *= 0.1
        self.to(memory_format=torch.channels_last)

    def convolutions(self):
        return [layer for layer in self.trunk if isinstance(layer, nn.Conv2d)]

    def forward(self, small, scale):
        """What is missing at `small` [n, h, w] but for a border of `depth` (and one more right and below)."""
        right = small[:, :-1, 1:] - small[:, :-1, :-1]
        below = small[:, 1:, :-1] - small[:, :-1, :-1]
        read = GAIN * torch.stack([right, below], 1).to(memory_format=torch.channels_last)
        # A flat picture lacks nothing.
        flat = torch.zeros(1, 2, 1 + 2 * self.depth, 1 + 2 * self.depth)
        output = self.outputs[str(scale)]
        return output(self.trunk(read) - self.trunk(flat))


def mirrored(small, before, after):
    return F.pad(small[None, None], (before, after, before, after), mode="replicate")[0]


def enlarged(net, small, scale, turns=1):
    """The enlargement of a [h, w] plane, the mean over `turns` of its eight flips and rotations."""
    result = 0
    with torch.no_grad():
        for turn in range(turns):
            x = torch.rot90(small, turn // 2)
            x = x.flip(1) if turn % 2 else x
            missing = net(mirrored(x, net.depth, net.depth + 1), scale)
            x = F.pixel_shuffle(missing, scale)[0, 0]
            x = x.flip(1) if turn % 2 else x
            result = result + torch.rot90(x, -(turn // 2))
    height, width = small.shape
    base = torch.from_numpy(resize(small.numpy(), width * scale, height * scale))
    return base + result / turns


def decibels(a, b, border):
    a, b = (x[border:-border, border:-border] for x in (a, b))
    # Luma of BT.601 spans 219 of 255 steps.
    return -10 * math.log10((((a - b) * 219 / 255) ** 2).mean())


def judge(net, planes, turns=1):
    """Mean PSNR at every scale, and bicubic's."""
    told = []
    for scale in SCALES:
        sums = [0, 0]
        for plane in planes:
            height, width = (side // scale for side in plane.shape)
            plane = plane[: height * scale, : width * scale]
            small = rounded(resize(plane, width, height))
            ours = enlarged(net, torch.from_numpy(small), scale, turns).clamp(0, 1).numpy()
            for k, other in enumerate((ours, resize(small, width * scale, height * scale).clip(0, 1))):
                sums[k] += decibels(plane, other, scale) / len(planes)
        told.append("x%d %.2f (%.2f)" % (scale, *sums))
    return ", ".join(told)


def batch(data, count, side, margin):
    """Places where much is missing are drawn more often: of two candidates the one with more."""
    inputs, targets = [], []
    whole = side + 2 * margin + 2
    fitting = [pair for pair in data if min(pair[0].shape) >= whole]
    areas = [math.sqrt(small.numel()) for small, _ in fitting]
    for small, missing in random.choices(fitting, areas, k=count):
        best = None
        for _ in range(2):
            y, x = (random.randrange(length - whole + 1) for length in small.shape)
            target = missing[:, y + margin + 1 :, x + margin + 1 :][:, :side, :side].float()
            worth = target.abs().mean().item()
            if best is None or worth > best[0]:
                best = worth, small[y : y + whole, x : x + whole], target
        sign = random.choice((-1, 1)) * random.uniform(0.6, 1.1)
        inputs.append(sign * best[1])
        targets.append(sign * best[2])
    return torch.stack(inputs), torch.stack(targets)


def turned(small, missing, scale):
    """The same examples, turned and flipped alike, and `small` without the line that a flip needs."""
    whole = F.pixel_shuffle(missing, scale)[:, 0]
    if random.random() < 0.5:
        small, whole = small.transpose(1, 2), whole.transpose(1, 2)
    flip = [axis for axis in (1, 2) if random.random() < 0.5]
    return small.flip(flip)[:, 1:, 1:], F.pixel_unshuffle(whole.flip(flip)[:, None], scale)


def save(net, path):
    tensors = [t.detach().reshape(-1) for layer in net.convolutions() for t in (layer.weight, layer.bias)]
    tensors += [net.outputs[str(s)].weight.detach().reshape(-1) for s in SCALES]
    numbers = (torch.cat(tensors) * 4096).round().clamp(-32768, 32767)
    with open(path, "wb") as file:
        file.write(numbers.to(torch.int16).numpy().astype("<i2").tobytes())


def load(net, path):
    numbers = torch.from_numpy(np.fromfile(path, "<i2").astype(np.float32) / 4096)
    tensors = [t for layer in net.convolutions() for t in (layer.weight, layer.bias)]
    tensors += [net.outputs[str(s)].weight for s in SCALES]
    with torch.no_grad():
        for tensor, part in zip(tensors, numbers.split([t.numel() for t in tensors])):
            tensor.copy_(part.view(tensor.shape))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output")
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--test", nargs="*", default=[])
    parser.add_argument("--kernel", nargs="+", default=["bicubic"], help="bicubic, area, or gaussian:SIGMA in small pixels")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--leaves", type=int, default=40)
    parser.add_argument("--start")
    parser.add_argument("--report", type=int, default=1000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    random.seed(0)
    kernels = [(k.split(":")[0], *map(float, k.split(":")[1:])) for k in options.kernel]
    planes = photographs(options.pictures)
    textures = [plane for plane in planes if min(plane.shape) > 320]
    drawn = [leaves(320, textures) for _ in range(options.leaves)]
    data = {s: prepare(planes + drawn, s, kernels) for s in SCALES}
    tests = [luma(Image.open(path)) for path in options.test]
    print(len(planes), "planes,", sum(p.size for p in planes) / 1e6, "MP,", len(drawn), "drawn", flush=True)
    net = Upscaler(options.width, options.depth)
    if options.start:
        load(net, options.start)
    mean = Upscaler(options.width, options.depth)
    mean.load_state_dict(net.state_dict())
    optimizer = torch.optim.Adam(net.parameters(), lr=options.rate, betas=(0.9, 0.99))
    started, step, done = time.time(), 0, 0.0
    while done < 1:
        done = (time.time() - started) / (60 * options.minutes)
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(1, (step + 1) / 200) * (0.51 + 0.49 * math.cos(math.pi * min(done, 1)))
        scale = random.choices(SCALES, (4, 3, 4))[0]
        small, missing = turned(*batch(data[scale], options.batch, options.side, options.depth), scale)
        with torch.autocast("cpu", torch.bfloat16, enabled=done < 0.9):
            found = net(small, scale)
        loss = torch.sqrt((found.float() - missing) ** 2 + 1e-6).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        keep = min(0.999, 1 - 1 / (step + 1))
        with torch.no_grad():
            for a, b in zip(mean.parameters(), net.parameters()):
                a.mul_(keep).add_(b, alpha=1 - keep)
        if step % options.report == 0:
            save(mean, options.output)
            print(f"{step} {done:.2f} loss {loss.item():.5f}", judge(mean, tests), flush=True)
    save(mean, options.output)
    print(f"{step} steps:", judge(mean, tests), "; eight turns:", judge(mean, tests, 8), flush=True)


if __name__ == "__main__":
    main()
