"""Makes, in the current folder, small stand-ins for what a reader of the documentation brings: drawings and a picture or two.

drawings/A_bold.png ...   26 capitals in four hands, 120 x 120 pixels, on one baseline
R.png, R2.png, sketch.png a letter each, of two sizes; mask.png of the first one's size
A/loss.csv, B/loss.csv    what two runs leave

With the argument "fonts" instead out/fonts, as examples/data/collect_fonts.sh makes it, of some fonts that are installed, which are
called by names that examples/data/letters_a.tsv has.
"""
import pathlib
import shutil
import struct
import sys
import zlib


def write_png(path, rows):
    """Gray rows of bytes, 8 bits."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


def letter(number, stroke, size=120):
    """A stem, a bar above and below, and bars within by the bits of a number: no two are alike."""
    top, bottom, left, right = size // 5, size * 4 // 5, size // 4, size * 3 // 4
    rows = [[255] * size for _ in range(size)]

    def fill(y0, y1, x0, x1):
        for y in range(y0, y1):
            rows[y][x0:x1] = [0] * (x1 - x0)
    fill(top, bottom, left, left + stroke)
    fill(top, top + stroke, left, right)
    fill(bottom - stroke, bottom, left, right - (number % 7) * size // 40)
    for bit in range(5):
        if number >> bit & 1:
            y = top + (bit + 1) * (bottom - top) // 7
            fill(y, y + max(2, stroke // 3), left, right)
    return rows


def make_fonts():
    installed = sorted(path for path in pathlib.Path("/usr/share/fonts").rglob("*") if path.suffix in (".ttf", ".otf"))[:6]
    rows = [line.split("\t") for line in pathlib.Path("examples/data/letters_a.tsv").read_text().split("\n")[1:] if line]
    train = [row for row in rows if row[5] == "train" and row[2].endswith(".ttf")][:max(1, len(installed) - 1)]
    held_out = [row for row in rows if row[5] == "held_out"][:1]
    lines = []
    for source, row in zip(installed, train + held_out):
        font = pathlib.Path("unpacked", row[3], row[2])
        (pathlib.Path("out/fonts") / font).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, pathlib.Path("out/fonts") / font)
        lines.append(f"{font}\t{row[3]}\t{row[4]}\n")
    pathlib.Path("out/fonts/fonts.tsv").write_text("".join(lines))


def make_drawings():
    drawings = pathlib.Path("drawings")
    drawings.mkdir()
    for hand, stroke in (("bold", 18), ("heavy", 22), ("light", 6), ("regular", 11)):
        for number in range(26):
            write_png(drawings / f"{chr(ord('A') + number)}_{hand}.png", letter(number + 1, stroke))
    write_png(pathlib.Path("R.png"), letter(18, 11))
    write_png(pathlib.Path("R2.png"), letter(18, 18, 200))
    write_png(pathlib.Path("sketch.png"), letter(18, 6, 90))
    write_png(pathlib.Path("mask.png"), [[255 if y > 60 else 0] * 120 for y in range(120)])
    for run in ("A", "B"):
        pathlib.Path(run).mkdir()
        losses = "".join(f"{step},{1 / step}\n" for step in range(1, 200))
        pathlib.Path(run, "loss.csv").write_text("step,loss\n" + losses)


make_fonts() if sys.argv[1:] == ["fonts"] else make_drawings()
