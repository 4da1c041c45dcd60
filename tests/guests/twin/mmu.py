"""mmu.py: the twin guest's probes of translation, for gen.py. Names: mmu.<group>.<what>.

Each probe says what the TLB holds before it (Setup); the runner (mmu.c) writes that in real mode, word 1 first, and prints
afterwards which entries, which pages and which of PID and ZPR have changed. Unless a probe is about the contrary, the code
is translated one to one by entry 63, and a change of ZPR has a change of PID behind it: QEMU 7.2 does not look again
otherwise.

Data is in 64 pages from DATA on, each with words of its own (mmu.c): 0 and 4 at the beginning, 0x20 for stores.
"""

EE, PR, ME, CE, DE, IR, DR = 0x8000, 0x4000, 0x1000, 0x20000, 0x200, 0x20, 0x10
BOTH = IR | DR
TRANSLATE, CLEAN, TSR, ANY = 16, 1, 4, -1
SNIPPET, SCRATCH, DATA = 0x3000, 0x3800, 0x80000
PID, ZPR = 0x3B1, 0x3B0
K1, K4, K16, K64, K256, M1, M4, M16 = range(8)
VALID, EX, WR = 0x40, 0x200, 0x100
ZONES = 0x55555557              # by the entry's own bits, zone 15 open: the code's
EA = 0x40000000
MODES = (0, IR, DR, BOTH)
SOME_REGISTERS = (0, 3, 27, 28, 29, 30, 31)
STOP = "b ."

# What the chip does with a changed PID or TLB at isync, QEMU 7.2 does at rfi alone. Takes r28 and r29.
SYNC = "li 29, SNIPPET + 8f - here; mtspr 0x1A, 29; mfmsr 28; mtspr 0x1B, 28; li 28, 0; li 29, 0; rfi; 8:"


def page(number):
    """Address of a data page."""
    return DATA + 0x1000 * number


def high(address, size=K4):
    """Word 0 of a valid entry."""
    return address | size << 7 | VALID


def entry(index, address, real, bits=EX | WR, size=K4, zone=0, tid=0):
    """(index, word 0, word 1, TID)"""
    return index, high(address, size), real | bits | zone << 4, tid


CODE = entry(63, SNIPPET, SNIPPET, zone=15)
HOME = entry(5, EA, page(1))    # where most probes load and store


class Setup:
    """What the TLB holds before a probe."""

    def __init__(self, entries, zpr, pid):
        self.entries, self.zpr, self.pid = entries, zpr, pid

    def words(self):
        """As struct setup of twin.h."""
        return [self.zpr, self.pid, len(self.entries)] + [word for row in self.entries for word in row]


class Probes:
    """Adds probes with a Setup to the table."""

    def __init__(self, table):
        self.table = table

    def add(self, name, code, entries=(HOME,), msr=ME | BOTH, expect=0, zpr=ZONES, pid=0, flags=0, coded=True, **inputs):
        """One probe; `coded`: with the entry for its own code."""
        entries = list(entries) + [CODE] * coded
        self.table.add(f"mmu.{name}", code, msr, expect, flags | TRANSLATE, end="sc", setup=Setup(entries, zpr, pid), **inputs)


def suffix(msr):
    """Part of a probe's name."""
    return (".u" if msr & PR else ".s") + ("i" if msr & IR else "") + ("d" if msr & DR else "")


def translated():
    """All modes but the real ones."""
    return [ME | mode | user for user in (0, PR) for mode in MODES if mode]


def others(*taken):
    """Registers that are none of these."""
    return [number for number in range(3, 27) if number not in taken]


# --- the instructions ------------------------------------------------------------------------------------------------

