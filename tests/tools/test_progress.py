"""tools/progress.py: what it says of a command that takes long, and that it is in nobody's way."""

import importlib.util
import os
import subprocess
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(TOP, "tools", "progress.py")
SPEC = importlib.util.spec_from_file_location("progress", TOOL)
progress = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(progress)


def run(tmp_path, script, *more, patience=None):
    """(exit status, what went to the log, what was said) of a shell script; `patience`: seconds between two lines."""
    tool = os.path.join(tmp_path, "progress.py")
    with open(TOOL, encoding="utf-8") as file, open(tool, "w", encoding="utf-8") as copy:
        copy.write(file.read().replace("SECONDS = 10", f"SECONDS = {patience or 10}"))
    log = tmp_path / "log"
    done = subprocess.run(["sh", "-c", f'exec {sys.executable} {tool} NAME sh -c "$0" 3>&2 >{log} 2>&1', script, *more],
                          capture_output=True, text=True, check=False)
    assert done.stdout == ""
    return done.returncode, log.read_text(), done.stderr


def test_a_short_command_has_no_progress(tmp_path):
    assert run(tmp_path, "echo out; echo err >&2") == (0, "out\nerr\n", "")


@pytest.mark.parametrize("script, status", [("exit 3", 3), ("kill -TERM $$", 143)])
def test_the_exit_status_is_the_command_s(tmp_path, script, status):
    assert run(tmp_path, script)[0] == status


def test_lines_are_counted(tmp_path):
    """A line for each change, none without."""
    script = "echo '  CC  a.o'; echo '  CC  b.o'; sleep 1; echo '  CC  c.o'; sleep 1"
    status, log, said = run(tmp_path, script, patience=0.3)
    assert status == 0 and log.count("\n") == 3
    assert said == "  NAME  [2 lines]\n  NAME  [3 lines]\n"


def test_ninja_counts_itself():
    """The last count wins, wherever a read ends."""
    seen = progress.Progress()
    assert seen.news() is None
    seen.take(b"[1/900] Compiling C object x.c.o\n[2/900] Compiling ")
    assert seen.news() == "2/900" and seen.news() is None
    seen.take(b"y.c.o\nwarning: z\n[3/900] Linking\n")
    assert seen.news() == "3/900"


def test_a_command_that_is_not_there():
    done = subprocess.run([TOOL, "NAME", "./no-such-program"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (126, "", "progress.py: ./no-such-program: No such file or directory\n")


@pytest.mark.parametrize("arguments", [[], ["NAME"], ["--help", "x"]])
def test_usage(arguments):
    done = subprocess.run([TOOL, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: progress.py NAME COMMAND...\n")
