"""Errata of 405 cores that want code. A board file asks for them by number, `errata = [51, 77]`; others have no byte of it.

Sources: Linux before 5.8 (CONFIG_IBM405_ERR51, CONFIG_IBM405_ERR77), IBM's errata of 405GP and 405CR, Xilinx' errata of the
PPC405 (CPU_210 is 77 there). What only sets bits of CCR0 is the key `ccr0`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Erratum:
    """One row. `number` is IBM's."""
    number: int
    parts: str                      # cores that have it
    fault: str                      # what they do
    code: str                       # what is done about it, and where
    test: str                       # file and name of the test that sees it


ERRATA = {row.number: row for row in (
    Erratum(51, "405GP, STB03; Virtex-II Pro by Linux, while Xilinx' own list lacks it",
            "a misaligned `lwarx` or `stwcx.` that misses the TLB goes to vector 0x1700",
            "the data TLB miss' road there (`asm/vectors.S`)", "tests/system/test_buserror.py::test_misaligned_and_missed"),
    Erratum(77, "405GP, 405CR, Virtex-II Pro (CPU_210)",
            "a `stwcx.` stores nothing unless a `dcbt` or `sync` is right before it, which an interrupt in between undoes",
            "`sync` before every `rfi` and `rfci`, `dcbt` before the `stwcx.` of a VM switch (`asm/asm.h`)",
            "tests/tools/test_options.py::test_errata_that_want_code"))}