def tlbwe_probes(add, board):
    """Every register in every place; index and TID; both orders of the words; one word alone."""
    for low in SOME_REGISTERS:
        index, first, back, byte, word, msr, data, address = others(low)[:8]
        for number in (0, 31, 62):
            add(f"tlbwe.r{low}.e{number}",
                f"tlbwe {low}, {index}, 1; tlbwe {first}, {index}, 0; tlbre {back}, {index}, 0; mfspr {byte}, {PID}; "
                f"tlbre {word}, {index}, 1; rlwinm {word}, {word}, 0, 0, 23; mtmsr {msr}; isync; lwz {data}, 0({address})",
                (), ME, pid=7, **{f"r{low}": page(3) | EX | WR, f"r{index}": number, f"r{first}": high(EA),
                                  f"r{msr}": ME | BOTH, f"r{address}": EA})
        add(f"tlbwe.hi.r{low}", f"tlbwe {first}, {index}, 1; tlbwe {low}, {index}, 0; mtmsr {msr}; isync; lwz {data}, 0({address})",
            (), ME, **{f"r{first}": page(4) | WR, f"r{index}": 9, f"r{low}": high(EA), f"r{msr}": ME | DR, f"r{address}": EA})
    for value in (64 + 5, 0xFFFFFFC5, 0x80000005):
        add(f"tlbwe.index.{value:08X}", f"tlbwe 4, 3, 1; tlbwe 5, 3, 0; {SYNC}; lwz 6, 0(7)", (), r3=value, r4=page(2) | WR,
            r5=high(EA), r7=EA)
    both = {"r3": 5, "r4": page(6) | WR | EX, "r5": high(EA), "r7": EA}
    add("tlbwe.hi_first", f"tlbwe 5, 3, 0; tlbwe 4, 3, 1; {SYNC}; lwz 6, 0(7)", (), expect=ANY, **both)
    add("tlbwe.hi_first.replaced", f"lwz 8, 0(7); tlbwe 5, 3, 0; tlbwe 4, 3, 1; {SYNC}; lwz 6, 0(7)", expect=ANY, **both)
    add("tlbwe.lo_alone", f"lwz 8, 0(7); tlbwe 4, 3, 1; {SYNC}; lwz 6, 0(7)", expect=ANY, **both)
    add("tlbwe.replaced", f"lwz 8, 0(7); tlbwe 4, 3, 1; tlbwe 5, 3, 0; {SYNC}; lwz 6, 0(7); stw 6, 0x20(7)", **both)
    add("tlbwe.elsewhere", f"lwz 8, 0(7); tlbwe 4, 3, 1; tlbwe 5, 3, 0; {SYNC}; lwz 6, 0(9); lwz 10, 0(7)", expect=0x1100,
        **{**both, "r5": high(EA + 0x1000), "r9": EA + 0x1000})
    add("tlbwe.invalid", f"lwz 8, 0(7); tlbwe 5, 3, 0; {SYNC}; lwz 6, 0(7)", expect=0x1100, **{**both, "r5": EA | K4 << 7})
    add("tlbwe.valid_again", f"tlbwe 9, 3, 0; tlbwe 5, 3, 0; {SYNC}; lwz 6, 0(7)", **both, r9=EA | K4 << 7)
    add("tlbwe.read_only", f"stw 8, 0x20(7); tlbwe 4, 3, 1; tlbwe 5, 3, 0; {SYNC}; lwz 6, 0(7); stw 6, 0x20(7)", expect=0x300,
        **{**both, "r4": page(1) | EX})
    add("tlbwe.own_code", f"tlbwe 4, 3, 1; tlbwe 5, 3, 0; {SYNC}; nop; lwz 6, 0(7)", r3=63, r4=SNIPPET | EX | WR | 0xF0, r5=high(SNIPPET),
        r7=EA)
    add("tlbwe.own_code.gone", f"tlbwe 5, 3, 0; {SYNC}; nop", expect=0x1200, r3=63, r5=SNIPPET | K4 << 7)
    for size in range(K1 if board.page1k else K4, 8):
        add(f"tlbwe.size{size}", "tlbwe 4, 3, 1; tlbwe 5, 3, 0; tlbre 8, 3, 0; tlbre 9, 3, 1; rlwinm 9, 9, 0, 0, 23; lwz 6, 0(7)", (),
            r3=5, r4=(DATA if size < M1 else 0) | WR, r5=high(EA, size), r7=EA | (DATA if size >= M1 else 0))
    for pid, now in ((0, 0), (0, 5), (5, 5), (5, 6), (5, 0), (255, 255), (255, 127)):
        add(f"tlbwe.tid{pid}.pid{now}", f"mtspr {PID}, 8; tlbwe 4, 3, 1; tlbwe 5, 3, 0; mtspr {PID}, 9; {SYNC}; lwz 6, 0(7)", (),
            expect=0 if pid in (0, now) else 0x1100, r3=5, r4=page(6) | WR, r5=high(EA), r7=EA, r8=pid, r9=now)


