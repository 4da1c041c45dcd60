#!/usr/bin/python3
"""Tests of tools/bench_ipc.py: figures of a run's lines, bounds, what is said of a run that did not pass. QEMU is not run."""

import json
import os
import sys

import pytest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))

import bench_ipc  # noqa: E402
import console  # noqa: E402
import machine  # noqa: E402
from kconfig import run_tool  # noqa: E402

TICKS = {"doorbell_switch": 100000, "null_connect": 50000, "close": 60000, "message64": 300000, "round_trip64": 700000}
IPC = [f"[near] ipcbench: {name} ticks {ticks} for 1000 times" for name, ticks in TICKS.items()] + \
    ["[near] ipcbench: urgent64 ticks 1000000 for 256000 bytes", "[near] ipcbench: urgent4096 ticks 100000 for 409600 bytes"]
PASSES = ["[near] ipcbench: PASS", "[far] far: PASS"]
DISK = ["[client] ipcbench: disk_write ticks 500000 for 1000000 bytes", "[client] ipcbench: disk_read ticks 250000 for 1000000 bytes",
        "[client] ipcbench: PASS"]
BARE = ["ipcbench: native_disk_write ticks 200000 for 1000000 bytes", "ipcbench: native_disk_read ticks 200000 for 1000000 bytes",
        "ipcbench: native_card ticks 0 for 1000 bytes", "ipcbench: PASS"]
TARGETS = """[reference]
compiler = "gcc 12"
others = 10
[ipc]
doorbell_switch = { at_most = 300 }
disk_write = { at_least = 700000 }
"""


@pytest.fixture
def tool(tmp_path, monkeypatch, capsys):
    """The tool, for runs of which the lines are given: (exit status, output, error output)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "targets.toml").write_text(TARGETS)
    runs, hertz = {}, 500_000_000
    monkeypatch.setattr(bench_ipc, "of_image", lambda image: machine.REF405EP._replace(hertz=hertz))
    monkeypatch.setattr(bench_ipc, "machine_named", lambda name: machine.REF405EP._replace(hertz=hertz))
    monkeypatch.setattr(bench_ipc, "verdict_names", lambda image: ["near", "far"] if "ipc" in image else ["client"])

    def fake(image, **_):
        result = console.Console(None if image.endswith("proteus") else ())
        for line in runs[image]:
            result.add(line)
        return result
    monkeypatch.setattr(bench_ipc.run, "run", fake)

    def call(lines, *arguments):
        runs.update(lines)
        status = run_tool(bench_ipc.main, [*arguments, "--config", ".", "--out", "out.json"])
        return (status, *capsys.readouterr())
    call.path = tmp_path
    return call


def rows(out):
    """{figure: cells} of the table."""
    return {line.split()[0]: line.split() for line in out.splitlines()[1:] if line}


def test_figures(tool):
    """Two instructions are a tick here; a rate is of the native one where there is one."""
    status, out, err = tool({"ipc-proteus": IPC + PASSES, "disk-proteus": DISK, "bare": BARE}, "--image", "ipc=ipc-proteus",
                            "--image", "disk=disk-proteus", "--bare", "disk=bare,x", "--gate")
    assert (status, err) == (0, "")
    values = json.loads((tool.path / "out.json").read_text())["figures"]
    assert values == {"doorbell_switch": 200.0, "null_connect": 100.0, "close": 120.0, "message64": 600.0, "round_trip64": 1400.0,
                      "urgent64": 128.0, "urgent4096": 2048.0, "disk_write": 1000000.0, "disk_read": 2000000.0,
                      "native_disk_write": 2500000.0, "native_disk_read": 2500000.0}
    found = rows(out)
    assert found["doorbell_switch"][-1] == "ok" and found["message64"][-2:] == ["instructions", "-"]
    assert found["disk_write"][5:7] == ["40", "%"] and found["disk_read"][3:5] == ["80", "%"]


def test_gate(tool):
    """A cost that is above its bound, and a rate below it, are errors if asked for."""
    slow = [line.replace("ticks 500000", "ticks 750000") for line in DISK]
    late = [line.replace("ticks 100000 for 1000 ", "ticks 150100 for 1000 ") for line in IPC]
    arguments = {"ipc-proteus": late + PASSES, "disk-proteus": slow}, "--image", "ipc=ipc-proteus", "--image", "disk=disk-proteus"
    assert tool(*arguments)[0] == 0
    status, out, err = tool(*arguments, "--gate")
    assert status == 1 and [line.split(", and")[0] for line in err.splitlines()] == [
        "bench_ipc.py: doorbell_switch: 300.2", "bench_ipc.py: disk_write: 666666.7"]
    assert rows(out)["doorbell_switch"][-1] == rows(out)["disk_write"][-1] == "over"


def test_another_compiler(tool, monkeypatch):
    """Its bounds are wider, both ways."""
    slow = [line.replace("ticks 500000", "ticks 750000") for line in DISK]
    monkeypatch.setattr(bench_ipc.ledger, "compiler_of", lambda image: "gcc 14")
    assert tool({"disk-proteus": slow}, "--image", "disk=disk-proteus", "--gate")[0] == 0
    monkeypatch.setattr(bench_ipc.ledger, "compiler_of", lambda image: "gcc 12")
    assert tool({"disk-proteus": slow}, "--image", "disk=disk-proteus", "--gate")[0] == 1


@pytest.mark.parametrize("lines, expected", [
    ([*IPC, PASSES[0], "[far] ipcbench: FAIL number 1 found 00000002"], "ipc: [far] ipcbench: FAIL number 1 found 00000002"),
    ([*IPC, PASSES[0]], "ipc: it did not pass"),
])
def test_run_that_failed(tool, lines, expected):
    status, _, err = tool({"ipc-proteus": lines}, "--image", "ipc=ipc-proteus")
    assert status == 1 and expected in err and "hint:" in err and not (tool.path / "out.json").exists()


def test_figure_that_is_not_there(tool):
    status, _, err = tool({"ipc-proteus": IPC[1:] + PASSES}, "--image", "ipc=ipc-proteus")
    assert (status, err) == (1, "bench_ipc.py: ipc has no figure doorbell_switch. hint: is it the image that the Makefile builds?\n")


@pytest.mark.parametrize("arguments", [[], ["--image", "x"], ["--bare", "disk=x"], ["--bare", "disk=,x"]])
def test_usage(arguments):
    with pytest.raises(SystemExit) as stop:
        bench_ipc.main(arguments)
    assert stop.value.code == 2
