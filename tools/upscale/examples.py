"""Makes training examples of the enlarging field: `examples.py FOLDER INR PICTURE...`, with numpy and Pillow.

Each example is a window of luma at the small size, the large window under its middle, and how one became the other:
reduced by one of many kernels, with noise, JPEG's or this codec's own losses. Photographs at several sizes are joined
by drawn shapes, letters and windows of text. Shards of one scale each go to FOLDER, until --minutes or --shards end it.
"""

import argparse
import io
import math
import os
import random
import struct
import subprocess
import tempfile
import time
from glob import glob

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SMALL = 48  # side of the small window
INNER = 36  # side of its middle, whose large pixels are the target
SCALES = {2: 30, 3: 20, 4: 24, 1.5: 6, 2.5: 6, 3.4: 6, 1.2: 4, 1.75: 4}  # with their shares
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def keys(x):
    x = np.abs(x)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def lanczos(x):
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


def axis(source, target, kernel):
    """Banded weights of one axis: first taps [target] and weights [target, taps]; edges are mirrored."""
    name, sigma = kernel
    ratio = source / target
    wide = max(ratio, 1)
    reach = {"bicubic": 2, "area": 0.5, "lanczos": 3}.get(name, 3.5 * sigma if sigma else 0) * wide
    centre = (np.arange(target) + 0.5) * ratio - 0.5
    taps = np.floor(centre - reach)[:, None] + np.arange(math.ceil(2 * reach) + 2)
    if name == "area":
        weights = np.minimum(taps + 0.5, centre[:, None] + reach) - np.maximum(taps - 0.5, centre[:, None] - reach)
        weights = np.clip(weights, 0, None)
    else:
        x = (taps - centre[:, None]) / wide
        weights = {"bicubic": keys, "lanczos": lanczos}.get(name, lambda x: np.exp(-0.5 * (x / sigma) ** 2))(x)
    weights /= weights.sum(1, keepdims=True)
    taps = taps.astype(int) % (2 * source)
    return np.where(taps < source, taps, 2 * source - 1 - taps), weights.astype(np.float32)


def resize(picture, width, height, kernel):
    """Of [h, w, c]."""
    for side, target in ((0, height), (1, width)):
        taps, weights = axis(picture.shape[side], target, kernel)
        moved = picture if side == 0 else picture.swapaxes(0, 1)
        out = np.zeros((target, *moved.shape[1:]), np.float32)
        for k in range(taps.shape[1]):
            out += weights[:, k, None, None] * moved[taps[:, k]]
        picture = out if side == 0 else out.swapaxes(0, 1)
    return picture


def bytes_of(picture):
    return np.clip(np.round(picture * 255), 0, 255).astype(np.uint8)


def blurred(picture, sigma):
    return resize(picture, picture.shape[1], picture.shape[0], ("gaussian", sigma))


FONTS = sorted(glob("/usr/share/fonts/**/*.[to]tf", recursive=True))


def font(size):
    if FONTS and random.random() < 0.85:
        return ImageFont.truetype(random.choice(FONTS), size)
    return ImageFont.load_default(size)


def word(most):
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    text = "".join(random.choice(letters[: random.randint(6, 26)]) for _ in range(random.randint(1, most)))
    kind = random.random()
    if kind < 0.15:
        return text.upper()
    if kind < 0.3:
        return text.capitalize()
    if kind < 0.45:
        return "".join(chr(random.randint(33, 126)) for _ in range(len(text)))
    return text


def shade():
    return tuple(random.choice((random.randint(0, 255), 255, 0)) for _ in range(3)) if random.random() < 0.6 else random.choice(
        ((255, 255, 255), (0, 0, 0), (40, 42, 48), (240, 240, 240)))


