"""Runs the commands of the documentation; tests/docs/run says how it is called, tests/docs/rules what is changed.

Each command has a shell of its own: a page that changes the folder or sets a variable does so within one command.
"""
import argparse
import fnmatch
import importlib.util
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGES = ("README.md", "docs/*.md", "examples/*.md", "examples/*/*.md")
COMMANDS, OTHERS = ("sh", ""), ("cpp", "cmake", "json", "python", "text")  # what fenced blocks hold
SECONDS = 1800  # that a command may take, compiling included


class Command:
    def __init__(self, page, line, text):
        self.page, self.line, self.text = page, line, text
        self.skipped = ""    # why
        self.before = []     # shell commands that make what it needs
        self.in_root = False
        self.notes = []

    def where(self):
        return f"{self.page}:{self.line}"


def complete(text):
    """Whether a shell command ends here: no open quotation, no backslash at the end."""
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return not text.endswith("\\")


def commands_of_block(page, first, lines):
    result, text, start = [], "", 0
    for number, line in enumerate(lines, first):
        if not text and (not line.strip() or line.lstrip().startswith("#")):
            continue
        start = start if text else number
        text = text[:-1] + line.strip() if text.endswith("\\") else f"{text}\n{line}" if text else line.strip()
        if complete(text):
            result.append(Command(page, start, text))
            text = ""
    if text:
        sys.exit(f"{page}:{start}: a command that does not end within its block: {text}")
    return result


def commands_of_page(page, text):
    """The commands of fenced and indented blocks, and those of tables that begin with ./run, in order."""
    result, lines, i = [], text.split("\n"), 0
    while i < len(lines):
        line = lines[i]
        if fence := re.match(r"```(\S*)", line):
            language, end = fence[1], i + 1
            while end < len(lines) and not lines[end].startswith("```"):
                end += 1
            if language in COMMANDS:
                result += commands_of_block(page, i + 2, lines[i + 1:end])
            elif language == "python":  # one command
                program = "\n".join(lines[i + 1:end])
                result.append(Command(page, i + 2, f"python3 - <<'END'\n{program}\nEND"))
            elif language not in OTHERS:
                known = ", ".join(("sh", "python", *OTHERS))
                sys.exit(f"{page}:{i + 1}: a block of {language}; expected one of {known}, or none, which means sh")
            i = end + 1
        elif line.startswith("    ") and line.strip() and (i == 0 or not lines[i - 1].strip()):
            end = i
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            result += commands_of_block(page, i + 1, [part[4:] for part in lines[i:end]])
            i = end
        else:
            if line.startswith("|"):
                result += [Command(page, i + 1, code) for code in re.findall(r"`(\./run [^`]*)`", line)]
            i += 1
    return result


class Rule:
    """One line of tests/docs/rules, whose head explains them."""
    FIELDS = {"skip": 3, "set": 3, "put": 4, "first": 3, "root": 2, "needs": 4, "lacks": 5}

    def __init__(self, number, line):
        self.kind, *self.fields = [field.strip() for field in line.split(" :: ")]
        self.number, self.used = number, False
        if len(self.fields) != self.FIELDS.get(self.kind):
            sys.exit(f"tests/docs/rules:{number}: expected one of {', '.join(self.FIELDS)} with its fields: {line}")

    def apply(self, command):
        # The condition of needs and lacks stands first.
        condition, fields = ("", self.fields)
        if self.kind in ("needs", "lacks"):
            condition, fields = self.fields[0], self.fields[1:]
        pages, pattern, *rest = fields
        if not fnmatch.fnmatch(command.page, pages):
            return
        found = pattern in command.text if self.kind in ("put", "lacks") else re.search(pattern, command.text)
        if not found:
            return
        self.used = True
        if condition and all(map(present, condition.split())):
            return
        if self.kind in ("skip", "needs"):
            command.skipped = command.skipped or rest[0]
        elif self.kind == "set":
            command.text = with_options(command.text, shlex.split(rest[0]))
        elif self.kind == "put":
            command.text = command.text.replace(pattern, rest[0])
        elif self.kind == "lacks":
            command.text = command.text.replace(pattern, rest[0])
            command.notes.append(rest[1])
        elif self.kind == "first":
            command.before.append(rest[0])
        else:
            command.in_root = True


