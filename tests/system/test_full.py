"""Everything in one image: product `full` as it is, and with each option of Kconfig that can be on beside the others.

Its guests say themselves what they have missed; how often each was interrupted is exact: nobody's work depends on the others'.
"""

import os
import re

import conftest
import pytest
import run

GUESTS = {"ctask": "jobs=200 misses=0 ", "ffttask": "jobs=10 misses=0 wrong=0 ", "sfft": "ffts=200 wrong=0 "}
PIT = {"ctask": 201, "ffttask": 11, "sfft": 0}     # a job each, and the one that begins
# Of what cannot be on: another board's; what counters and watchdog exclude, which is test_turn.py's; what has no room beside all others
# (test_optimize.py); or what keeps the image out of RAM, which is the other half of the tests
NOT_HERE = {"INTC", "INTC_DCR", "FAST_SWITCH", "OPTIMIZE"}
ROM = {"ROM", "ROM_IMAGES"}
# What they need of the 32 KiB is the pages': the build says so (config/README.md)
DEBUGGING = {"TLB_CHECK", "TRACE_SCHED", "UART_16550_WORDS", "UART_UARTLITE"}
PAGES = {"IRFM"}
# With the options that `full` has not, what they are for
KEYS = {"name = \"sfft\"\n": 'second_uart = "uart1"\nforward = ["gpio0", { device = "iic0", offset = 4, size = 4 }]\n'
                             'tunnels_at = "0x90000000"\n',
        "name = \"ctask\"\n": 'priority = 2\n', "name = \"ffttask\"\n": 'priority = 1\n'}


def switches():
    """What Kconfig lets a user switch on beside all others: its bool symbols with a prompt, those of choices left out."""
    with open(os.path.join(conftest.ROOT, "Kconfig"), encoding="utf-8") as file:
        text = re.sub(r"^choice\n.*?^endchoice", "", file.read(), flags=re.S | re.M)
    return set(re.findall(r'^config (\w+)\n\tbool "', text, flags=re.M)) - NOT_HERE


def partition_file(scheduler, pages):
    """That of the product, and what the other options are for; without register pages, for guests that have none."""
    with open(os.path.join(conftest.ROOT, "config", "full", "partitions.toml"), encoding="utf-8") as file:
        text = file.read().replace('"sfft -> *"', "")       # with registers of a tunnel it can ring
    for place, keys in KEYS.items():
        assert text.count(f"[[vm]]\n{place}") == 1
        text = text.replace(f"[[vm]]\n{place}", f"[[vm]]\n{place}{keys}")
    if scheduler != "PRIO":
        text = re.sub(r"priority = .*\n", "", text)
    return text if pages else re.sub(r"(irfm|previrt) = true\n|-(para|previrt)(?=\.elf)", "", text)


def check(result, guests=GUESTS):
    """All guests pass, each is started once and interrupted so often; nobody says anything else."""
    assert not list(result.trouble()) and result.untagged == [], "\n".join(result.lines[-20:])
    assert {name: vm.verdict for name, vm in result.vms.items()} == dict.fromkeys(guests, "PASS"), result.lines
    for name, detail in guests.items():
        vm = result.vms[name]
        assert f"{vm.detail} ".startswith(detail) and len(vm.lines) == 1 and len(vm.stops) == 1, vm.lines
        assert vm.stops[0].endswith("reset by the guest")
        assert (vm.stats["starts"], vm.stats.get("pit", 0), vm.stats.get("irq", 0)) == (1, PIT[name], PIT[name]), vm.stats
    assert [line for line in result.hypervisor if not line.startswith(("stat ", "stop "))] == []


def test_as_it_is(images):
    """Product full, and what its guests use of it: calls, pages, patches."""
    result = images.run(image=images.elf("full"), timeout=100)
    check(result)
    stats = {name: vm.stats for name, vm in result.vms.items()}
    assert [name for name in stats if stats[name].get("hypercall")] == ["ctask"]
    assert stats["ctask"]["hypercall"] == 3 * PIT["ctask"] + 5      # three a job; and before the first and behind the last
    assert "mmio" not in stats["ctask"] and stats["ffttask"]["mmio"] == stats["ffttask"]["data_fault"]


@pytest.mark.parametrize("kind, scheduler, without", [
    ("elf", "RR", DEBUGGING), ("elf", "PRIO", DEBUGGING), ("elf", "RESERVE", PAGES), ("rom", "RR", DEBUGGING)])
def test_every_option(images, tmp_path, kind, scheduler, without):
    """All of Kconfig's options at once; but those that the others leave no room for beside register pages, or the pages."""
    images.guests()
    partitions = tmp_path / "partitions.toml"
    partitions.write_text(partition_file(scheduler, pages=without is DEBUGGING), encoding="utf-8")
    wanted = switches() - without - (ROM if kind == "elf" else set())
    folder = f"build/full-every-{kind}-{scheduler.lower()}"
    target = f"{folder}/proteus.{'elf' if kind == 'elf' else 'bin'}"
    settings = " ".join(f"CONFIG_{name}={'n' if name in without else 'y'}" for name in sorted(wanted | without))
    conftest.make("PRODUCT=full", f"O={folder}", f"PARTITIONS={partitions}",
                  f"EXTRA_CONFIG={settings} CONFIG_SCHED_{scheduler}=y {conftest.FREE}", target)
    with open(os.path.join(conftest.ROOT, folder, ".config"), encoding="utf-8") as file:
        assert wanted - set(re.findall(r"^CONFIG_(\w+)=y$", file.read(), flags=re.M)) == set()
    path = os.path.join(conftest.ROOT, target)
    check(run.run(timeout=100, **({"image": path} if kind == "elf" else {"rom": path})))
