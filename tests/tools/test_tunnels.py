"""[[tunnel]] of a partition file: what is refused, where the memory lies, which TLB entries and tables come of it."""

import random
import re

import pytest
import test_partition
from test_partition import A, B, CONSOLE, HYBRID, LIFECYCLE, MB, good, product

from partitions.ranges import overlap

tool = test_partition.tool            # the fixture
IPCM = HYBRID + "CONFIG_IPCM=y\n"
REGS = IPCM + "CONFIG_IPCM_REGS=y\n"
CALLS = MB + "paravirt = true\n"


def tunnel(first, second, size="4K", name="t", more=""):
    """A table on four lines: its ends are on the third and the fourth."""
    return f"[[tunnel]]\nname = '{name}'; size = '{size}'{more}".replace("; ", "\n", 1) + \
        f"\nends = [{{ {first} }},\n        {{ {second} }}]"


ONE, OTHER = "vm = 'a', at = '0x40000000'", "vm = 'b', at = '0x50000000'"
# name, [[tunnel]], keys of a and of b, configuration, lines of standard error from line 3 on
FAULTS = [
    ("no_option", tunnel(ONE, OTHER), CALLS, CALLS, HYBRID,
     ["3: a tunnel needs CONFIG_IPCM. hint: set CONFIG_IPCM=y in the defconfig, or remove [[tunnel]]"]),
    ("one_end", "[[tunnel]]\nname = 't'\nsize = '4K'\nends = [{ vm = 'a', at = 0 }]", CALLS, CALLS, IPCM,
     ["6: tunnel 't': 1 ends, a tunnel has two. hint: ends = [{ vm = \"a\", at = \"0x80000000\", doorbell = 7 }, "
      "{ vm = \"b\", at = \"0x80000000\" }]"]),
    ("no_table", "[[tunnel]]\nname = 't'\nsize = '4K'\nends = ['a', 'b']", CALLS, CALLS, IPCM,
     2 * ["6: tunnel 't': an end has to be a table. hint: ends = [{ vm = \"a\", at = \"0x80000000\", doorbell = 7 }, "
          "{ vm = \"b\", at = \"0x80000000\" }]"]),
    ("itself", tunnel(ONE, "vm = 'a', at = '0x50000000'"), CALLS, CALLS, IPCM,
     ["6: tunnel 't': both ends are vm 'a'. hint: another VM for one of them"]),
    ("stranger", tunnel(ONE, "vm = 'bb', at = '0x50000000'"), CALLS, CALLS, IPCM,
     ["7: tunnel 't': unknown vm 'bb'. hint: did you mean 'b'?"]),
    ("size_page", tunnel(ONE, OTHER, size="0x1100"), CALLS, CALLS, IPCM,
     ["5: tunnel 't': size 0x1100 is not a multiple of a page (4K). hint: the next one is 8K"]),
    ("size_zero", tunnel(ONE, OTHER, size="0"), CALLS, CALLS, IPCM,
     ["5: 'size' \"0\" is out of range. hint: 1 to 0x1000000"]),
    ("name", tunnel(ONE, OTHER, name="To b"), CALLS, CALLS, IPCM,
     ["4: tunnel 'To b': name 'To b' does not do. hint: 1 to 8 characters of a-z, 0-9, _ and -"]),
    ("twice", tunnel(ONE, OTHER) + "\n" + tunnel("vm = 'a', at = '0x40002000'", "vm = 'b', at = '0x50002000'"), CALLS, CALLS, IPCM,
     ["9: tunnel 't': its name is there twice. hint: names are unique"]),
    ("rights", tunnel(ONE + ", rights = 'w'", OTHER), CALLS, CALLS, IPCM,
     ["6: tunnel 't': unknown rights 'w'. hint: \"rw\" or \"r\""]),
    ("nobody_writes", tunnel(ONE + ", rights = 'r'", OTHER + ", rights = 'r'"), CALLS, CALLS, IPCM,
     ["6: tunnel 't': neither end can write. hint: rights = \"rw\" for one of them"]),
    ("nobody_connects", tunnel(ONE, OTHER), CALLS, MB, IPCM,
     ["7: tunnel 't': nobody can connect the end of vm 'b'. hint: boot = true, or for the VM paravirt = true or tunnels_at = ..."]),
    ("at_page", tunnel("vm = 'a', at = '0x40000400'", OTHER), CALLS, CALLS, IPCM,
     ["6: tunnel 't': address 0x40000400 is not a multiple of a page (4K). hint: the next one is 0x40001000"]),
    ("at_end", tunnel("vm = 'a', at = '0xFFFFF000'", OTHER, size="8K"), CALLS, CALLS, IPCM,
     ["6: tunnel 't': it passes the end of the address space. hint: a lower address, or a smaller size"]),
    ("in_memory", tunnel("vm = 'a', at = '0xFF000'", OTHER, size="8K"), CALLS, CALLS, IPCM,
     ["6: tunnel 't': 0x000FF000-0x00100FFF overlaps the memory 0x00000000-0x000FFFFF of vm 'a'. hint: another address, on which "
      "the VM has nothing"]),
    ("on_the_uart", tunnel("vm = 'a', at = '0xEF600000'", OTHER), CALLS + "console = 'shared'", CALLS, IPCM,
     ["6: tunnel 't': 0xEF600000-0xEF600FFF overlaps the virtual 16550 0xEF600300-0xEF600307 of vm 'a'. hint: another address, on which "
      "the VM has nothing"]),
    ("on_another", tunnel(ONE, OTHER, size="8K") + "\n" + tunnel("vm = 'b', at = '0x50001000'", "vm = 'a', at = '0x60000000'", name="u"),
     CALLS, CALLS, IPCM,
     ["11: tunnel 'u': 0x50001000-0x50001FFF overlaps tunnel 't' 0x50000000-0x50001FFF of vm 'b'. hint: another address, on which "
      "the VM has nothing"]),
    ("on_registers", tunnel(ONE, OTHER), CALLS + "tunnels_at = '0x40000FF0'", CALLS, REGS,
     ["6: tunnel 't': 0x40000000-0x40000FFF overlaps the registers of tunnels 0x40000FF0-0x40000FFF of vm 'a'. hint: another address, "
      "on which the VM has nothing",
      "13: vm 'a': 0x40000FF0-0x40000FFF overlaps tunnel 't' 0x40000000-0x40000FFF. hint: accesses to it have to fault to be emulated: "
      "another address"]),
    ("registers_where", tunnel(ONE, OTHER), CALLS + "tunnels_at = '0x70000004'", CALLS, REGS,
     ["13: vm 'a': address 0x70000004 does not do. hint: a multiple of 16, not 0"]),
    ("registers_at_end", tunnel(ONE, OTHER) + "\n" + tunnel("vm = 'a', at = '0x40002000'", "vm = 'b', at = '0x50002000'", name="u"),
     CALLS + "tunnels_at = '0xFFFFFFF0'", CALLS, REGS,
     ["18: vm 'a': they pass the end of the address space. hint: 16 bytes for each tunnel: 0xFFFFFFE0"]),
    ("registers_of_nothing", "", CALLS + "tunnels_at = '0x70000000'", CALLS, REGS,
     ["9: vm 'a': it has no tunnel. hint: [[tunnel]] with an end of this VM, or remove tunnels_at"]),
    ("registers_option", tunnel(ONE, OTHER), CALLS + "tunnels_at = '0x70000000'", CALLS, IPCM,
     ["13: vm 'a': tunnels_at needs CONFIG_IPCM_REGS. hint: set CONFIG_IPCM_REGS=y in the defconfig, or remove tunnels_at"]),
    ("line_of_the_console", tunnel(ONE + ", doorbell = 0", OTHER), CALLS + "console = 'shared'", CALLS, IPCM,
     ["6: tunnel 't': line 0 of vm 'a' is that of its console. hint: a line that nothing else has"]),
    ("line_of_a_device", tunnel(ONE, OTHER + ", doorbell = 9"), CALLS, CALLS + "interrupts = [{ line = 4, guest = 9 }]", IPCM,
     ["7: tunnel 't': line 9 of vm 'b' is that of board line 4. hint: a line that nothing else has"]),
    ("line_of_health", tunnel(ONE + ", doorbell = 9", OTHER), CALLS + "supervises = ['b']\nhealth_line = 9", CALLS,
     LIFECYCLE + "CONFIG_IPCM=y\n",
     ["6: tunnel 't': line 9 of vm 'a' is that of its health_line. hint: a line that nothing else has"]),
    ("line_of_another", tunnel(ONE + ", doorbell = 9", OTHER) + "\n"
     + tunnel("vm = 'b', at = '0x50001000'", "vm = 'a', at = '0x60000000', doorbell = 9", name="u"), CALLS, CALLS, IPCM,
     ["12: tunnel 'u': line 9 of vm 'a' is that of tunnel 't'. hint: a line that nothing else has"]),
    ("line_32", tunnel(ONE + ", doorbell = 32", OTHER), CALLS, CALLS, IPCM, ["6: 'doorbell' 32 is out of range. hint: 0 to 31"]),
    ("no_controller", tunnel(ONE + ", doorbell = 9", OTHER), CALLS, CALLS, IPCM.replace("CONFIG_UIC=y", ""),
     ["6: tunnel 't': vm 'a' has no interrupt controller. hint: CONFIG_UIC or CONFIG_INTC, or remove doorbell"]),
    ("too_many_entries", tunnel("vm = 'a', at = '0x40001000'", OTHER, size="256K"), CALLS, CALLS, IPCM,
     ["5: tunnel 't': 66 static TLB entries up to here, the 405 has 64. hint: it takes 64 at each end: both addresses alike in their "
      "last digits, and a size that is one page, take one"]),
    ("too_many_for_a_virtual_tlb", tunnel("vm = 'a', at = '0x40001000'", OTHER, size="192K"), CALLS, CALLS, IPCM + "CONFIG_TLB_VIRT=y\n",
     ["5: tunnel 't': 50 static TLB entries up to here, with CONFIG_TLB_VIRT 48 of the 405's 64 can be. hint: it takes 48 at each end: "
      "both addresses alike in their last digits, and a size that is one page, take one"]),
    ("no_room", tunnel(ONE, OTHER, size="16M"), "memory = '64M'\nparavirt = true\n", "memory = '32M'\nparavirt = true\n", IPCM,
     ["5: tunnel 't': no room for 16M in the board's RAM. hint: less, or less memory for a VM"]),
    ("unknown", tunnel(ONE + ", right = 'r'", OTHER, more="\nend = 1"), CALLS, CALLS, IPCM,
     ["6: unknown key 'end'. hint: did you mean 'ends'?", "7: unknown key 'right'. hint: did you mean 'rights'?"]),
]


