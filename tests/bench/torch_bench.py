#!/usr/bin/env python3
"""The work of unet_bench.cpp in PyTorch: the same networks (the UNet of Dhariwal & Nichol 2021), numbers and steps.

Prints one line of JSON. Runs with PyTorch 1.13 and newer; --compile needs 2.0.
"""
import argparse
import functools
import json
import math
import os
import statistics
import sys
import time


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=["S32", "M64", "L64", "I256", "A256"], default="S32")
    parser.add_argument("--pixels", type=int, default=0, help="image size, 0: the network's own")
    parser.add_argument("--mode", choices=["train", "forward", "single", "matmul"], default="train")
    parser.add_argument("--layout", choices=["nchw", "nhwc"], default="nhwc")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda")
    parser.add_argument("--precision", choices=["float32", "tf32", "bfloat16"], default="float32",
                        help="tf32: products of floats rounded to 10 bits, on a GPU; bfloat16: autocast")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--save", metavar="FOLDER", help="write model.pt with the names of the released file, and a batch "
                        "with its outputs, for full_size (I256, A256)")
    parser.add_argument("--profile", action="store_true", help="print the time of every operator to standard error")
    return parser.parse_args()


options = arguments()
for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[pool] = str(options.threads)  # read when torch is loaded

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

CASES = {
    "S32": dict(size=32, width=64, mult=(1, 2, 2), heads=4, updown=False, batch=16, parameters=7_282_438),
    "M64": dict(size=64, width=64, mult=(1, 2, 3, 4), heads=4, updown=False, batch=8, parameters=23_036_038),
    "L64": dict(size=64, width=128, mult=(1, 2, 3, 4), head_channels=64, updown=True, batch=4, parameters=100_349_318),
    "I256": dict(size=256, width=128, mult=(1, 1, 2, 2, 4, 4), heads=1, updown=False, batch=1,
                 attention=(16,), scale_shift=False, parameters=113_676_678),
    "A256": dict(size=256, width=256, mult=(1, 1, 2, 2, 4, 4), head_channels=64, updown=True, batch=1,
                 attention=(32, 16, 8), parameters=552_814_086),
}
BLOCKS_PER_LEVEL = 2
GROUPS = 32


def conv3(c_in, c_out, stride=1):
    return nn.Conv2d(c_in, c_out, 3, stride, padding=1)


def half_size(x):
    return F.avg_pool2d(x, 2)


def double_size(x):
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class ResBlock(nn.Module):
    def __init__(self, c_in, c_out, embedding, resample=None, scale_shift=True):
        super().__init__()
        self.resample, self.has_scale_shift = resample, scale_shift
        self.norm_in = nn.GroupNorm(GROUPS, c_in)
        self.conv_in = conv3(c_in, c_out)
        self.conditioning = nn.Linear(embedding, 2 * c_out if scale_shift else c_out)
        self.norm_out = nn.GroupNorm(GROUPS, c_out)
        self.conv_out = conv3(c_out, c_out)
        self.skip = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(self, x, embedding):
        h = F.silu(self.norm_in(x))
        if self.resample is not None:
            h, x = self.resample(h), self.resample(x)
        h, conditioning = self.conv_in(h), self.conditioning(embedding)[:, :, None, None]
        if self.has_scale_shift:
            scale, shift = conditioning.chunk(2, dim=1)
            h = self.norm_out(h) * (1 + scale) + shift
        else:
            h = self.norm_out(h + conditioning)
        return self.skip(x) + self.conv_out(F.silu(h))


