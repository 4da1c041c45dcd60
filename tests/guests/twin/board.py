"""board.py: what the twin guest's probes have to know about a board: how a line is raised, and where the console's UART is.

A way to write or read a register of the interrupt controller is assembler text. A memory-mapped controller is reached by
r30, which `base` loads, so its probes have that value in r30.
"""

CLEAN, ANY = 1, -1      # as in twin.h
SUPERVISOR, EE, ME, CE = 0x1000, 0x8000, 0x1000, 0x20000
SOME_VALUES = (0, 0xFFFFFFFF, 0x5A5A5A5A, 0xA5A5A5A5, 1, 0x80000000, 0x00010000)

UIC_SR, UIC_SRS, UIC_ER, UIC_CR, UIC_PR, UIC_TR, UIC_MSR, UIC_VR, UIC_VCR = range(0xC0, 0xC9)
INTC_ISR, INTC_IPR, INTC_IER, INTC_IAR, INTC_SIE, INTC_CIE, INTC_IVR, INTC_MER = range(8)
LINES = (0x10000000, 0x01000000, 0x00000001)


class Uic:
    """The UIC of the PPC405EP. Any line may be critical."""

    critical = True
    dcr = UIC_ER        # a DCR that keeps what is written to it

    def enable(self, register):
        """Enable the lines of a register, and no other."""
        return f"mtdcr {UIC_ER}, {register}"

    def raise_lines(self, register):
        """Make the lines of a register pending."""
        return f"mtdcr {UIC_SRS}, {register}"

    def clear(self, register):
        """Acknowledge them."""
        return f"mtdcr {UIC_SR}, {register}"

    def status(self, register):
        """Read what is pending."""
        return f"mfdcr {register}, {UIC_SR}"

    def make_critical(self, register):
        """These lines raise critical interrupts."""
        return [f"mtdcr {UIC_CR}, {register}"]

    def inputs(self):
        """Let devices raise lines. The UIC always does."""
        return ""

    def active(self, register):
        """Read what is pending and enabled."""
        return f"mfdcr {register}, {UIC_MSR}"

    def register_probes(self, table):
        """The controller's own registers."""
        for name, dcr in (("er", UIC_ER), ("cr", UIC_CR), ("pr", UIC_PR), ("tr", UIC_TR), ("vcr", UIC_VCR)):
            for value in SOME_VALUES:
                table.add(f"uic.{name}.{value:08X}", f"mtdcr {dcr}, 3; mfdcr 4, {dcr}", flags=CLEAN, r3=value)
        for value in SOME_VALUES:
            table.add(f"uic.set.{value:08X}", f"mtdcr {UIC_SRS}, 3; mfdcr 4, {UIC_SR}; mtdcr {UIC_SR}, 5; mfdcr 6, {UIC_SR}; "
                      f"mfdcr 7, {UIC_SRS}", flags=CLEAN, r3=value, r5=0x0F0F0F0F)
            table.add(f"uic.mask.{value:08X}", f"mtdcr {UIC_SRS}, 3; mtdcr {UIC_ER}, 5; mfdcr 4, {UIC_MSR}; mfdcr 6, {UIC_SR}",
                      flags=CLEAN, r3=value, r5=0x0FF00FF0)
            table.add(f"uic.readonly.{value:08X}", f"mtdcr {UIC_MSR}, 3; mtdcr {UIC_VR}, 3; mfdcr 4, {UIC_MSR}; "
                      f"mfdcr 5, {UIC_SR}", flags=CLEAN, r3=value)
        for vcr in (0x00100000, 0x00100001):
            for line in (0x80000000, 0x10000000, 0x00000001):
                table.add(f"uic.vr.{vcr:08X}.{line:08X}", f"mtdcr {UIC_VCR}, 3; mtdcr {UIC_CR}, 4; mtdcr {UIC_ER}, 4; "
                          f"mtdcr {UIC_SRS}, 4; mfdcr 5, {UIC_VR}; mfdcr 6, {UIC_MSR}", flags=CLEAN, r3=vcr, r4=line)


