"""Where an optimized VM with a virtual TLB has its stubs (option OPTIMIZE with TLB_VIRT; src/cpu/optimize.c)."""

from partitions.keys import PARTITIONS
from partitions.ranges import show_range, show_size

STUB_WORDS = 11
NO_STUBS = 1                        # NO_STUBS of src/vm/partition.h
SAME = 1 << 24                      # what of both addresses STUB_NEAR of src/config.h compares


def read_stubs(vm):
    """Where they are: {"at": effective address, "guest": guest-physical, "size": bytes, "line": of the file}, or None."""
    table = vm.values["stubs"]
    if table is None:
        return None
    path = (*vm.path, "stubs")
    values = vm.reader.values(PARTITIONS["stubs"], table, path)
    guest = values["guest"]
    if guest is None or not vm.config.get("OPTIMIZE"):
        return None
    at = guest if values["at"] is None else values["at"]
    count = vm.config.get("OPTIMIZE_STUBS") or 0
    size = next(size for size in (0x1000, 0x2000, 0x4000) if 4 * STUB_WORDS * count <= size)     # STUB_AREA of src/config.h
    faults = (
        (not vm.optimize, ("stubs",), "stubs without optimize", "optimize = true, or remove stubs"),
        (not vm.config.get("TLB_VIRT"), ("stubs",), "stubs are on its register pages, but with CONFIG_TLB_VIRT",
         "remove stubs, or set CONFIG_TLB_VIRT=y in the defconfig"),
        (guest % size, ("stubs", "guest"),
         f"stubs at 0x{guest:X}: {count} of them need the {show_size(size)} from a multiple of that",
         f"0x{guest & -size:X}, say"),
        (guest < vm.guest or guest + size > vm.guest + vm.size, ("stubs", "guest"),
         f"stubs {show_range(guest, size)} are outside the memory {show_range(vm.guest, vm.size)}",
         "memory of its own that the guest does not use"),
        ((at - guest) % SAME, ("stubs", "at"), f"0x{at:X} and 0x{guest:X} are not a multiple of 16 MiB apart",
         "where the guest's code sees this page, as far from that code as without translation"))
    for wrong, key, cause, hint in faults:
        if wrong:
            vm.fault(key, cause, hint)
            return None
    return {"at": at, "guest": guest, "size": size, "line": vm.reader.toml.line(path)}