class Attention(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x, _):
        n, c, height, width = x.shape
        qkv = self.qkv(self.norm(x)).view(n, self.heads, 3 * c // self.heads, height, width).flatten(3)
        q, k, v = qkv.transpose(2, 3).chunk(3, dim=3)  # (n, heads, pixels, channels of a head)
        if hasattr(F, "scaled_dot_product_attention"):
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            scale = (c / self.heads) ** -0.25
            mixed = ((q * scale) @ (k * scale).transpose(2, 3)).softmax(dim=3) @ v
        return x + self.out(mixed.transpose(2, 3).reshape(n, c, height, width))


class Plain(nn.Module):
    """A layer without embedding, in the place of one with."""

    def __init__(self, layer, before=None):
        super().__init__()
        self.layer, self.before = layer, before

    def forward(self, x, _):
        return self.layer(x if self.before is None else self.before(x))


class UNet(nn.Module):
    def __init__(self, size, width, mult, updown, heads=0, head_channels=0, attention=(16, 8), scale_shift=True,
                 **_):
        super().__init__()
        self.width = width
        embedding = 4 * width
        res_block = functools.partial(ResBlock, embedding=embedding, scale_shift=scale_shift)
        self.time = nn.Sequential(nn.Linear(width, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.stem = conv3(3, width)

        def stage(c_in, c_out, pixels):
            layers = [res_block(c_in, c_out)]
            if pixels in attention:
                layers.append(Attention(c_out, heads or c_out // head_channels))
            return nn.ModuleList(layers)

        # Registered in the order of unet_bench's parameters: fill_parameters counts on it.
        self.down = nn.ModuleList()
        skips, c, pixels = [width], width, size
        for level, factor in enumerate(mult):
            for _ in range(BLOCKS_PER_LEVEL):
                self.down.append(stage(c, factor * width, pixels))
                c = factor * width
                skips.append(c)
            if level + 1 < len(mult):
                layer = res_block(c, c, resample=half_size) if updown else Plain(conv3(c, c, stride=2))
                self.down.append(nn.ModuleList([layer]))
                skips.append(c)
                pixels //= 2
        self.middle = nn.ModuleList(
            [res_block(c, c), Attention(c, heads or c // head_channels), res_block(c, c)])
        self.up = nn.ModuleList()
        for level, factor in reversed(list(enumerate(mult))):
            for block in range(BLOCKS_PER_LEVEL + 1):
                layers = stage(c + skips.pop(), factor * width, pixels)
                c = factor * width
                if level > 0 and block == BLOCKS_PER_LEVEL:
                    layers.append(res_block(c, c, resample=double_size) if updown else Plain(conv3(c, c), double_size))
                    pixels *= 2
                self.up.append(layers)
        self.out_norm = nn.GroupNorm(GROUPS, c)
        self.out = conv3(c, 6)

    def forward(self, x, timesteps):
        half = self.width // 2
        frequencies = torch.exp(-math.log(10000) / half * torch.arange(half, dtype=torch.float32, device=x.device))
        angles = timesteps[:, None] * frequencies[None]
        embedding = F.silu(self.time(torch.cat([angles.cos(), angles.sin()], dim=1)))  # as every block reads it
        h = self.stem(x)
        skips = [h]
        for layers in self.down:
            for layer in layers:
                h = layer(h, embedding)
            skips.append(h)
        for layer in self.middle:
            h = layer(h, embedding)
        for layers in self.up:
            h = torch.cat([h, skips.pop()], dim=1)
            for layer in layers:
                h = layer(h, embedding)
        return self.out(F.silu(self.out_norm(h)))


def test_values(tensor, count):
    """bench::test_value of bench.hpp for elements 0 to count - 1."""
    h = np.arange(count, dtype=np.uint32) ^ np.uint32(tensor * 0x9E3779B9 & 0xFFFFFFFF)
    h = (h ^ h >> np.uint32(16)) * np.uint32(0x85EBCA6B)
    h = (h ^ h >> np.uint32(13)) * np.uint32(0xC2B2AE35)
    return ((h ^ h >> np.uint32(16)) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)


def fill_parameters(net):
    norm_weights = {id(m.weight) for m in net.modules() if isinstance(m, nn.GroupNorm)}
    with torch.no_grad():
        for tensor, p in enumerate(net.parameters()):
            scale = 0.1 if p.dim() == 1 else 1 / math.sqrt(p[0].numel())
            centre = 1.0 if id(p) in norm_weights else 0.0
            values = (centre + scale * test_values(tensor, p.numel()).astype(np.float64)).astype(np.float32)
            p.copy_(torch.from_numpy(values).view(p.shape))


RELEASED = {"I256": "iddpm_lsun_bedroom256_100M.tsv", "A256": "adm_lsun_bedroom256.tsv"}


def save(net, x, timesteps, folder):
    """The network as the reference would save it, and what it says of x; images lie as (N,H,W,C)."""
    os.makedirs(folder, exist_ok=True)
    names = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../golden/statedict", RELEASED[options.case])
    state = {}
    with open(names) as lines:
        for line, p in zip(lines, net.parameters()):
            name, shape = line.rstrip("\n").split("\t")
            state[name] = p.detach().contiguous().view(json.loads(shape))
    torch.save(state, os.path.join(folder, "model.pt"))
    with torch.inference_mode():
        out = net(x, timesteps)
    for name, images in ("x", x), ("out", out):
        images.permute(0, 2, 3, 1).contiguous().numpy().tofile(os.path.join(folder, name + ".f32"))


def resident_bytes(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field + ":"))


def adamw(parameters):
    settings = dict(lr=1e-4, weight_decay=0.0)
    try:
        return torch.optim.AdamW(parameters, fused=True, **settings)  # the fast one; on the CPU in newer releases only
    except (RuntimeError, TypeError):
        return torch.optim.AdamW(parameters, **settings)


def matmul_speed():
    """GFLOP/s of the matrix products that linear layers and attention are made of."""
    def best(a, b, flops):
        a @ b
        return flops / min(timed(lambda: a @ b) for _ in range(20)) / 1e9

    return [best(torch.randn(1024, 1024), torch.randn(1024, 1024), 2 * 1024**3),
            best(torch.randn(64, 256, 64), torch.randn(64, 64, 256), 2 * 64 * 256 * 64 * 256)]


def timed(work):
    start = time.perf_counter()
    work()
    if options.device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main():
    torch.set_num_threads(options.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.precision == "tf32"
    if options.mode == "matmul":
        print(json.dumps({"gflops": [round(g, 1) for g in matmul_speed()]}))
        return
    case = CASES[options.case]
    layout = torch.channels_last if options.layout == "nhwc" else torch.contiguous_format
    bytes_before = resident_bytes("VmRSS")
    net = UNet(**case)
    parameters = sum(p.numel() for p in net.parameters())
    assert parameters == case["parameters"], f"{options.case} has {parameters} parameters"
    fill_parameters(net)
    net = net.to(device=options.device, memory_format=layout)
    batch = 1 if options.mode == "single" else case["batch"]
    size = options.pixels or case["size"]
    x = torch.from_numpy(test_values(0xFFFF, batch * size * size * 3)).view(batch, size, size, 3).permute(0, 3, 1, 2)
    x = x.to(options.device).contiguous(memory_format=layout)
    timesteps = torch.tensor([float((61 * n + 7) % 1000) for n in range(batch)], device=options.device)
    if options.save:
        save(net, x, timesteps, options.save)
        return
    compiled = torch.compile(net) if options.compile else net
    losses = []

    def run(*inputs):
        with torch.autocast(options.device, torch.bfloat16, enabled=options.precision == "bfloat16"):
            return compiled(*inputs)

    def squared_error(out):
        return (out[:, :3].float() - x).square().mean()

    if options.mode == "train":
        optimiser = adamw(net.parameters())

        def step():
            optimiser.zero_grad(set_to_none=True)
            loss = squared_error(run(x, timesteps))
            loss.backward()
            optimiser.step()
            losses.append(loss.detach())
    else:
        @torch.inference_mode()
        def step():
            losses[:] = [run(x, timesteps)]

    for _ in range(options.warmup):
        step()
    if options.profile:
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            times = [timed(step) for _ in range(options.repeats)]
        print(profile.key_averages().table(sort_by="self_cpu_time_total", row_limit=25), file=sys.stderr)
    else:
        times = [timed(step) for _ in range(options.repeats)]
    losses = [loss.item() for loss in losses] if options.mode == "train" else [squared_error(losses[0]).item()]
    device_bytes = torch.cuda.max_memory_allocated() if options.device != "cpu" else 0

    print(json.dumps({
        "program": "PyTorch " + torch.__version__ + (" compiled" if options.compile else ""),
        "device": options.device, "precision": options.precision, "device_bytes": device_bytes,
        "case": options.case, "mode": options.mode, "layout": options.layout, "batch": batch, "pixels": size,
        "threads": torch.get_num_threads(), "parameters": parameters, "seconds": statistics.median(times),
        "all_seconds": [round(t, 6) for t in times], "peak_bytes": resident_bytes("VmHWM"),
        "bytes_before": bytes_before, "losses": losses}))


if __name__ == "__main__":
    main()