class Intc:
    """Xilinx' INTC: in words at `base`, or by DCRs from `dcr` on. No line is critical."""

    critical = False

    def __init__(self, base=None, dcr=None):
        self.first, self.dcr = dcr, None if dcr is None else dcr + INTC_IER
        self.base = "" if base is None else f"lis 30, 0x{base >> 16:X}; "

    def write(self, number, register):
        """Write a register."""
        if self.first is not None:
            return f"mtdcr {self.first + number}, {register}"
        return f"stw {register}, {4 * number}(30)"

    def read(self, number, register):
        """Read a register."""
        if self.first is not None:
            return f"mfdcr {register}, {self.first + number}"
        return f"lwz {register}, {4 * number}(30)"

    def enable(self, register):
        """Enable the lines of a register, and no other."""
        return self.base + self.write(INTC_IER, register)

    def raise_lines(self, register):
        """Make the lines of a register pending, by software."""
        return self.base + self.write(INTC_ISR, register)

    def clear(self, register):
        """Acknowledge them."""
        return self.base + self.write(INTC_IAR, register)

    def status(self, register):
        """Read what is pending."""
        return self.base + self.read(INTC_ISR, register)

    def active(self, register):
        """Read what is pending and enabled."""
        return self.base + self.read(INTC_IPR, register)

    def inputs(self):
        """Let devices raise lines; from now on software cannot. Takes r31."""
        return f"{self.base}li 31, 3; {self.write(INTC_MER, 31)}; "

    def register_probes(self, table):
        """The controller's own registers."""
        write, read = self.write, self.read
        for value in SOME_VALUES:
            name = f"{value:08X}"
            table.add(f"intc.ier.{name}", f"{self.base}{write(INTC_IER, 3)}; {read(INTC_IER, 4)}", flags=CLEAN, r3=value)
            table.add(f"intc.isr.{name}", f"{self.base}{write(INTC_ISR, 3)}; {read(INTC_ISR, 4)}; {read(INTC_IPR, 5)}; "
                      f"{write(INTC_IAR, 7)}; {read(INTC_ISR, 6)}", flags=CLEAN, r3=value, r7=0x0F0F0F0F)
            table.add(f"intc.pending.{name}", f"{self.base}{write(INTC_IER, 7)}; {write(INTC_ISR, 3)}; {read(INTC_IPR, 4)}; "
                      f"{read(INTC_ISR, 5)}; {read(INTC_IVR, 6)}", flags=CLEAN, r3=value, r7=0x0FF00FF0)
            table.add(f"intc.set.{name}", f"{self.base}{write(INTC_IER, 7)}; {write(INTC_SIE, 3)}; {read(INTC_IER, 4)}; "
                      f"{write(INTC_CIE, 8)}; {read(INTC_IER, 5)}", flags=CLEAN, r3=value, r7=0x0FF00FF0, r8=0x00FFFF00)
            table.add(f"intc.readonly.{name}", f"{self.base}{write(INTC_IPR, 3)}; {write(INTC_IVR, 3)}; {read(INTC_IPR, 4)}; "
                      f"{read(INTC_IVR, 5)}; {read(INTC_ISR, 6)}", flags=CLEAN, r3=value)
        for line in (1, 0x80000000, 0x00810000, 0xFFFFFFFF):
            table.add(f"intc.ivr.{line:08X}", f"{self.base}{write(INTC_IER, 3)}; {write(INTC_ISR, 3)}; {read(INTC_IVR, 4)}; "
                      f"{write(INTC_IAR, 5)}; {read(INTC_IVR, 6)}", flags=CLEAN, r3=line, r5=line & -line)
        for mer in (0, 1):
            table.add(f"intc.mer.{mer}", f"{self.base}{write(INTC_MER, 3)}; {write(INTC_IER, 4)}; {write(INTC_ISR, 4)}; "
                      f"mtmsr 5; nop; nop; mtmsr 6; {read(INTC_MER, 7)}", SUPERVISOR, 0x500 if mer else 0, CLEAN, r3=mer, r4=16,
                      r5=EE | ME, r6=ME)


class Board:
    """A board: its controller, the console's UART (a UartLite, if stride is None) with its line as a bit, QEMU's small pages."""

    def __init__(self, controller, uart, stride, line, page1k):
        self.controller, self.uart, self.stride, self.line, self.page1k = controller, uart, stride, line, page1k
        # a byte that may be stored and loaded without harm: a 16550's scratch register, a UartLite's status
        self.harmless = 7 * stride if stride else 0xB

    def reg(self, number):
        """Offset of a 16550's register."""
        return self.stride * number

    def place(self, page):
        """(page's address, offset in it) of the harmless byte, for a page size."""
        address = self.uart + self.harmless
        return address & -page, address & page - 1


BOARDS = {
    "ref405ep": Board(Uic(), 0xEF600300, 1, 0x80000000, False),
    "ml403": Board(Intc(base=0x81800000), 0x83E01003, 4, 1 << 6, True),
    "ml403dcr": Board(Intc(dcr=0xC0), 0x83E01003, 4, 1 << 6, True),
    "raptor": Board(Intc(base=0x90240000), 0x90210000, None, 1 << 0, True),
}