def tlb_read_probes(add, _board):
    """tlbre and tlbsx: registers, PID after tlbre, the attribute byte, what matches."""
    rows = (entry(5, EA, page(1), tid=9), entry(6, EA + 0x10000, page(16), size=K64), entry(7, EA + 0x2000, page(2), tid=0xFF))
    for result in SOME_REGISTERS:
        index, pid, again = others(result)[:3]
        add(f"tlbre.r{result}", f"tlbre {result}, {index}, 0; mfspr {pid}, {PID}", rows, pid=3, **{f"r{index}": 5})
        add(f"tlbre.lo.r{result}", f"tlbre {result}, {index}, 1; rlwinm {result}, {result}, 0, 0, 23; mfspr {pid}, {PID}", rows,
            pid=3, **{f"r{index}": 6})
        for dot in ("", "."):
            add(f"tlbsx{dot}.r{result}", f"tlbsx{dot} {result}, 0, {index}", rows, **{f"r{index}": EA + 0x1FFFC})
            add(f"tlbsx{dot}.none.r{result}", f"tlbsx{dot} {result}, 0, {index}; li {result}, 0", rows, **{f"r{index}": EA + 0x20000})
            if result:
                add(f"tlbsx{dot}.sum.r{result}", f"tlbsx{dot} {again}, {result}, {index}", rows,
                    **{f"r{index}": EA, f"r{result}": 0x12345})
    for value in (0x00, 0x08, 0x04, 0x02, 0x01, 0x0F, 0xA0, 0xF5):
        add(f"tlbre.attributes.{value:02X}", "tlbre 4, 3, 1; xor 4, 4, 5", ((6, high(EA), page(2) | value, 0),), r3=6, r5=page(2) | value)
    add("tlbre.u0", "tlbre 4, 3, 0", ((6, high(EA) | 0x10, page(2), 0),), r3=6)
    add("tlbre.invalid", "tlbre 4, 3, 0; tlbre 5, 3, 1", ((6, EA | K4 << 7, page(2), 4),), r3=6)
    for pid in (0, 9, 3, 255):
        add(f"tlbsx.tid9.pid{pid}", "tlbsx. 4, 0, 3; bne 1f; nop; 1: mcrf 1, 0; beq 1, 2f; li 4, 99; 2: ", rows, pid=pid, r3=EA + 4)
        add(f"tlbsx.tid255.pid{pid}", "tlbsx. 4, 0, 3; beq 2f; li 4, 99; 2: ", rows, pid=pid, r3=EA + 0x2FFF)
    add("tlbsx.overflow", "tlbsx. 4, 0, 3; mtxer 5; tlbsx. 6, 0, 3", rows, r3=EA + 0x10000, r5=0x80000000)
    add("tlbsx.real", "tlbsx. 4, 0, 3", rows, ME, pid=9, r3=EA)
    add("tlbia", f"lwz 4, 0(3); tlbia; {SYNC}; lwz 5, 0(3)", expect=0x1200, r3=EA)
    add("tlbia.data", f"lwz 4, 0(3); tlbia; {SYNC}; lwz 5, 0(3)", msr=ME | DR, expect=0x1100, r3=EA)
    add("tlbia.words", "tlbia; tlbre 4, 3, 0; tlbre 5, 3, 1; rlwinm 5, 5, 0, 0, 23", msr=ME, r3=5)
    add("tlbsync", f"lwz 4, 0(3); tlbsync; {SYNC}; lwz 5, 4(3)", r3=EA)


# --- rights ----------------------------------------------------------------------------------------------------------

