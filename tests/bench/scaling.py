#!/usr/bin/env python3
"""Plots the time per image against image size and model size, beside PyTorch: the cost must grow as the work does.

Needs matplotlib (Debian's python3-matplotlib), and PyTorch for the second curve. Every point is a process of its own;
the fastest step counts.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from compare import HERE, LAYOUTS, fastest_core_type, find_torch, openblas

PIXELS = (16, 32, 48, 64, 96, 128)  # of S32, forward; from 64 on its attention, whose work grows with pixels^2, weighs in
MODELS = ("S32", "M64", "L64")  # at 64 pixels, forward


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=pathlib.Path, default=HERE.parents[1] / "build/release/tests/bench",
                        help="the folder that holds unet_bench (default: %(default)s)")
    parser.add_argument("--torch", default=None, metavar="PYTHON", help="the Python whose PyTorch is the peer")
    parser.add_argument("--threads", type=int, default=2, help="threads of both (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="timed steps (default: %(default)s)")
    parser.add_argument("output", type=pathlib.Path, help="the SVG file")
    return parser.parse_args()


def milliseconds(command, environment=None):
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout.strip().splitlines()[-1])
    return 1e3 * min(result["all_seconds"]) / result["batch"], result["parameters"]


def main():
    options = arguments()
    python = find_torch(options.torch)
    environment = openblas(fastest_core_type(python, options.threads)) if python else None

    def measure(case, pixels):
        common = ["--pixels", str(pixels), "--repeats", str(options.repeats), "--warmup", "2", "--threads",
                  str(options.threads)]
        ours, parameters = milliseconds([options.programs / "unet_bench", "--cases", case, "--modes", "single", *common])
        peer = None
        if python:
            peer = min(milliseconds([python, HERE / "torch_bench.py", "--case", case, "--mode", "single", "--layout",
                                     layout, *common], environment)[0] for layout in LAYOUTS)
        print(f"{case} {pixels:4} px {ours:9.2f} ms  PyTorch {peer or float('nan'):9.2f} ms", file=sys.stderr, flush=True)
        return ours, peer, parameters

    by_size = [measure("S32", pixels) for pixels in PIXELS]
    by_model = [measure(case, 64) for case in MODELS]

    plt.rcParams.update({"svg.hashsalt": "glyphdiff", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for axes, x, points in ((left, [p * p for p in PIXELS], by_size), (right, [p[2] / 1e6 for p in by_model], by_model)):
        axes.loglog(x, [p[0] for p in points], "o-", color="black", label="glyphdiff")
        if python:
            axes.loglog(x, [p[1] for p in points], "s--", color="gray", label="PyTorch")
        axes.set_ylabel("ms per image, forward")
        axes.grid(alpha=0.3, which="major")
    left.plot([PIXELS[0]**2, PIXELS[-1]**2], [by_size[-1][0] * (PIXELS[0] / PIXELS[-1])**2, by_size[-1][0]], ":",
              color="black", lw=0.8, label="in proportion to the pixels")
    left.set_xticks([p * p for p in PIXELS], [f"{p}" for p in PIXELS])
    left.minorticks_off()
    left.set_xlabel("image size, pixels per side (S32)")
    right.set_xlabel("million parameters (S32, M64, L64 at 64 px)")
    left.legend(frameon=False)
    figure.savefig(options.output, metadata={"Date": None})


if __name__ == "__main__":
    main()