def present(thing):
    """A program, a path, or a module of Python as python3:NAME."""
    if thing.startswith("python3:"):
        return importlib.util.find_spec(thing[8:]) is not None
    return pathlib.Path(thing).exists() if thing.startswith("/") else shutil.which(thing) is not None


def with_options(text, options):
    """The command with these options and values: in place of those that it has, else at its end."""
    comment = re.search(r"\s+#\s.*$", text)
    text, comment = (text[:comment.start()], comment[0]) if comment else (text, "")
    for name, value in zip(options[::2], options[1::2]):
        text, count = re.subn(rf"(?<=\s){re.escape(name)}[ =](\S+)", f"{name} {value}", text)
        if count == 0:
            text += f" {name} {value}"
    return text + comment


def read_rules():
    lines = (HERE / "rules").read_text().split("\n")
    return [Rule(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]


def make_folder(folder):
    """What a newcomer has after cloning, but for what she brings: the tree, with the build folder that all pages share."""
    folder.mkdir(parents=True)
    (ROOT / "build").mkdir(exist_ok=True)
    for entry in ROOT.iterdir():
        if entry.name not in ("out", "run", ".git"):
            (folder / entry.name).symlink_to(entry)
    run = folder / "run"  # builds in the real tree, and writes where it is called
    run.write_text(f"#!/bin/sh\nexec {shlex.quote(str(ROOT / 'run'))} \"$@\"\n")
    run.chmod(0o755)
    (folder / "out").mkdir()


def execute(text, folder):
    # Without a terminal, and in a group of its own, so that whatever it started ends with it.
    process = subprocess.Popen(["sh", "-c", text], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    try:
        output, _ = process.communicate(timeout=SECONDS)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        return 124, process.communicate()[0] + f"\nstopped after {SECONDS} s"
    except BaseException:
        os.killpg(process.pid, 9)
        raise


def run_command(command, folder):
    """Whether it succeeded; says so."""
    begin = time.monotonic()
    for text in [*command.before, command.text]:
        status, output = execute(text, ROOT if command.in_root and text == command.text else folder)
        if status != 0:
            print(f"FAILED   {command.where()}  {text}\n         status {status}; its last lines:")
            print("\n".join("         " + line for line in output.split("\n")[-25:]), flush=True)
            return False
    notes = "".join(f"; {note}" for note in command.notes)
    print(f"passed   {command.where()}  {command.text}  ({time.monotonic() - begin:.0f} s{notes})", flush=True)
    return True


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", help="pages to run, relative to the root; all if none is named")
    parser.add_argument("--list", action="store_true", help="only show what would be run")
    parser.add_argument("--keep", type=pathlib.Path, help="run in this new folder, and leave it")
    options = parser.parse_args()
    every = [str(path.relative_to(ROOT)) for pattern in PAGES for path in sorted(ROOT.glob(pattern))]
    if unknown := [page for page in options.pages if page not in every]:
        parser.error(f"no page {unknown[0]}; there are {', '.join(every)}")
    rules, passed, failed, skipped = read_rules(), 0, 0, 0
    scratch = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="glyphdiff_docs."))
    try:
        for page in options.pages or every:
            commands = commands_of_page(page, (ROOT / page).read_text())
            for command in commands:
                for rule in rules:
                    rule.apply(command)
            if not commands:
                continue
            folder = scratch / page.replace("/", "_")
            if not options.list:
                make_folder(folder)
                subprocess.run([sys.executable, str(HERE / "stand_ins.py")], cwd=folder, check=True)
            for command in commands:
                if command.skipped:
                    skipped += 1
                    print(f"skipped  {command.where()}  {command.text}\n         {command.skipped}", flush=True)
                elif options.list:
                    place = " (in the clone itself)" if command.in_root else ""
                    print("".join(f"first    {command.where()}  {text}\n" for text in command.before) +
                          f"would    {command.where()}  {command.text}{place}")
                elif run_command(command, folder):
                    passed += 1
                else:
                    failed += 1
        if not options.pages:  # a rule for a command that is no longer there hides nothing, and explains nothing
            for rule in rules:
                if not rule.used:
                    failed += 1
                    print(f"FAILED   tests/docs/rules:{rule.number}: no command that this is for")
    finally:
        if not options.keep:
            shutil.rmtree(scratch)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