def change_probes(add, _board):
    """PID and ZPR written while translation is on: what was allowed is not, and the reverse."""
    pid = f"mtspr {PID}, 8; mtspr {PID}, 9; {SYNC}"
    rows = (entry(5, EA, page(1), EX, zone=3), entry(6, EA + 0x1000, page(2), tid=4), entry(7, EA + 0x2000, page(3), tid=5))
    zones = {number: ZONES & ~(3 << 24) | number << 24 for number in range(4)}
    for before in range(4):
        for after in range(4):
            add(f"zpr.{before}to{after}", f"lwz 4, 0(3); mtspr {ZPR}, 5; {pid}; stw 4, 0x20(3)", rows, zpr=zones[before], pid=1,
                expect=0 if after & 2 else 0x300, r3=EA, r5=zones[after], r8=2, r9=1)
            add(f"zpr.store.{before}to{after}", f"stw 4, 0x20(3); mtspr {ZPR}, 5; {pid}; stw 5, 0x20(3)", rows, zpr=zones[before],
                pid=1, expect=0 if before & after & 2 else 0x300, r3=EA, r5=zones[after], r8=2, r9=1)
    add("pid.match", f"mtspr {PID}, 8; {SYNC}; lwz 4, 0(3); mtspr {PID}, 9; {SYNC}; lwz 5, 0(6); mtspr {PID}, 8; {SYNC}; lwz 7, 4(3)", rows,
        r3=EA + 0x1000, r6=EA + 0x2000, r8=4, r9=5)
    add("pid.gone", f"lwz 4, 0(3); mtspr {PID}, 9; {SYNC}; lwz 5, 0(3)", rows, pid=4, expect=0x1100, r3=EA + 0x1000, r9=5)
    add("pid.global", f"lwz 4, 0(3); mtspr {PID}, 9; {SYNC}; lwz 5, 4(3)", rows, pid=4, r3=EA, r9=5)
    add("pid.high_bits", f"mtspr {PID}, 8; {SYNC}; lwz 4, 0(3); mfspr 5, {PID}", rows, r3=EA + 0x1000, r8=0x12345604)
    again = f"1: addi 8, 8, 1; mtspr {PID}, 8; {SYNC}; lwz 9, 4(3); add 10, 10, 9; cmpwi 8, 13; blt 1b"
    add("pid.many", f"{again}; mtspr {PID}, 11; {SYNC}; lwz 12, 0(13)", rows, r3=EA, r8=3, r10=0, r11=4, r13=EA + 0x1000)


def mixed_probes(add, _board):
    """IR without DR and the reverse. A page of code means one place only: a VM has no more (src/mmu/tlb.c, mixed_rights)."""
    far = entry(5, EA, page(1))
    for user in (0, PR):
        for mode in MODES:
            msr = ME | mode | user
            code = "lwz 4, 0(3); lwz 5, 4(3); stw 5, 0x20(3)"
            add(f"mixed.near{suffix(msr)}", code, (entry(5, page(2), page(1)),), msr, 0, r3=page(2))
            add(f"mixed.code_page{suffix(msr)}", "stw 5, 0x20(3); lwz 4, 0x20(3)", (), msr, 0, r3=SCRATCH)
            if mode & DR:
                add(f"mixed.far{suffix(msr)}", code, (far,), msr, 0, r3=EA)
            if not mode & IR:
                add(f"mixed.uncoded{suffix(msr)}", code, (entry(5, page(2), page(1)),), msr, 0, coded=False, r3=page(2))
    # one page, two meanings, in turn: each mode has its own
    turn = ("1: mtmsr 8; isync; lwz 4, 0(3); add 6, 6, 4; mtmsr 9; isync; lwz 4, 0(3); rotlwi 6, 6, 3; add 6, 6, 4; "
            "addi 7, 7, -1; cmpwi 7, 0; bgt 1b")
    rows = (entry(5, page(2), page(1)), entry(6, page(3), page(4)))
    for first in MODES:
        for second in MODES:
            if first < second:
                add(f"mixed.turn.{first:02X}.{second:02X}", turn, rows, ME, r3=page(2), r6=0, r7=20, r8=ME | first, r9=ME | second)
    for mode in (IR, DR, BOTH):
        for name, code in (("load", "mtmsr 3; isync; lwz 4, 0(5); nop"), ("store", "mtmsr 3; isync; stw 4, 0x20(5); nop")):
            add(f"miss.{name}{suffix(mode)}", code, (), ME, 0x1200 if mode & IR else 0x1100, coded=False, r3=ME | mode, r5=page(3))


