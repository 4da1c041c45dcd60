#!/usr/bin/python3
"""tests/models: the protocols of hypercalls/ipc and of tunnels hold in every state that spin finds, and each wrong variant of them
is found out: a model that could not fail would show nothing."""

import os
import re
import shutil
import subprocess

import pytest

MODELS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "models")
ASSERTION, CYCLE = "assertion violated", "acceptance cycle"

# model: (option that names the claim, states at least, {wrong variant: what spin says})
TABLE = {
    "link": ((), 50_000, dict.fromkeys(("SWAPPED", "NO_ORDER", "EARLY", "NO_BARRIER_BEFORE_LOOK", "NEVER_ASKED", "RINGS_IF_EMPTY"),
                                       ASSERTION)),
    "sampling": ((), 50_000, dict.fromkeys(("ONE_SLOT", "NO_ORDER", "NO_ORDER_BEFORE", "NO_CHECK"), ASSERTION)),
    "tunnel": (("-a", "-f", "-N", "patient"), 50_000,
               {**dict.fromkeys(("NO_ZERO", "ZERO_EARLY", "STALE", "NO_RING"), ASSERTION),
                **dict.fromkeys(("IDLE_LOOK", "ONLY_OTHER"), CYCLE)}),
}
RUNS = [(model, variant) for model, (_, _, variants) in TABLE.items() for variant in (None, *variants)]


def text_of(model):
    """A model's text."""
    with open(os.path.join(MODELS, model + ".pml"), encoding="utf-8") as file:
        return file.read()


def check(model, variant, folder):
    """What the checker that spin makes of a model says."""
    if not shutil.which("spin") and not os.environ.get("CI"):       # there, the call below says that there is none
        pytest.skip("no spin. hint: tools/deps.sh test")
    for name in os.listdir(MODELS):
        shutil.copy(os.path.join(MODELS, name), folder)
    claim = TABLE[model][0]
    subprocess.run(["spin", "-a", *([f"-D{variant}"] if variant else []), model + ".pml"], cwd=folder, check=True, capture_output=True)
    # A wrong one is found within its first thousands of states: a compiler that thinks costs more than it saves
    flags = ["-O0" if variant else "-O2", "-w", *(["-DNFAIR=3"] if claim else ["-DSAFETY"])]
    subprocess.run(["gcc", *flags, "-o", "pan", "pan.c"], cwd=folder, check=True)
    return subprocess.run([os.path.join(folder, "pan"), "-m1000000", *claim], cwd=folder, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("model, variant", RUNS)
def test_model(model, variant, tmp_path):
    out = check(model, variant, tmp_path)
    errors = int(re.search(r"errors: (\d+)", out)[1])
    assert "max search depth too small" not in out, out
    if variant:
        assert errors == 1 and TABLE[model][2][variant] in out, out
    else:
        assert errors == 0, out
        assert int(re.search(r"(\d+) states, stored", out)[1]) > TABLE[model][1], out


@pytest.mark.parametrize("model", TABLE)
def test_every_variant_is_named(model):
    """In the model's own words, and none is left out here."""
    text = text_of(model)
    head = re.sub(r"\s+\*\s", " ", text.split("*/")[0])
    assert set(re.findall(r"#if(?:n?def) (\w+)", text)) == set(TABLE[model][2])
    assert [variant for variant in TABLE[model][2] if not re.search(rf"\b{variant} \(", head)] == []