def screen(side):
    """A drawn screen: panels, rules one pixel wide, buttons, icons, lines of text without and with smoothing."""
    image = Image.new("RGB", (side, side), shade())
    draw = ImageDraw.Draw(image)
    for _ in range(random.randint(2, 8)):
        x, y = random.randint(-20, side), random.randint(-20, side)
        w, h = random.randint(20, side), random.randint(12, side)
        back, front = shade(), shade()
        draw.rectangle((x, y, x + w, y + h), fill=back, outline=random.choice((None, front)), width=random.choice((1, 1, 2)))
        letters = font(random.choice((9, 10, 11, 12, 13, 14, 16, 18, 24, 32)))
        draw.fontmode = "1" if random.random() < 0.2 else "L"
        line = y + 4
        while line < min(y + h, side) and random.random() < 0.97:
            text = " ".join(word(9) for _ in range(random.randint(1, 12)))
            draw.text((x + random.choice((4, 4, 12)), line), text, fill=front, font=letters)
            line += round(letters.size * random.choice((1.2, 1.2, 1.5)))
        for _ in range(random.randint(0, 5)):
            a, b = random.randint(x, x + w), random.randint(y, y + h)
            c, d = random.randint(4, 60), random.randint(4, 40)
            kind = random.random()
            if kind < 0.3:
                draw.line((a, b, a + random.choice((c, 0)), b + random.choice((d, 0))), fill=shade(), width=random.choice((1, 1, 2)))
            elif kind < 0.6:
                draw.rounded_rectangle((a, b, a + c, b + d), random.randint(1, 6), fill=shade(), outline=shade())
            else:
                draw.ellipse((a, b, a + d, b + d), fill=shade(), outline=shade())
    return np.asarray(image, np.float32) / 255


def leaves(side, textures):
    """Shapes that hide each other: discs, polygons, bars, stripes, strokes, letters, flat, shaded or textured."""
    over = 3
    size = side * over
    canvas = np.ones((size, size, 3), np.float32) * np.random.rand(3).astype(np.float32)
    outline = random.random() < 0.3  # as cartoons have
    grid = np.linspace(-1, 1, size, dtype=np.float32)
    for _ in range(random.randint(20, 90)):
        mask = Image.new("L", (size, size))
        draw = ImageDraw.Draw(mask)
        x, y = random.uniform(0, size), random.uniform(0, size)
        radius = over * 3 / max(random.random(), 0.03) ** 0.9
        kind = random.random()
        if kind < 0.3:
            a, b = radius, radius * random.uniform(0.3, 1)
            draw.ellipse((x - a, y - b, x + a, y + b), fill=255)
        elif kind < 0.55:
            turns = sorted(random.uniform(0, 2 * math.pi) for _ in range(random.randint(3, 7)))
            draw.polygon([(x + radius * math.cos(t), y + radius * math.sin(t)) for t in turns], fill=255)
        elif kind < 0.75:
            t, length = random.uniform(0, math.pi), 3 * radius
            dx, dy = length * math.cos(t), length * math.sin(t)
            count, step, width = random.choice((1, 1, 2, 6, 12)), over * random.uniform(2, 9), over * random.uniform(0.7, 4)
            for k in range(count):
                ox, oy = -k * step * math.sin(t), k * step * math.cos(t)
                draw.line((x - dx + ox, y - dy + oy, x + dx + ox, y + dy + oy), fill=255, width=max(1, round(width)))
        elif kind < 0.9:
            box = (x - radius, y - radius, x + radius, y + radius)
            draw.arc(box, random.uniform(0, 360), random.uniform(0, 360), fill=255, width=round(over * random.uniform(0.8, 4)))
        else:
            draw.text((x - radius, y), word(9), fill=255, font=font(over * random.randint(7, 40)))
        box = mask.getbbox()
        if not box:
            continue
        left, top, right, bottom = box
        mask = np.asarray(mask.crop(box), np.float32)[..., None] / 255
        fill = np.random.rand(3).astype(np.float32) ** random.choice((0.5, 1, 2))
        if outline and kind < 0.55:
            fill = fill * 0.1
        if random.random() < 0.4:
            t = random.uniform(0, 2 * math.pi)
            ramp = math.cos(t) * grid[None, left:right] + math.sin(t) * grid[top:bottom, None]
            fill = fill + random.uniform(0, 0.4) * ramp[..., None]
        elif textures and random.random() < 0.3 and not outline:
            texture = random.choice(textures)
            v, u = (random.randrange(length - side + 1) for length in texture.shape[:2])
            texture = texture[v : v + side, u : u + side].repeat(over, 0).repeat(over, 1)[top:bottom, left:right]
            fill = fill + random.uniform(0.2, 1) * (texture - texture.mean())
        part = canvas[top:bottom, left:right]
        part += mask * (np.clip(fill, 0, 1) - part)
    return resize(canvas, side, side, ("gaussian", random.uniform(0.25, 0.45)))


