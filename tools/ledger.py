"""ledger.py: config/targets.toml, and whose compiler its budgets are of.

Bytes and instructions depend on the compiler, by a percent or two from one release to the next. A budget keeps a figure of the
[reference] compiler from growing; with any other a figure may be `others` percent above its budget, or its target, and is then
`above`. Which compiler made an image is in its debug information.
"""

import math
import re
import tomllib

from kconfig import InputError, fault, read_text

PRODUCER = re.compile(rb"^(GNU \w+) .*?(\d+)\.(\d+)\.\d+")


def read(path, sections):
    """config/targets.toml, with these sections in it."""
    try:
        targets = tomllib.loads(read_text(path, "targets"))
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"at line (\d+)", str(error))
        raise InputError(fault(path, match.group(1) if match else 1, str(error))) from None
    for section in sections:
        if not isinstance(targets.get(section), dict):
            raise InputError(fault(path, 1, f"table [{section}] is missing"))
    return targets


def compiler_of(path):
    """`gcc 12`: the compiler of an image's C code; None if it does not say."""
    try:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
    except ImportError:
        return None
    try:
        with open(path, "rb") as stream:
            elf = ELFFile(stream)
            for unit in elf.get_dwarf_info().iter_CUs() if elf.has_dwarf_info() else ():
                producer = unit.get_top_DIE().attributes.get("DW_AT_producer")
                match = PRODUCER.match(producer.value) if producer else None
                if match and match.group(1) != b"GNU AS":
                    return f"gcc {match.group(2).decode()}"
    except (OSError, ELFError):
        pass
    return None


def is_reference(targets, compiler):
    """Whether the budgets are this compiler's; of one that is not known, they are."""
    return compiler is None or compiler == targets.get("reference", {}).get("compiler", compiler)


def allow(targets, compiler):
    """(targets, note): with the budgets that this compiler has; the note says so, and is None for the reference."""
    if is_reference(targets, compiler):
        return targets, None
    reference = targets["reference"]

    def more(limit):
        return math.ceil(limit * (100 + reference["others"]) / 100)

    def path(target):
        if "guest" in target:
            return target
        limit = max(target.get("budget", 0), target["at_most"])
        return target | {"budget": more(limit), "budget_with_tlb": more(max(target.get("budget_with_tlb", 0), limit))}

    def size(target):
        return target | {"budget": [more(limit) for limit in target.get("budget", target["at_most"])]}
    wider = dict(targets)
    if "paths" in targets:
        wider["paths"] = {key: path(target) for key, target in targets["paths"].items()}
    if "size" in targets:
        wider["size"] = {key: size(target) for key, target in targets["size"].items()}
        total = targets["size_total"]
        wider["size_total"] = total | {"budget": more(total.get("budget", total["at_most"]))}
    return wider, (f"note: compiled by {compiler}, and config/targets.toml is for {reference['compiler']}: "
                   f"a figure may be {reference['others']} % above its budget or target")
