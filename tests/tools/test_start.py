#!/usr/bin/python3
"""What make can't work with, in one line and before anything is made (tools/start.sh); where its output goes."""

import os
import re
import shutil
import subprocess
import tempfile

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NOBODY = 65534


def make(*arguments, cwd=TOP, **options):
    """(exit status, standard output, lines of errors but for make's own last word on a recipe)."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PRODUCT", "O", "MAKEFLAGS")}
    done = subprocess.run(["make", *arguments], cwd=cwd, capture_output=True, text=True, timeout=300, check=False, env=environment,
                          **options)
    errors = [re.sub(r"^Makefile:\d+: \*\*\* (.*)\.  Stop\.$", r"\1", line) for line in done.stderr.splitlines()]
    return done.returncode, done.stdout, [line for line in errors if not re.match(r"make(\[\d+\])?: \*\*\* \[", line)]


@pytest.fixture
def tree(tmp_path):
    """A function that makes a tree with what make reads at first, in a folder of this name; everybody may read it."""
    folders = []

    def build(name):
        folder = tempfile.mkdtemp(prefix="start")           # pytest's own folders are for their owner alone
        folders.append(folder)
        os.chmod(folder, 0o755)
        path = os.path.join(folder, name)
        os.makedirs(os.path.join(path, "config"))
        for item in ("Makefile", "Kconfig", "tools", "config/demo", "config/minimal", "config/boards", "hypercalls"):
            source = os.path.join(TOP, item)
            copy = shutil.copytree if os.path.isdir(source) else shutil.copy2
            copy(source, os.path.join(path, item))
        subprocess.run(["chmod", "-R", "a+rX", path], check=True)
        return path
    yield build
    for folder in folders:
        shutil.rmtree(folder)


def snapshot(path):
    """All files below a folder."""
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)


@pytest.mark.parametrize("name, odd", [("x y", " "), ("a:b", ":"), ("c#d", "#"), ("e'f", "'")])
def test_folder_that_make_cannot_name(tree, name, odd):
    path = tree(name)
    before = snapshot(path)
    status, out, errors = make("run", cwd=path)
    assert (status, out) == (2, "") and snapshot(path) == before
    assert errors == [f"'{path}': make can't work with '{odd}' in the name of a folder. "
                      "hint: move it, or give it another name"]


def test_folder_with_other_letters(tree):
    """Everything else may be in a path."""
    status, out, errors = make("PRODUCT=minimal", "build/minimal/gen/partitions.h", cwd=tree("größe-1.0+x_y,z@w=~"))
    assert (status, out, errors) == (0, "", [])


@pytest.mark.parametrize("goals", [["run"], ["menuconfig"], ["build/x/proteus.elf"]])
@pytest.mark.parametrize("product, text", [
    ("dmeo", "PRODUCT=dmeo: there is no folder config/dmeo. hint: did you mean 'demo'?"),
    ("../config/demo", "PRODUCT=../config/demo is no name of a product. hint: the plain name of a folder of config/, PRODUCT=demo say"),
    ("", "PRODUCT= is no name of a product. hint: the plain name of a folder of config/, PRODUCT=demo say"),
    ("a b", "'a b': make can't work with ' ' in the name of a folder. hint: move it, or give it another name"),
    ("a:b", "'a:b': make can't work with ':' in the name of a folder. hint: move it, or give it another name"),
    ("boards", "config/boards/defconfig: no such file. hint: a product has one beside its partitions.toml; it may be empty, or a copy "
     "of config/demo/defconfig")])
def test_product(tree, product, text, goals):
    """A name that is none: nothing is made, least of all in the source tree."""
    path = tree("t")
    before = snapshot(path)
    status, out, errors = make(f"PRODUCT={product}", *goals, cwd=path)
    assert (status, out) == (2, "") and snapshot(path) == before
    assert errors == [text]


def test_product_far_from_all(tree):
    _, _, errors = make("PRODUCT=qqq", "run", cwd=tree("t"))
    assert errors[0].endswith("PRODUCT=qqq: there is no folder config/qqq. hint: known: demo, minimal")


def test_no_partition_file(tree):
    """The other half of a product."""
    path = tree("t")
    os.unlink(os.path.join(path, "config/demo/partitions.toml"))
    status, _, errors = make("build/demo/gen/partitions.h", cwd=path)
    assert status == 2 and errors == ["config/demo/partitions.toml: no such file. hint: a product has one beside its defconfig: "
                                      "a copy of config/demo/partitions.toml, say"]


def product(path, name, defconfig, partitions):
    """A product of one's own in a tree."""
    folder = os.path.join(path, "config", name)
    os.makedirs(folder)
    for file, text in (("defconfig", defconfig), ("partitions.toml", partitions)):
        with open(os.path.join(folder, file), "w", encoding="utf-8") as stream:
            stream.write(text)
    return folder