def text_of(table, first, second):
    """A partition file: `table` from line 3 on, then two VMs."""
    return product(A + first, B + second, top=table)


@pytest.mark.parametrize("table, first, second, config, expected", [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_fault(tool, table, first, second, config, expected):
    """Each with its line and a hint, and nothing is written."""
    status, _, err = tool(text_of(table, first, second), config=config)
    assert (status, [line.removeprefix("p.toml:") for line in err]) == (1, expected)
    assert not (tool.path / "gen").exists()


def test_tables(tool):
    """Rows of both ends, behind all others, with their rights; the ends of each VM in the order of the file."""
    table = tunnel(ONE + ", doorbell = 7", OTHER + ", rights = 'r', boot = true", size="64K") + "\n" \
        + tunnel("vm = 'b', at = '0x60000000', doorbell = 8", "vm = 'a', at = '0x60001000'", name="u", size="8K")
    found = good(tool, text_of(table, CALLS, MB + "tunnels_at = '0x70000000'"), config=REGS)
    t, u = found["tunnels"]
    a, b = found["vms"]
    assert (t["size"], u["size"], t["name"], t["line"]) == (0x10000, 0x2000, "t", 3)
    assert [end["number"] for end in t["ends"]] == [0, 0] and [end["number"] for end in u["ends"]] == [1, 1]
    rows = [(row["hi"], row["lo"], row["tid"]) for row in found["tlb"]]
    wx, w, r, v = 0x300, 0x100, 0, 0x40
    k4, k64, m1 = 1 << 7, 3 << 7, 5 << 7
    assert rows == [(m1 | v, a["memory"]["machine"] | wx, 1), (m1 | v, b["memory"]["machine"] | wx, 2),
                    (0x40000000 | k64 | v, t["machine"] | w, 1),
                    (0x60001000 | k4 | v, u["machine"] | w, 1), (0x60002000 | k4 | v, u["machine"] + 0x1000 | w, 1),
                    (0x50000000 | k64 | v, t["machine"] | r, 2),
                    (0x60000000 | k4 | v, u["machine"] | w, 2), (0x60001000 | k4 | v, u["machine"] + 0x1000 | w, 2)]
    tables = (tool.path / "gen" / "partitions.c").read_text()
    for line in ("tunnel_first[VM_COUNT + 1] = { 0, 2, 4 };", "tunnel_mine[] = { 0, 3, 1, 2 };", "tunnel_row[] = { 0, 3, 3, 1, 2, 2 };"):
        assert line in tables
    assert re.findall(r"\{ (0x[^}]*), (\d), (\w+), (\d), (\d) \}", tables) == [
        ("0x10000", "0", "7", "2", "1"), ("0x10000 | TUNNEL_READ_ONLY | TUNNEL_BOOT", "1", "VM_NO_LINE", "5", "1"),
        ("0x2000", "1", "8", "6", "2"), ("0x2000", "0", "VM_NO_LINE", "3", "2")]
    header = (tool.path / "gen" / "partitions.h").read_text()
    assert "#define TLB_ROW_COUNT 8\n#define TLB_FIXED_ROWS 2 " in header and "#define TUNNEL_COUNT 2\n" in header
    assert (tool.path / "gen" / "a.peers").read_bytes() == b"".join(name.ljust(8, b"\0") for name in (b"a", b"b", b"b"))
    assert ".tunnels_at = 0x70000000," in tables and "FEATURE_IPCM" in a["features"] and "FEATURE_IPCM" not in b["features"]


def test_table_for_people(tool):
    status, out, _ = tool(text_of(tunnel(ONE, OTHER + ", rights = 'r'"), CALLS, CALLS), "--table", config=IPCM)
    assert status == 0 and "tunnel t: 4K, a at 0x40000000 and b at 0x50000000 (reads)" in out


def test_without_one_nothing_is_left(tool):
    good(tool, text_of("", MB, MB), config=CONSOLE)
    assert "tunnel" not in (tool.path / "gen" / "partitions.c").read_text()
    assert not list((tool.path / "gen").glob("*.peers"))


def pages(rows, tid, first):
    """[(guest, machine, size, writes)] of a VM's rows from a number on."""
    found = []
    for row in rows[first:]:
        if row["tid"] == tid:
            size = 1024 << 2 * (row["hi"] >> 7 & 7)
            found.append((row["hi"] & -size & 0xFFFFFFFF, row["lo"] & -size & 0xFFFFFFFF, size, bool(row["lo"] & 0x100)))
    return found


def test_random_tunnels(tool):
    """Any number of them between any VMs: what is accepted gives each end the memory of its tunnel, and nobody anything else."""
    rng = random.Random(5)
    accepted = 0
    for _ in range(200):
        count = rng.randint(2, 4)
        vms = [f"name = 'v{n}'\nimage = 'x.elf'\nmemory = '{rng.choice(('64K', '1M', '4K'))}'\nparavirt = true" for n in range(count)]
        tables = []
        for number in range(rng.randint(1, 3)):
            ends = [f"vm = 'v{rng.randrange(count)}', at = {rng.choice((0x40000000, 0x40010000, 0x50000000, 0)) + rng.choice((0, 4096))}, "
                    f"rights = '{rng.choice(('r', 'rw', 'rw'))}'" for _ in range(2)]
            tables.append(tunnel(*ends, size=rng.choice(("4K", "8K", "64K")), name=f"t{number}"))
        status, _, err = tool(product(*vms, top="\n".join(tables)), config=IPCM)
        if status:
            assert err and all(re.match(r"p\.toml:\d+: .*\. hint: ", line) for line in err)
            continue
        accepted += 1
        found = good(tool, product(*vms, top="\n".join(tables)), config=IPCM)
        fixed = sum(1 for row in found["tlb"] if row["lo"] & 0x200)     # memory is the only thing that can be executed
        seen = {(vm["tid"], page) for vm in found["vms"] for page in pages(found["tlb"], vm["tid"], fixed)}
        for each in found["tunnels"]:
            for end in each["ends"]:
                tid = 1 + [vm["name"] for vm in found["vms"]].index(end["vm"])
                mine = sorted(page for owner, page in seen if owner == tid and overlap(page[1], page[2], each["machine"], each["size"]))
                assert mine[0][:2] == (end["at"], each["machine"]) and sum(page[2] for page in mine) == each["size"]
                assert all(page[3] == (end["rights"] == "rw") and page[0] - page[1] == end["at"] - each["machine"] for page in mine)
                seen -= {(tid, page) for page in mine}
            for vm in found["vms"]:
                assert not overlap(vm["memory"]["machine"], vm["memory"]["size"], each["machine"], each["size"])
        assert not seen
    assert 20 < accepted < 180
