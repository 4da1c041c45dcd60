"""Hypercalls, register pages and pre-virtualization on the real image: product `hybridtest`."""

import re

import elfpatch
import pytest
import run

PROPERTY = 4        # hybrid_select of tests/guests/hybrid/hybridtest.c


def run_guest(images, folder, target, **words):
    """Run an image with words of the hybrid guest (both of its builds) set."""
    patched = str(folder / "image")
    elfpatch.patched_image(target, patched, images.guest("hybridtest"), **words)
    elfpatch.patched_image(patched, patched, images.guest("hybridmoved"), **words)
    return run.run(image=patched, timeout=120)


def property_line(vm):
    """The figures of the property test."""
    lines = [line for line in vm.lines if line.startswith("hybrid: property ")]
    assert len(lines) == 1, vm.lines[-3:]
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", lines[0])}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_property(images, tmp_path, seed):
    """Trapped, mapped and called accesses agree at random; interrupts are taken once each."""
    result = run_guest(images, tmp_path, images.elf("hybridtest"), hybrid_seed=seed, hybrid_select=PROPERTY)
    assert not list(result.trouble())
    for name in ("hybrid", "moved"):
        assert result.vms[name].verdict == "PASS", result.vms[name].lines[-3:]
        figures = property_line(result.vms[name])
        assert figures["steps"] >= 100000 and figures["interrupts"] >= 1000 and figures["lazy"] >= 100
