#!/usr/bin/env python3
"""Runs unet_bench and the same work in PyTorch in turn on this machine and prints the ratios as a Markdown table.

Every measurement is a process of its own, the programs take turns in several rounds, and the medians count.
PyTorch gets the faster of its two memory layouts and the fastest of OpenBLAS's kernels. Without PyTorch only
glyphdiff's figures are printed.
"""
import argparse
import json
import math
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MODES = {"train": "training step", "forward": "forward", "single": "forward"}
FORWARD_ONLY = ("I256", "A256")  # too large to train here: one image forward
LAYOUTS = ("nhwc", "nchw")
CORE_TYPES = (None, "SKYLAKEX", "ZEN", "HASWELL")  # None: OpenBLAS's own choice


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=pathlib.Path, default=HERE.parents[1] / "build/release/tests/bench",
                        help="the folder that holds unet_bench (default: %(default)s)")
    parser.add_argument("--cases", default="S32,M64,L64", help="which networks (default: %(default)s)")
    parser.add_argument("--modes", default=",".join(MODES), help="which measurements (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each program (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="timed steps in a turn (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=2, help="steps before them (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of both (default: one per core)")
    parser.add_argument("--torch", default=None, metavar="PYTHON",
                        help="the Python whose PyTorch is the peer (default: the first that has one)")
    parser.add_argument("--newer-torch", action="append", default=[], metavar="PYTHON",
                        help="one more peer, eager and compiled; may be given several times")
    parser.add_argument("--avx2", action="store_true",
                        help="hold PyTorch to AVX2; give --programs of a build for AVX2 as well")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the table to this file as well")
    parser.add_argument("--json", type=pathlib.Path, help="write every measurement to this file")
    options = parser.parse_args()
    options.cases, options.modes = options.cases.split(","), options.modes.split(",")
    for name, known in (("cases", ("S32", "M64", "L64", *FORWARD_ONLY)), ("modes", tuple(MODES))):
        for value in getattr(options, name):
            if value not in known:
                parser.error(f"--{name}: expected some of {','.join(known)}, found {value}")
    if min(options.rounds, options.repeats, options.warmup, options.threads) < 1:
        parser.error("--rounds, --repeats, --warmup and --threads must be at least 1")
    return options


def modes_of(case, options):
    return [mode for mode in options.modes if case not in FORWARD_ONLY or mode == "single"]


def stop(sentence):
    sys.exit(f"compare.py: {sentence}")


def has_torch(python):
    return shutil.which(python) and subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0


def find_torch(wanted):
    if wanted is not None:
        if not has_torch(wanted):
            stop(f"{wanted} has no PyTorch")
        return wanted
    return next(filter(has_torch, dict.fromkeys(["/usr/bin/python3", sys.executable])), None)


AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"}


def openblas(core_type, avx2=False):
    """The environment in which OpenBLAS uses these kernels, and PyTorch no more than AVX2 if so asked."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")} | (AVX2 if avx2 else {})
    return environment if core_type is None else environment | {"OPENBLAS_CORETYPE": core_type}


class Program:
    """One of the programs that are compared; every measurement is kept."""

    def __init__(self, command, environment=None, layouts=(None,)):
        self.command, self.environment, self.layouts = command, environment, layouts
        self.results = {}  # (case, mode, layout) -> measurements
        self.name = None

    def measure(self, case, mode, layout, options):
        command = self.command(case, mode) + ["--repeats", str(options.repeats), "--warmup", str(options.warmup),
                                              "--threads", str(options.threads)]
        if layout is not None:
            command += ["--layout", layout]
        done = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            stop(f"{' '.join(command)} failed with status {done.returncode}")
        result = json.loads(done.stdout.strip().splitlines()[-1])
        self.name = result["program"]
        self.results.setdefault((case, mode, layout), []).append(result)
        print(f"  {self.name:24} {case} {mode:8} {layout or '':5}{result['seconds']:9.4f} s"
              f"{result['peak_bytes'] / 1e6:9.0f} MB", file=sys.stderr, flush=True)

    def seconds(self, case, mode, layout):
        return statistics.median(t for r in self.results[case, mode, layout] for t in r["all_seconds"])

    def measured_layouts(self, case, mode):
        return [layout for layout in self.layouts if (case, mode, layout) in self.results]

    def best_layout(self, case, mode):
        return min(self.measured_layouts(case, mode), key=lambda layout: self.seconds(case, mode, layout))

    def summary(self, case, mode):
        layout = self.best_layout(case, mode)
        peak = statistics.median(r["peak_bytes"] for r in self.results[case, mode, layout])
        return self.seconds(case, mode, layout), peak

    def losses(self, case, mode):
        return self.results[case, mode, self.best_layout(case, mode)][0]["losses"]


def torch_program(python, core_type, avx2, extra=()):
    return Program(lambda case, mode: [python, str(HERE / "torch_bench.py"), "--case", case, "--mode", mode, *extra],
                   openblas(core_type, avx2), LAYOUTS)


def fastest_core_type(python, threads):
    """OpenBLAS picks kernels by the name of the CPU, and on some it picks slow ones."""
    print("PyTorch's matrix products by OPENBLAS_CORETYPE (GFLOP/s of 1024 x 1024, and of batches of 256 x 64):",
          file=sys.stderr)
    speeds = {}
    for core_type in CORE_TYPES:
        done = subprocess.run([python, str(HERE / "torch_bench.py"), "--mode", "matmul", "--threads", str(threads)],
                              env=openblas(core_type), capture_output=True, text=True)
        if done.returncode == 0:  # kernels for another CPU stop the program
            gflops = json.loads(done.stdout)["gflops"]
            speeds[core_type] = math.prod(gflops)
            print(f"  {core_type or 'unset':10} {gflops}", file=sys.stderr)
    return max(speeds, key=speeds.get) if speeds else None


def check_same_work(ours, peer, case, mode):
    for step, (a, b) in enumerate(zip(ours.losses(case, mode)[:3], peer.losses(case, mode)[:3])):
        if not abs(a - b) <= 1e-3 * abs(b):
            stop(f"{case} {mode}: not the same work, {ours.name} has the loss {a} at step {step} and {peer.name} {b}")


def machine():
    cpu = platform.processor() or platform.machine()
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
        flags = next(line for line in lines if line.startswith("flags")).split()
        cpu += next((f", {label}" for flag, label in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "")
        memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / 2**20
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
        return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}"
    except (OSError, StopIteration):
        return f"{cpu}, {os.cpu_count()} cores, {platform.system()}"


def time_text(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1e3 * seconds:.{0 if seconds >= 0.1 else 1}f} ms"


def table(ours, peers, options):
    def row(case, what, own, theirs):
        return f"| {case} | {what} | {own} |" + "".join(f" {figure} | **{ratio:.2f}x** |" for figure, ratio in theirs)

    lines = ["| network | measured | glyphdiff |" + "".join(f" {p.name} | ratio |" for p in peers),
             "|---|---|---|" + "---|---|" * len(peers)]
    for case in options.cases:
        for mode in modes_of(case, options):
            own, _ = ours.summary(case, mode)
            theirs = [(peer, peer.summary(case, mode)[0]) for peer in peers]
            batch = ours.results[case, mode, None][0]["batch"]
            lines.append(row(case, f"{MODES[mode]}, batch {batch}", time_text(own),
                             [(f"{time_text(t)} ({p.best_layout(case, mode).upper()})", t / own) for p, t in theirs]))
        if "train" in modes_of(case, options):
            own = ours.summary(case, "train")[1]
            theirs = [peer.summary(case, "train")[1] for peer in peers]
            lines.append(row(case, "peak memory, training", f"{own / 1e9:.2f} GB",
                             [(f"{t / 1e9:.2f} GB", own / t) for t in theirs]))
    return "\n".join(lines)


def main():
    options = arguments()
    unet_bench = options.programs / "unet_bench"
    if not shutil.which(unet_bench):
        stop(f"there is no program {unet_bench}; build the target glyphdiff_bench first, or say --programs")
    python = find_torch(options.torch)
    ours = Program(lambda case, mode: [str(unet_bench), "--cases", case, "--modes", mode])
    peers, core_type = [], None
    if python is None:
        print("There is no PyTorch to compare with (Debian's package is python3-torch), so here is glyphdiff alone.",
              file=sys.stderr)
    else:
        core_type = "HASWELL" if options.avx2 else fastest_core_type(python, options.threads)
        peers.append(torch_program(python, core_type, options.avx2))
    for newer in options.newer_torch:
        if not has_torch(newer):
            stop(f"{newer} has no PyTorch")
        peers += [torch_program(newer, None, options.avx2), torch_program(newer, None, options.avx2, ["--compile"])]
    load = os.getloadavg()[0]

    for turn in range(options.rounds):
        print(f"Round {turn + 1} of {options.rounds}", file=sys.stderr)
        for case in options.cases:
            for mode in modes_of(case, options):
                for program in [ours, *peers]:
                    # Both layouts in the first round, then the faster one.
                    for layout in program.layouts if turn == 0 else [program.best_layout(case, mode)]:
                        program.measure(case, mode, layout, options)
    for peer in peers:
        for case in options.cases:
            for mode in modes_of(case, options):
                check_same_work(ours, peer, case, mode)

    text = f"Machine: {machine()}. {options.threads} thread{'s'[:options.threads > 1]}, fp32, "
    text += f"medians of {options.rounds} x {options.repeats} steps.\n"
    text += "glyphdiff: " + next(iter(ours.results.values()))[0]["build"] + ".\n"
    if python is not None:
        text += f"{peers[0].name}: OpenBLAS kernels {core_type or 'by its own choice'}.\n"
    if options.avx2:
        text += "PyTorch is held to AVX2.\n"
    if load > 0.5:
        text += f"The machine was not idle (load {load:.1f} at the start): do not rely on these figures.\n"
    if peers:
        text += "Ratios of times: PyTorch's by glyphdiff's, above 1 glyphdiff is faster; of memory: the other way round.\n"
    text += "\n" + table(ours, peers, options) + "\n"
    print(text)
    if options.markdown is not None:
        options.markdown.write_text(text)
    if options.json is not None:
        everything = [r for p in [ours, *peers] for results in p.results.values() for r in results]
        options.json.write_text(json.dumps(everything, indent=1) + "\n")


if __name__ == "__main__":
    main()
