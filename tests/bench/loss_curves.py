#!/usr/bin/env python3
"""Plots loss.csv files of letter_a over each other, smoothed, and prints the mean of the last 500 steps of each."""
import argparse
import csv
import pathlib

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=pathlib.Path, help="the SVG file")
    parser.add_argument("runs", nargs="+", metavar="NAME=CSV")
    options = parser.parse_args()

    plt.rcParams.update({"svg.hashsalt": "glyphdiff", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
    for (name, path), style in zip((run.split("=", 1) for run in options.runs), ("-", "--", ":", "-.")):
        with open(path, newline="") as file:
            losses = [float(row["loss"]) for row in csv.DictReader(file)]
        smooth = [losses[0]]
        for loss in losses[1:]:
            smooth.append(0.98 * smooth[-1] + 0.02 * loss)
        axes.semilogy(range(1, len(losses) + 1), smooth, style, color="black", lw=1, label=name)
        print(f"{name}: {len(losses)} steps, mean loss of the last 500: {sum(losses[-500:]) / len(losses[-500:]):.5f}")
    axes.set_xlabel("step")
    axes.set_ylabel("training loss, mean of about 50 steps")
    axes.legend(frameon=False)
    figure.savefig(options.output, metadata={"Date": None})


if __name__ == "__main__":
    main()