# --- exceptions from translated code ---------------------------------------------------------------------------------

SYNCHRONOUS = {"sc": ("sc; nop", 0xC00), "trap": ("nop; trap", 0x700), "illegal": ("nop; .long 0", 0x700),
               "alignment": ("lwarx 3, 0, 4", 0x600)}


def exception_probes(add, board):
    """Each class in each mode; misses and storage interrupts with ESR and DEAR that were something else before."""
    seeds = {"esr": 0x0C000000, "dear": 0x11112222, "r5": 0xFEEDF00D}
    rows = (HOME, entry(6, EA + 0x1000, page(2), EX, zone=1), entry(7, EA + 0x2000, page(3), WR, zone=2),
            entry(8, EA + 0x3000, page(4), zone=4))
    zpr = ZONES & ~(3 << 22)        # zone 4: nobody but the supervisor
    for msr in translated():
        user = bool(msr & PR)
        for name, (code, vector) in SYNCHRONOUS.items():
            add(f"sync.{name}{suffix(msr)}", code, msr=msr, expect=vector, r4=SCRATCH + 1)
        if user:
            for code in ("mfmsr 3", "tlbia", "tlbwe 3, 4, 0", "tlbre 3, 4, 1", "tlbsx. 3, 0, 4", f"mtspr {PID}, 3", "rfi", "tlbsync",
                         "dcbi 0, 4"):
                add(f"privileged.{code.split()[0]}{suffix(msr)}", code, msr=msr, expect=0x700, r3=0, r4=SCRATCH)
        if msr & DR:
            for access, code in (("load", "lwz 4, 0(3)"), ("store", "stw 5, 0x20(3)"), ("lbzu", "lbzu 4, 0x21(3)"),
                                 ("sthux", "sthux 5, 3, 6"), ("lha", "lha 4, 2(3)"), ("stwbrx", "stwbrx 5, 3, 6")):
                store = code.startswith("st")
                add(f"data.{access}.hit{suffix(msr)}", code, rows, msr, zpr=zpr, r3=EA, r6=0x20, **seeds)
                add(f"data.{access}.read_only{suffix(msr)}", code, rows, msr, 0x300 if store else 0, zpr, r3=EA + 0x1000, r6=0x20, **seeds)
                add(f"data.{access}.zone{suffix(msr)}", code, rows, msr, 0x300 if user else 0, zpr, r3=EA + 0x3000, r6=0x20, **seeds)
                add(f"data.{access}.miss{suffix(msr)}", code, rows, msr, 0x1100, zpr, r3=EA + 0x4000, r6=0x20, **seeds)
        if msr & IR:
            for name, address, vector in (("hit", 0, 0xC00), ("read_only", 0x1000, 0xC00), ("no_execute", 0x2000, 0x400),
                                          ("zone", 0x3000, 0x400 if user else 0xC00), ("miss", 0x4000, 0x1200)):
                add(f"fetch.{name}{suffix(msr)}", "mtctr 3; bctr", rows, msr, vector, zpr, r3=EA + address + 0x10, **seeds)
            add(f"fetch.across{suffix(msr)}", "mtctr 3; bctr", (HOME,), msr, 0x1200, r3=EA + 0xFFC, **seeds)
    for name, vector, bit, critical in (("ext", 0x500, EE, 0), ("crit", 0x100, CE, 1)):
        if critical and not board.controller.critical:
            continue
        for msr in translated():
            pend = "; ".join((board.controller.make_critical(3) if critical else [])
                             + [board.controller.enable(3), board.controller.raise_lines(3)])
            add(f"{name}{suffix(msr)}", f"{pend}; ori 5, 5, SNIPPET + 1f - here; mtspr 0x1A, 5; mtspr 0x1B, 4; rfi; trap; 1: {STOP}",
                msr=ME, expect=vector, flags=CLEAN, r3=0x10000000, r4=msr | bit, r5=0)
            add(f"{name}.masked{suffix(msr)}", f"{pend}; ori 5, 5, SNIPPET + 1f - here; mtspr 0x1A, 5; mtspr 0x1B, 4; rfi; trap; 1: ",
                msr=ME, flags=CLEAN, r3=0x10000000, r4=msr, r5=0)
    # the watchdog's interrupt that QEMU 7.2 has kept since that was tested
    add("aside", "wrteei 1; nop; wrteei 0", (), ME, ANY, flags=CLEAN)
    for msr in translated():
        add(f"pit{suffix(msr)}", "mtspr 0x3DA, 6; mtspr 0x3D8, 7; mtspr 0x3DB, 3; ori 5, 5, SNIPPET + 1f - here; mtspr 0x1A, 5; "
            f"mtspr 0x1B, 4; rfi; trap; 1: {STOP}", msr=ME, expect=0x1000, flags=CLEAN | TSR, r3=0x400, r4=msr | EE, r5=0,
            r6=0x04000000, r7=-1)
        add(f"pit.loads{suffix(msr)}", "mtspr 0x3DA, 6; mtspr 0x3D8, 7; mtspr 0x3DB, 3; ori 5, 5, SNIPPET + 1f - here; mtspr 0x1A, 5; "
            "mtspr 0x1B, 4; rfi; trap; 1: lwz 9, 0(8); stw 9, 4(8); b 1b; 2: ", (entry(5, page(1), page(1)),), ME, ANY, flags=CLEAN | TSR,
            r3=0x1000, r4=msr | EE, r5=0, r6=0x04000000, r7=-1, r8=page(1))


