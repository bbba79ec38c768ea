#!/usr/bin/env python3
"""Counts how many letters an OCR program reads as what they should be, of several sets side by side.

    tests/bench/ocr.py out/letter_a/samples.png examples/data/letters_a.png

A set is a folder of pictures, a contact sheet of cells with 2 white pixels around each, or a letter atlas (a picture with
a .tsv beside it), of which the held-out letters are read. Needs tesseract and Pillow:

    apt-get install tesseract-ocr python3-pil
"""
import argparse
import csv
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

try:
    from PIL import Image
except ImportError:
    sys.exit("ocr.py: needs Pillow (Debian: python3-pil)")

HEIGHT, MARGIN = 128, 32  # pixels that letters are enlarged to, and of paper around them


def cells(sheet, size, padding):
    pitch = size + padding
    if (sheet.width - padding) % pitch or (sheet.height - padding) % pitch:
        raise ValueError(f"cells of {size}x{size} (--size), found a picture of {sheet.width}x{sheet.height}")
    for top in range(padding, sheet.height, pitch):
        for left in range(padding, sheet.width, pitch):
            yield sheet.crop((left, top, left + size, top + size))


def letters(source, size):
    """Gray pictures of a set."""
    if source.is_dir():
        return [Image.open(file).convert("L") for file in sorted(source.iterdir()) if file.suffix.lower() in (".png", ".jpg")]
    sheet = Image.open(source).convert("L")
    table = source.with_suffix(".tsv")
    if table.exists():
        rows = csv.DictReader(table.open(encoding="utf-8"), delimiter="\t")
        return [cell for cell, row in zip(cells(sheet, 64, 0), rows) if row["split"] == "held_out"]
    found = list(cells(sheet, size, 2))
    while found and found[-1].getextrema() == (255, 255):  # paper at the end of the sheet
        found.pop()
    return found


def enlarged(letter):
    scale = HEIGHT / letter.height
    letter = letter.resize((round(letter.width * scale), HEIGHT), Image.LANCZOS)
    page = Image.new("L", (letter.width + 2 * MARGIN, HEIGHT + 2 * MARGIN), 255)
    page.paste(letter, (MARGIN, MARGIN))
    return page


def read(pictures, options):
    """What tesseract reads in each picture, taken as one character."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number, picture in enumerate(pictures):
            names.append(f"{folder}/{number}.png")
            enlarged(picture).save(names[-1], dpi=(300, 300))
        pages = pathlib.Path(folder, "pages.txt")
        pages.write_text("\n".join(names) + "\n")
        text = subprocess.run(["tesseract", pages, "stdout", "--psm", "10", *options, "tsv"], check=True, capture_output=True, text=True,
                              env={**os.environ, "OMP_THREAD_LIMIT": "1"}).stdout
    words = [""] * len(pictures)  # a page without any has no line
    for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] == "5":
            words[int(row["page_num"]) - 1] += row["text"].strip()
    return words


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=pathlib.Path)
    parser.add_argument("--character", default="A")
    parser.add_argument("--size", type=int, default=64, help="pixels of a sheet's cells")
    arguments = parser.parse_args()
    if not shutil.which("tesseract"):
        sys.exit("ocr.py: needs tesseract (Debian: tesseract-ocr)")
    capitals = ["-c", "tessedit_char_whitelist=ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    print(f"{'read as ' + arguments.character:40} {'letters':>8} {'of A to Z':>18} {'of everything':>18}")
    for source in arguments.sets:
        try:
            pictures = letters(source, arguments.size)
        except (OSError, ValueError) as error:
            sys.exit(f"ocr.py: {source}: expected {error}" if isinstance(error, ValueError) else f"ocr.py: {error}")
        if not pictures:
            sys.exit(f"ocr.py: {source}: expected letters, found none")
        columns = []
        for options in (capitals, []):
            words = read(pictures, options)
            share = sum(word == arguments.character for word in words) / len(words)
            columns.append(f"{share:.3f} +- {math.sqrt(share * (1 - share) / len(words)):.3f}")
        print(f"{str(source)[-40:]:40} {len(pictures):8} {columns[0]:>18} {columns[1]:>18}", flush=True)


if __name__ == "__main__":
    main()
