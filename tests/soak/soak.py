#!/usr/bin/python3
"""soak.py: four VMs that all talk to each other, until so many instructions are over, with every message accounted for.

    soak.py [--messages 40000] [--board ref405ep,ml403] [--sched rr,prio,cyclic,reserve] [--out build/soak.json]

Each VM (tests/guests/soak) has a tunnel to each other, and sends so many messages through each. A receiver knows what every
message has to be, so one that is lost, doubled, out of order or wrong ends the run as a failure; at the end what each says it has
sent to whom is compared with what that has received, to the message and the byte. A run that is shorter than --instructions
fails, too: those that a VM had, and the hypervisor because of it, by the hypervisor's counters of ticks. Time in which nobody
could run is not in it.

The last line is `N runs, N failed`. Exit status: 0; 1 if a run failed; 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import json
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tools"), os.path.join(ROOT, "tests", "system")]

import elfpatch  # noqa: E402
import machine  # noqa: E402
import run as runner  # noqa: E402

VMS = 4
LINE, APART = 20, 0x10000
SCHEDULERS = {"rr": "", "prio": "CONFIG_SCHED_PRIO=y", "cyclic": "CONFIG_SCHED_CYCLIC=y", "reserve": "CONFIG_SCHED_RESERVE=y"}
# Of each VM: unlike ranks, and reservations that leave some of the time to who has more to do
KEYS = {"prio": [f"priority = {rank}" for rank in (1, 1, 2, 3)],
        "reserve": [f"period_us = {period}\nbudget_us = {budget}" for period, budget in ((400, 60), (500, 100), (700, 150), (900, 200))]}
WITH = re.compile(r"^soak: with (\d) sent (\d+) bytes (\d+) received (\d+) bytes (\d+)$")


def name_of(number):
    """Of a VM."""
    return "abcd"[number]


def partitions(sched):
    """The partition file."""
    text = '[product]\nname = "soak"\n\n[schedule]\nquantum_us = 150\n'
    if sched == "cyclic":
        windows = ", ".join(f'{{ vm = "{name_of(number)}", us = {100 + 37 * number} }}' for number in range(VMS))
        text += f'\n[[plan]]\nname = "x"\nwindows = [{windows}]\n'
    for number in range(VMS):
        text += (f'\n[[vm]]\nname = "{name_of(number)}"\nimage = "soak.elf"\nmemory = "64K"\nparavirt = true\nconsole = "shared"\n'
                 f"regs = {{ r3 = {number}, r4 = 0x50000000 }}\n")
        text += KEYS[sched][number] + "\n" if sched in KEYS else ""
    for one in range(VMS):
        for other in range(one + 1, VMS):
            ends = ", ".join(f'{{ vm = "{name_of(vm)}", at = {0x50000000 + place * APART:#x}, doorbell = {LINE + place} }}'
                             for vm, place in ((one, other - 1), (other, one)))
            text += f'\n[[tunnel]]\nname = "{name_of(one)}{name_of(other)}"\nsize = "4K"\nends = [{ends}]\n'
    return text


def accounts(result):
    """Messages, bytes and ticks of a run that passed; ValueError says why it did not."""
    trouble = list(result.trouble())
    failed = [line for line in result.lines if "FAIL" in line]
    if trouble or failed:
        raise ValueError((failed or trouble)[0])
    said, ticks = {}, 0
    for number in range(VMS):
        vm = result.vms[name_of(number)]
        for match in filter(None, map(WITH.match, vm.lines)):
            other, *figures = map(int, match.groups())
            said[number, other] = tuple(figures)
        ticks += vm.stats["ticks"]
    pairs = [(one, other) for one in range(VMS) for other in range(VMS) if one != other]
    if sorted(said) != pairs:
        raise ValueError(f"accounts of {sorted(said)}")
    for one, other in pairs:
        if said[one, other][:2] != said[other, one][2:]:
            raise ValueError(f"{name_of(one)} -> {name_of(other)}: messages and bytes sent {said[one, other][:2]}, "
                             f"received {said[other, one][2:]}")
    return sum(said[pair][2] for pair in pairs), sum(said[pair][3] for pair in pairs), ticks


def measure(image, guest, folder, board, messages, timeout, fault=0):
    """Run a copy of an image with so many messages; gives {figure: number}. fault: what a sender does wrong."""
    target = elfpatch.patched_image(image, os.path.join(folder, "image"), guest, soak_messages=messages, soak_fault=fault)
    total, size, ticks = accounts(runner.run(image=target, machine=board, timeout=timeout, until=lambda result: any(
        "FAIL" in line for line in result.lines[-5:])))
    if total != messages * VMS * (VMS - 1):
        raise ValueError(f"{total} messages")
    return {"messages": total, "bytes": size, "instructions": round(ticks * 10**9 / board.hertz)}


def build(board, sched):
    """The image of a board and a scheduler, its guest, and their folder."""
    folder = f"build/soak/{board}-{sched}"
    os.makedirs(os.path.join(ROOT, folder), exist_ok=True)
    file = os.path.join(ROOT, folder, "soak.toml")
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(partitions(sched))
    options = f"CONFIG_IPCM=y CONFIG_STATS=y CONFIG_BOARD_{board.upper()}=y CONFIG_TEXT_BUDGET=65536 CONFIG_DATA_BUDGET=65536 {SCHEDULERS[sched]}"
    subprocess.run(["make", "-s", "-C", ROOT, "PRODUCT=hybridtest", f"O={folder}", f"PARTITIONS={file}",
                    f"EXTRA_CONFIG={options.strip()}", f"{folder}/proteus.elf"], check=True)
    guests = os.path.join(ROOT, "build", "guests", *([] if board == "ref405ep" else [board]))
    return os.path.join(ROOT, folder, "proteus.elf"), os.path.join(guests, "soak.elf"), os.path.join(ROOT, folder)


def main(argv=None):
    """Each scheduler on each board; a line for each."""
    parser = argparse.ArgumentParser(prog="soak.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--messages", type=int, default=40000, help="from each VM to each other (40000)")
    parser.add_argument("--instructions", type=int, default=10**9, help="that a run has to have at least (10^9)")
    parser.add_argument("--board", default="ref405ep,ml403", help="ref405ep,ml403")
    parser.add_argument("--sched", default=",".join(SCHEDULERS), help=",".join(SCHEDULERS))
    parser.add_argument("--timeout", type=float, default=3600, help="seconds for each run (3600)")
    parser.add_argument("--out", default=os.path.join(ROOT, "build", "soak.json"))
    args = parser.parse_args(argv)
    unknown = [name for name in args.sched.split(",") if name not in SCHEDULERS]
    if unknown:
        parser.error(f"no scheduler {unknown[0]}. hint: {', '.join(SCHEDULERS)}")
    rows, failed = {}, 0
    for board in args.board.split(","):
        for sched in args.sched.split(","):
            image, guest, folder = build(board, sched)
            try:
                figures = measure(image, guest, folder, machine.of_image(image), args.messages, args.timeout)
                if figures["instructions"] < args.instructions:
                    raise ValueError(f"only {figures['instructions']} instructions. hint: --messages more")
                rows[f"{board} {sched}"] = figures
                print(f"{board} {sched}: {figures['messages']} messages, {figures['bytes']} bytes, {figures['instructions']} "
                      "instructions: none lost, doubled or out of order", flush=True)
            except ValueError as error:
                failed += 1
                print(f"{board} {sched}: FAIL {error}", flush=True)
    with open(args.out, "w", encoding="utf-8") as stream:
        json.dump(rows, stream, indent=1)
    print(f"{len(rows) + failed} runs, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