def mode_probes(add, board):
    """rfi, rfci and mtmsr from every supervisor mode to every mode; privileged instructions in each."""
    for source in MODES:
        for target in [mode | user for user in (0, PR) for mode in MODES]:
            name = f"from{suffix(source)}.to{suffix(target)}"
            for return_, pc, msr in (("rfi", 0x1A, 0x1B), ("rfci", 0x3DE, 0x3DF)):
                add(f"{return_}.{name}", f"ori 5, 5, SNIPPET + 1f - here; mtspr {pc}, 5; mtspr {msr}, 4; {return_}; trap; 1: nop",
                    msr=ME | source, r4=ME | target, r5=0)
            add(f"mtmsr.{name}", "mtmsr 4; isync; nop", msr=ME | source, r4=ME | target)
    dcr = board.controller.dcr
    for mode in (IR, DR, BOTH):
        add(f"supervisor{suffix(mode)}", "mfmsr 4; wrteei 1; mfmsr 5; wrtee 6; mfmsr 7; mtspr 0x111, 8; mfspr 9, 0x111; "
            f"{f'mfdcr 10, {dcr}; ' if dcr else ''}mtspr 0x3DA, 11; mfspr 12, 0x3DA; mfspr 13, {PID}; mfspr 14, {ZPR}; mfspr 15, 287; "
            "dccci 0, 16; iccci 0, 16; tlbsync; lwz 17, 0(18)", (HOME, entry(6, page(1), page(1))), ME | mode, pid=33, r6=0,
            r8=0xCAFE, r11=0, r16=SCRATCH, r18=page(1))


# --- kinds of access -------------------------------------------------------------------------------------------------