def source(pictures):
    kind = random.random()
    if kind < 0.1:
        return leaves(384, SOURCES)
    if kind < 0.2:
        return screen(384)
    image = Image.open(random.choice(pictures)).convert("RGB")
    picture = np.asarray(image, np.float32) / 255
    size = random.choice((1, 1, 0.85, 0.7, 0.5))
    if size < 1:
        kernel = random.choice((("bicubic", 0), ("area", 0), ("lanczos", 0)))
        picture = resize(picture, round(picture.shape[1] * size), round(picture.shape[0] * size), kernel)
    sides = [min(side, random.choice((640, 900))) for side in picture.shape[:2]]
    v, u = (random.randrange(length - side + 1) for length, side in zip(picture.shape, sides))
    picture = picture[v : v + sides[0], u : u + sides[1]]
    if min(picture.shape[:2]) > 400:
        SOURCES.append(picture[:400, :400])
        del SOURCES[:-8]
    return picture


SOURCES = []


def linear(picture):
    return np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)


def gamma(picture):
    picture = np.clip(picture, 0, 1)
    return np.where(picture <= 0.0031308, picture * 12.92, 1.055 * picture ** (1 / 2.4) - 0.055).astype(np.float32)


def reduced(picture, width, height):
    """The small picture and the variance of its kernel, in small pixels."""
    name = random.choices(("bicubic", "area", "lanczos", "gaussian"), (40, 24, 10, 26))[0]
    sigma = random.uniform(0.4, 0.9) if name == "gaussian" else 0
    variance = {"area": 1 / 12, "gaussian": sigma * sigma}.get(name, 0)
    if random.random() < 0.12 and name != "gaussian":
        return gamma(resize(linear(picture), width, height, (name, sigma))), variance
    return resize(picture, width, height, (name, sigma)), variance


def lossy(small, inr):
    """Noise, JPEG or this codec: the small picture in bytes and (noise, JPEG's step, this codec's step), in samples."""
    kind = random.random()
    known = (0.0, 0.0, 0.0)
    if kind < 0.4:
        return bytes_of(small), known
    if kind < 0.5:
        sigma = math.exp(random.uniform(math.log(1), math.log(16))) / 255
        noise = np.random.randn(*small.shape).astype(np.float32)
        if random.random() < 0.3:
            noise[:] = noise[..., :1]
        spread = float(np.std(noise[:64, :64] @ LUMA))
        return bytes_of(small + sigma * noise), (sigma * spread, 0.0, 0.0)
    if kind < 0.75:
        quality = random.randint(30, 95)
        file = io.BytesIO()
        Image.fromarray(bytes_of(small)).save(file, "JPEG", quality=quality, subsampling=random.choice((0, 2)))
        image = Image.open(file)
        table = np.array(image.quantization[0])
        small = np.asarray(image.convert("RGB"))
        return small, (0.0, float(np.sort(table)[:21].mean()) / 255, 0.0)
    quality = random.randint(30, 95)
    with tempfile.TemporaryDirectory() as folder:
        a, b, c = (os.path.join(folder, name) for name in ("a.png", "b.inr", "c.png"))
        Image.fromarray(bytes_of(small)).save(a, compress_level=1)
        metric = random.choice(("perceptual", "mse"))
        quiet = {"stdout": subprocess.DEVNULL, "check": True}
        subprocess.run([inr, "encode", a, "-o", b, "--quality", str(quality), "--metric", metric, "--threads", "1"], **quiet)
        subprocess.run([inr, "decode", b, "-o", c, "--threads", "1"], **quiet)
        with open(b, "rb") as file:
            grid = file.read().partition(b"GRID")[2]
        # After the length, three bytes and the tile's side.
        step = struct.unpack("<f", grid[9:13])[0]
        return np.asarray(Image.open(c).convert("RGB")), (0.0, 0.0, step)