def stub(path, name):
    """A script that says only that it was called."""
    place = os.path.join(path, name)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8") as stream:
        stream.write(f'#!/bin/sh\necho "called: {name}${{1:+ $*}}" >&2\n')
    os.chmod(place, 0o755)


VM = "[product]\nname = 'x'\n[[vm]]\nname = 'a'\nimage = '{}'\nmemory = '1M'\n"


KERNEL = ["called: tests/guests/linux/build.sh build/kernel build/guests"]


@pytest.mark.parametrize("name, image, beside, pack, calls", [
    ("linux-mine", "hello.elf", "", "", []), ("linux-mine", "linux.elf", "", "", KERNEL), ("mine", "linux-previrt.elf", "", "", KERNEL),
    ("mine", "linux.elf", "linux.elf", "", []), ("mine", "linux.elf", "", "--guest a=x.elf", []), ("linux", "mylinux.elf", "", "", [])],
    ids=["name", "linux", "previrt", "own", "given", "other"])
def test_kernel_is_built_for_those_who_ask(tree, name, image, beside, pack, calls):
    """By the partition file, not by the product's name; not if there is another one of that name."""
    path = tree("t")
    stub(path, "tests/guests/linux/build.sh")
    folder = product(path, name, "", VM.format(image))
    if beside:
        with open(os.path.join(folder, beside), "w", encoding="utf-8") as stream:
            stream.write("x")
    status, _, errors = make(f"PRODUCT={name}", f"PACK={pack}", "-o", "deps-linux", f"build/{name}/gen/partitions.h", "kernel", cwd=path)
    assert (status, errors) == (0, calls)


@pytest.mark.parametrize("qemu, calls", [
    ("[qemu]\nmachine = 'virtex-ppc405'\npatched = true\n", ["called: tools/qemu/build.sh --machine virtex-ppc405"]),
    ("[qemu]\nmachine = 'ref405ep'\n", ["called: tools/qemu/build.sh --machine ref405ep"]),
    ("", ["called: tools/qemu/build.sh --machine my"])], ids=["patched", "plain", "none"])
def test_qemu_is_asked_for_the_boards_machine(tree, qemu, calls):
    """By its name, the board's own where it says none: the script knows which machines it has to build."""
    path = tree("t")
    stub(path, "tools/qemu/build.sh")
    product(path, "mine", 'CONFIG_BOARD_OWN=y\nCONFIG_BOARD="my"\n', VM.format("a.elf"))
    with open(os.path.join(path, "config/boards/ml403.toml"), encoding="utf-8") as stream:
        text = stream.read().replace('name = "ml403"', 'name = "my"')
    with open(os.path.join(path, "config/boards/my.toml"), "w", encoding="utf-8") as stream:
        stream.write(re.sub(r"^\[qemu\].*?^patched = true\n", qemu, text, flags=re.M | re.S))
    status, _, errors = make("PRODUCT=mine", "build/mine/run", cwd=path)
    assert (status, errors) == (0, calls)


@pytest.mark.parametrize("series, machine, built", [
    ("12", "ref405ep", False), ("13", "ref405ep", True), ("12", "virtex-ppc405", True), ("13", "my", False), ("12", "my", False)])
def test_qemu_is_built_for_boards_that_it_has(tree, series, machine, built):
    """A machine that no QEMU of ours has: nothing to run on, and no minutes of waiting before that is said."""
    path = tree("t")
    stub(path, "tools/deps.sh")
    script = os.path.join(path, "tools/qemu/build.sh")
    with open(script, encoding="utf-8") as stream:
        text = stream.read()
    with open(script, "w", encoding="utf-8") as stream:
        stream.write(text.replace("/etc/os-release", "./os-release").replace("tools/archive.sh source", "exit 3 #"))
    with open(os.path.join(path, "os-release"), "w", encoding="utf-8") as stream:
        stream.write(f"ID=debian\nVERSION_ID={series}\n")
    done = subprocess.run([script, "--machine", machine], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "building QEMU" in done.stderr) == ((3, True) if built else (0, False)), done.stderr


