"""config/first/README.md, word for word: a copy of the project, as a newcomer has it, where each command of its blocks is run."""

import os
import re
import shutil
import subprocess

import conftest
import pytest

README = os.path.join(conftest.ROOT, "config", "first", "README.md")
LEFT_OUT = ("build", ".git", "__pycache__", ".pytest_cache")


def steps():
    """(command, lines that must come, in order) of the README's blocks."""
    with open(README, encoding="utf-8") as file:
        blocks = re.findall(r"^```console\n(.*?)^```$", file.read(), re.M | re.S)
    found = []
    for line in "".join(blocks).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def pattern(line):
    """A line of the README as a regular expression: `*` is anything, blanks are blanks."""
    return r"\s+".join(re.escape(word).replace(r"\*", ".*") for word in line.split())


@pytest.fixture(scope="module")
def clone(guests, tmp_path_factory):
    """The project's files without what it has built, but for the samples, which are not what is tested here."""
    folder = tmp_path_factory.mktemp("clone") / "proteus"
    shutil.copytree(conftest.ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    shutil.copytree(guests, folder / "build" / "guests")
    os.symlink(os.path.join(conftest.ROOT, "build", "newlib"), folder / "build" / "newlib")
    return folder


def test_there_are_steps():
    commands = [command for command, _ in steps()]
    assert len(commands) >= 6 and sum(command.startswith("make run") for command in commands) >= 3
    assert commands[-1].startswith("! make run") and all(expected for command, expected in steps() if "make run" in command)


def test_word_for_word(clone):
    """Each command succeeds, and what stands below it comes in that order."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PRODUCT", "O", "MAKEFLAGS", "MAKELEVEL")}
    for command, expected in steps():
        done = subprocess.run(["bash", "-c", command], cwd=clone, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=900, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        lines = iter(done.stdout.splitlines())
        for line in expected:
            assert any(re.match(pattern(line), came) for came in lines), f"{command}\n{line}\n{done.stdout}"


def test_the_same_guests_bare(images):
    """Both pass on the board without a hypervisor."""
    images.elf("first")
    for name in ("first", "hello"):
        result = images.run(image=os.path.join(conftest.ROOT, "build", "first", "own", name + ".elf"), timeout=60)
        assert not list(result.trouble()) and result.as_bare(name).verdict == "PASS"