def run(pictures, scale, inr, count):
    """Up to `count` examples of one picture: (small, large, place and pitch, degradation) or None."""
    large = source(pictures)
    if random.random() < 0.15:
        large = blurred(large, random.uniform(0.5, 2))  # naturally soft ones, which must not be sharpened
    large = bytes_of(large)
    height, width = large.shape[:2]
    small_size = [int(side / scale) for side in (height, width)]
    if float(scale).is_integer():
        large = large[: small_size[0] * scale, : small_size[1] * scale]
        height, width = large.shape[:2]
    if min(small_size) < SMALL + 2:
        return []
    small, variance = reduced(large.astype(np.float32) / 255, small_size[1], small_size[0])
    small, losses = lossy(small, inr)
    truth = large.astype(np.float32) @ LUMA
    luma = small.astype(np.float32) @ LUMA
    pitch = [height / small_size[0], width / small_size[1]]
    side = math.floor(INNER * scale)
    found = []
    for _ in range(count):
        best = None
        for _ in range(2):
            corner = [random.randrange(length - SMALL + 1) for length in small_size]
            first = [math.ceil((corner[k] + (SMALL - INNER) / 2) * pitch[k] - 1e-6) for k in (0, 1)]
            target = truth[first[0] : first[0] + side, first[1] : first[1] + side]
            if target.shape != (side, side):
                continue
            worth = np.abs(np.diff(target)).mean() + 0.3 * random.random()
            if best is None or worth > best[0]:
                best = worth, corner, first, target
        if best is None:
            continue
        _, corner, first, target = best
        # Place of the first large pixel in small ones.
        start = [(first[k] + 0.5) / pitch[k] - 0.5 - corner[k] for k in (0, 1)]
        window = luma[corner[0] : corner[0] + SMALL, corner[1] : corner[1] + SMALL]
        found.append((window, target, (*start, 1 / pitch[0], 1 / pitch[1]), (variance, *losses)))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("inr", help="the built program, for this codec's own losses")
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--shards", type=int, default=1 << 30)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=512, help="examples in a shard")
    options = parser.parse_args()
    random.seed(options.seed)
    np.random.seed(options.seed)
    os.makedirs(options.folder, exist_ok=True)
    end = time.time() + 60 * options.minutes
    for shard in range(options.shards):
        if time.time() > end:
            break
        scale = random.choices(list(SCALES), list(SCALES.values()))[0]
        found = []
        while len(found) < options.size:
            found += run(options.pictures, scale, options.inr, 32)
        found = found[: options.size]
        arrays = {name: np.stack([np.float32(example[k]) for example in found]) for k, name in ((2, "places"), (3, "degradation"))}
        arrays |= {name: np.stack([example[k] for example in found]).astype(np.float16) for k, name in ((0, "small"), (1, "large"))}
        path = os.path.join(options.folder, f"{options.seed}-{shard:05}-{scale}.npz")
        with open(path + ".part", "wb") as file:
            np.savez(file, **arrays)
        os.rename(path + ".part", path)


if __name__ == "__main__":
    main()