@pytest.mark.parametrize("value", ["", "nix-"])
def test_compiler_that_is_none(value):
    """Empty or wrong, and an image is asked for by its name: one line, and nothing of the shell's or the host compiler's."""
    folder = "build/test-start"
    status, out, errors = make("-s", f"O={folder}", f"CROSS_COMPILE={value}", f"{folder}/gen/offsets.h")
    assert (status, out) == (2, "") and len(errors) == 1
    assert errors[0].startswith(f"tools/deps.sh: CROSS_COMPILE is '{value}', and {value}gcc ") and ". hint: unset CROSS_COMPILE" in errors[0]


def test_help_needs_nothing():
    """The list of targets, whatever PRODUCT is."""
    status, out, errors = make("PRODUCT=dmeo")
    assert status == 0 and "make run" in out and errors == []


def as_nobody():
    """Options of subprocess.run: a user who may write nothing but /tmp."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}


def protect(path):
    """Nobody may write in the tree."""
    subprocess.run(["chmod", "-R", "a-w", path], check=True)


def test_tree_that_cannot_be_written(tree, tmp_path):
    path = tree("t")
    protect(path)
    status, out, errors = make("build/demo/gen/partitions.h", cwd=path, **as_nobody())
    assert (status, out) == (2, "")
    assert errors == ["build: can't be written. hint: make O=<folder> has all of a product in another one"]
    subprocess.run(["chmod", "-R", "u+w", path], check=True)


def test_output_elsewhere(tree):
    """O outside of the tree: all that is generated is there, and the tree may be read-only."""
    path = tree("t")
    protect(path)
    out = tempfile.mkdtemp(prefix="out")
    try:
        os.chown(out, NOBODY if os.getuid() == 0 else -1, -1)
        before = snapshot(path)
        for place in (out, out + "/deeper/down"):
            status, text, errors = make("PRODUCT=minimal", f"O={place}", f"{place}/gen/partitions.h", cwd=path, **as_nobody())
            assert (status, text, errors) == (0, "", [])
            assert os.path.exists(f"{place}/gen/partitions.json") and snapshot(path) == before
        status, text, errors = make(f"O={out}/all", "check", "deps-config=", "-o", "deps-config", cwd=path, **as_nobody())
        assert (status, errors) == (0, []) and text.split() == ["OK", "minimal", "OK", "demo"] or text.split() == ["OK", "demo", "OK", "minimal"]
        assert os.path.exists(f"{out}/all/demo/gen/partitions.json") and snapshot(path) == before
        # What is run after that: guests and their library, kernel and image are below O as well
        show = "--eval=show: ; @echo $(GUESTS) $(BUILD) $(BOARD_GUESTS)"
        assert make(f"O={out}", show, "show", cwd=path)[1].split() == [f"{out}/guests", out, f"{out}/guests"]
    finally:
        subprocess.run(["chmod", "-R", "u+w", path, out], check=True)
        shutil.rmtree(out)


@pytest.mark.parametrize("place, text", [
    ("/etc/x", "/etc/x: can't be written. hint: another folder, or without O"),
    ("/tmp/a b", "'/tmp/a b': make can't work with ' ' in the name of a folder. hint: move it, or give it another name"),
    ("/tmp/x:y", "'/tmp/x:y': make can't work with ':' in the name of a folder. hint: move it, or give it another name")])
def test_output_that_does_not_do(tree, place, text):
    assert make(f"O={place}", "run", cwd=tree("t"), **as_nobody()) == (2, "", [text])


@pytest.mark.parametrize("goal", ["test", "test-quick", "bench", "lint", "qemu"])
def test_goals_of_the_tree(tree, goal):
    assert make("O=/tmp/o", goal, cwd=tree("t"))[2] == [
        f"O=/tmp/o: make {goal} works in build/ only. hint: leave O away"]