def access_probes(add, board):
    """Cache and atomic instructions, multiple and string accesses at the edge of a page, devices, nothing at all."""
    rows = (HOME, entry(6, EA + 0x1000, page(20), EX, zone=1), entry(8, EA + 0x3000, page(4), zone=4))
    zpr = ZONES & ~(3 << 22)
    operations = {name: f"{name} 0, 3" for name in ("dcbf", "dcbst", "dcbz", "dcba", "dcbt", "dcbtst", "icbi", "dcbi")}
    operations.update({"icbt": "icbt 0, 3", "dccci": "dccci 0, 3", "lwarx": "lwarx 4, 0, 3",
                       "stwcx": "lwarx 4, 0, 3; addi 4, 4, 1; stwcx. 4, 0, 3", "stwcx_only": "lwarx 4, 0, 7; stwcx. 5, 0, 3"})
    for msr in (ME | BOTH, ME | BOTH | PR, ME | DR, ME | IR):
        for name, code in operations.items():
            for place, address in (("hit", 0), ("read_only", 0x1000), ("zone", 0x3000), ("miss", 0x4000)):
                if not msr & DR and place != "hit":
                    continue
                add(f"op.{name}.{place}{suffix(msr)}", code, rows if msr & DR else (), msr, ANY, zpr, r7=EA if msr & DR else page(1),
                    r3=EA + address + 0x20 if msr & DR else page(1) + 0x20)
    # the second page: missing, read only, another one
    seconds = {"missing": (), "read_only": (entry(6, EA + 0x1000, page(20), EX, zone=1),), "there": (entry(6, EA + 0x1000, page(20)),)}
    for name, second in seconds.items():
        for msr in (ME | BOTH, ME | DR | PR):
            for what, code, at in (("lmw", "lmw 24, 0(3)", 0xFF0), ("stmw", "stmw 24, 0(3)", 0xFF0), ("lswi", "lswi 5, 3, 28", 0xFF2),
                                   ("stswi", "stswi 5, 3, 28", 0xFF2), ("lswx", "mtxer 4; lswx 5, 0, 3; li 4, 0", 0xFF4),
                                   ("stswx", "mtxer 4; stswx 5, 0, 3", 0xFF4), ("lwz", "lwz 5, 0(3)", 0xFFE),
                                   ("stw", "stw 5, 0(3)", 0xFFE), ("lhz", "lhz 5, 0(3)", 0xFFF), ("sth", "sth 5, 0(3)", 0xFFF)):
                add(f"edge.{what}.{name}{suffix(msr)}", code, (HOME, *second), msr, ANY, r3=EA + at, r4=24)
    # a device
    for size in (K4, K64, M1, M16):
        real, at = board.place(0x400 << 2 * size)
        for msr in (ME | BOTH, ME | BOTH | PR, ME | DR):
            add(f"device.size{size}{suffix(msr)}", "stb 4, 0(3); li 5, 0; lbz 5, 0(3); lbzux 6, 3, 7",
                (entry(5, 0x50000000, real, WR | 5, size),), msr, r3=0x50000000 + at, r4=0x5C, r7=0)
    real, at = board.place(0x1000)
    device = (entry(5, 0x50000000, real, 5, zone=1), entry(6, 0x50001000, real, WR | 5, zone=4))
    for msr in (ME | BOTH, ME | BOTH | PR):
        add(f"device.read_only{suffix(msr)}", "lbz 4, 0(3); stb 4, 0(3)", device, msr, 0x300, zpr, r3=0x50000000 + at)
        add(f"device.zone{suffix(msr)}", "lbz 4, 0(3); lbz 5, 0(3)", device, msr, 0x300 if msr & PR else 0, zpr, r3=0x50001000 + at)
    add("device.real_beside", f"lbz 4, {board.harmless}(3); mtmsr 5; isync; lbz 6, {board.harmless}(3)", device, ME | IR, r3=board.uart, r5=ME)
    # where this board, or this VM, has nothing
    for name, real in (("hole", 0x50000000), ("beyond", 0x30000000)):
        for code in ("lwz 4, 0(3)", "stw 4, 0(3)", "lwzu 4, 4(3)"):
            for msr in (ME | BOTH, ME | BOTH | PR):
                add(f"nothing.{name}.{code.split()[0]}{suffix(msr)}", code, (entry(5, EA, real),), msr, ANY, r3=EA)
    add("span.end", "lwz 4, 0(3); lwz 5, 0(6)", (entry(5, EA, 0, size=M16),), r3=EA + 0xBFFFC, r6=EA + DATA)


def probes(table):
    """All of them."""
    add = Probes(table).add
    for group in (tlbwe_probes, tlb_read_probes, change_probes, mixed_probes, exception_probes, mode_probes, access_probes):
        group(add, table.board)
