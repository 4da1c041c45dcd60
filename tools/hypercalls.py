#!/usr/bin/python3
"""hypercalls.py: the header for para-virtualized guests, and the reference tables, out of hypercalls/ and config/.

    hypercalls.py --out build/gen/proteus/proteus.h      one header, for C and for GNU as
    hypercalls.py --table                                print the reference: calls, and words of the register pages
    hypercalls.py --update-readme hypercalls/README.md   put it between the markers <!-- calls --> and <!-- words -->
    hypercalls.py --update-readme FILE --check           change nothing; a table that is old is an error, with its line

Reads hypercalls/hypercalls.def, abi.h and page.def, config/spr.def (which words are registers) and config/stats.def (the
counters of vm_stat). Exit status: 0; 1 for a row that is not understood, or with --check an old table; 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import os
import re
import textwrap

from kconfig import InputError, fault, read_text, run_tool, write_if_changed
from readme import between, markdown

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ARGUMENTS_MAX = 4                   # r3-r6
RESULTS_MAX = 2                     # r3, r4
POINTERS = ("buffer", "table")      # arguments that are addresses
ASSEMBLER_ONLY = ("rfi",)           # no function of a compiler could survive it: r0 and the stack are another context's
ROADS = ("HOT", "COLD")

NAME = r"[a-z][a-z0-9_]*"
CALL_ROW = re.compile(rf'HCALL\(\s*({NAME})\s*,\s*(\d+)\s*,\s*(\w+)\s*,\s*"([^"]*)"\s*,\s*"([^"]*)"\s*,\s*"([^"]*)"\s*,'
                      r'\s*(\w+)\s*,\s*"([^"]+)"\s*\)\s*')
WORD_ROW = re.compile(rf'WORD\(\s*({NAME})\s*,\s*(-?\d+)\s*,\s*(\w+)\s*,\s*(\w+)\s*,\s*(\w+)\s*,\s*"([^"]+)"\s*\)\s*')
DEFINE = re.compile(r"#define\s+(\w+)\s+(-?(?:0x[0-9A-Fa-f]+|\d+))\s*(?:/\*\s*(.*?)\s*\*/)?\s*")


class Call:
    """A row of hypercalls.def."""

    def __init__(self, name, number, road, args, results, errors, option, text):
        self.name, self.number, self.road, self.option, self.text = name, int(number), road, option, text
        self.args, self.results, self.errors = (words_of(field) for field in (args, results, errors))

    @property
    def kept(self):
        """r3 keeps its value: the call cannot fail."""
        return self.results == ["-"]


class Word:
    """A row of page.def."""

    def __init__(self, name, offset, field, read, write, text):
        self.name, self.offset, self.field, self.text = name, int(offset), field, text
        self.read, self.write = read == "YES", write
        self.is_register = False


def words_of(field):
    """The comma-separated words of a quoted field."""
    return [word.strip() for word in field.split(",")] if field.strip() else []


def rows(path, macro, pattern, hint):
    """(line number, fields) of each row; a line that begins like a row and is none is an error."""
    found, faults = [], []
    for number, line in enumerate(read_text(path, "table").splitlines(), 1):
        if line.startswith(macro + "("):
            match = pattern.fullmatch(line)
            if match:
                found.append((number, match.groups()))
            else:
                faults.append(fault(path, number, f"not a row: {line.strip()[:60]}", hint))
    if not found and not faults:
        faults.append(fault(path, 1, f"no {macro} row", "is this the right file?"))
    if faults:
        raise InputError(*faults)
    return found


def simple_rows(path, macro):
    """Names of a table of which only the first field matters here."""
    return [fields[0] for _, fields in rows(path, macro, re.compile(rf"{macro}\(\s*({NAME})\s*[,)].*"), f"{macro}(name, ...)")]


def load_constants(path):
    """abi.h as [(name, value text, comment or None) or a line of comment]; and {name: value}."""
    items, values, faults = [], {}, []
    comment = False
    for number, line in enumerate(read_text(path, "header").splitlines(), 1):
        text = line.strip()
        if comment or text.startswith("/*"):
            comment = not text.endswith("*/")
            items.append(line)
        elif text.startswith("#define") and text.split()[-1] != "PROTEUS_ABI_H":
            match = DEFINE.fullmatch(text)
            if not match:
                faults.append(fault(path, number, f"not a plain number: {text}", "#define NAME number /* what */"))
            elif match[1] in values:
                faults.append(fault(path, number, f"{match[1]} is defined twice", "remove one"))
            else:
                items.append(match.groups())
                values[match[1]] = int(match[2], 0)
        elif not text.startswith("#") and text:
            faults.append(fault(path, number, f"neither a comment nor a #define: {text}", "plain numbers only"))
        elif not text:
            items.append("")
    if faults:
        raise InputError(*faults)
    first = next((index for index, item in enumerate(items) if isinstance(item, tuple)), 0)
    while first and items[first - 1] != "":
        first -= 1
    return [item for item in items[first:] if item is not None], values


def load_calls(path, values):
    """The rows of hypercalls.def, checked."""
    calls, faults = [], []
    for line, fields in rows(path, "HCALL", CALL_ROW, 'HCALL(name, number, road, "args", "results", "errors", OPTION, "text")'):
        call = Call(*fields)
        before = calls[-1] if calls else None
        if any(other.name == call.name for other in calls):
            faults.append(fault(path, line, f"{call.name} is there twice", "one row for each call"))
        if before and call.number <= before.number:
            faults.append(fault(path, line, f"number {call.number} behind {before.number}",
                                "numbers ascend, and are never reused"))
        if call.number > 0xFFFF:
            faults.append(fault(path, line, f"number {call.number}", "it has the lower 16 bits of r0"))
        if call.road not in ROADS:
            faults.append(fault(path, line, f"road {call.road}", "HOT or COLD"))
        if len(call.args) > ARGUMENTS_MAX or not all(re.fullmatch(NAME, arg) for arg in call.args):
            faults.append(fault(path, line, f"arguments {', '.join(call.args)}", f"at most {ARGUMENTS_MAX} names"))
        if not call.kept and not (1 <= len(call.results) <= RESULTS_MAX and all(re.fullmatch(NAME, r) for r in call.results)):
            faults.append(fault(path, line, f"results {', '.join(call.results) or 'missing'}", '"-", or one or two names'))
        for error in call.errors:
            if f"HCALL_E_{error}" not in values:
                faults.append(fault(path, line, f"HCALL_E_{error} is not in abi.h", "errors are named without that prefix"))
        if call.kept and call.errors:
            faults.append(fault(path, line, "a call that keeps r3 has no errors", 'name a result, or leave the errors ""'))
        calls.append(call)
    if faults:
        raise InputError(*faults)
    return calls


def load_words(path, values, registers):
    """The rows of page.def, checked; each knows whether it is a register that mfspr reads."""
    words, faults = [], []
    for line, fields in rows(path, "WORD", WORD_ROW, 'WORD(name, offset, register, YES|NO, YES|NO|FEATURE, "text")'):
        word = Word(*fields)
        if words and word.offset <= words[-1].offset or word.offset % 4:
            faults.append(fault(path, line, f"offset {word.offset}", "multiples of 4, ascending"))
        if any(other.name == word.name for other in words):
            faults.append(fault(path, line, f"{word.name} is there twice", "one row for each word"))
        if fields[3] not in ("YES", "NO"):
            faults.append(fault(path, line, f"read {fields[3]}", "YES or NO"))
        if word.write not in ("YES", "NO") and f"FEATURE_{word.write}" not in values:
            faults.append(fault(path, line, f"FEATURE_{word.write} is not in abi.h", "write: YES, NO or the name of a feature"))
        if (word.write == "NO") != (word.offset >= 0):
            faults.append(fault(path, line, f"write {word.write} at offset {word.offset}",
                                "the page below the boundary is the one that a guest may write"))
        word.is_register = word.name in registers
        words.append(word)
    if words and {"msr", "pending", "version", "features"} - {word.name for word in words}:
        faults.append(fault(path, 1, "no word msr, pending, version or features", "the lazy sequences need them"))
    if faults:
        raise InputError(*faults)
    return words


class Abi:
    """All tables."""

    def __init__(self, hypercalls, config):
        self.items, self.values = load_constants(os.path.join(hypercalls, "abi.h"))
        for name in ("HCALL_TAG", "PAGE_BOUNDARY", "PAGE_CHECK", "PAGE_MODE", "PAGE_VERSION"):
            if name not in self.values:
                raise InputError(fault(os.path.join(hypercalls, "abi.h"), 1, f"{name} is missing", "the headers need it"))
        self.calls = load_calls(os.path.join(hypercalls, "hypercalls.def"), self.values)
        self.words = load_words(os.path.join(hypercalls, "page.def"), self.values,
                                simple_rows(os.path.join(config, "spr.def"), "SPR"))
        self.stats = simple_rows(os.path.join(config, "stats.def"), "STAT")


# ---- the header ------------------------------------------------------------------------------------------------------
HEAD = """\
/*
 * proteus.h: hypercalls and register pages of the Proteus hypervisor, for para-virtualized guests; for C and for GNU as.
 *
 * Generated by tools/hypercalls.py. Nothing else is needed: no library, no other header. hypercalls/README.md explains.
 *
 * A call of this header changes r0, its results and memory, and nothing else: not CR, LR, CTR or XER. It is for the guest's
 * supervisor mode, in a VM with `paravirt = true` (calls) and `irfm` (register pages). On a bare machine `sc` leads to the
 * guest's own handler, and the pages do not exist.
 *
 * The register pages are at PROTEUS_PAGE, the boundary between the two. If the partition file has another value than
 * the default, compile with -DPROTEUS_PAGE=0x... (no suffix: the assembler reads it, too).
 */
#ifndef PROTEUS_H
#define PROTEUS_H
"""

REACH = """\
#ifndef PROTEUS_PAGE
#define PROTEUS_PAGE PAGE_BOUNDARY
#endif

/* A word of the pages is reached without a base register: word(0), sign-extended from 16 bits */
#if (PROTEUS_PAGE) & 0x3FF || ((PROTEUS_PAGE) < {low} || (PROTEUS_PAGE) > {high}) && \\
    ((PROTEUS_PAGE) < {negative_low} || (PROTEUS_PAGE) > 0xFFFFFC00)
#error "PROTEUS_PAGE: the register pages must lie in the lowest or the highest 32 KiB, on a page boundary"
#endif
"""

ASSEMBLER = """\
#ifdef __ASSEMBLER__
/*
 * Macros for GNU as; registers as names (-mregnames) or as plain numbers. `t` is a register that the macro may overwrite, other
 * than the operand; it may be r0.
 */
#define PROTEUS_DISPLACEMENT(offset) (((((PROTEUS_PAGE) + (offset)) & 0xFFFF) ^ 0x8000) - 0x8000)
{symbols}
        /* proteus_call name: arguments and results in r3-r6; clobbers r0 */
        .macro  proteus_call name
        .ifndef .Lproteus_call_\\name
        .error  "proteus_call: no such call: \\name"
        .else
        lis     0, HCALL_TAG
        ori     0, 0, .Lproteus_call_\\name
        sc
        .endif
        .endm

        /* proteus_rfi: as rfi, every register kept; in SPRG0 the guest must have nothing of its own. What the call refuses the
           instruction does */
        .macro  proteus_rfi
        stw     0, .Lproteus_word_sprg0(0)
        proteus_call rfi
        lwz     0, .Lproteus_word_sprg0(0)
        rfi
        .endm

        /* proteus_wait: MSR[EE] and MSR[WE] on, until an interrupt has come. Clobbers r0, r3, CR0 */
        .macro  proteus_wait
        proteus_call idle
        cmpwi   3, 0
        bge     .Lproteus_waited\\@
        mfmsr   3
        ori     3, 3, 0x8000
        oris    3, 3, 0x0004
        mtmsr   3
        isync
.Lproteus_waited\\@:
        .endm

        /* proteus_load rT, word: any word of page.def, registers or not */
        .macro  proteus_load rt, word
        .ifndef .Lproteus_word_\\word
        .error  "proteus_load: no such word: \\word"
        .else
        lwz     \\rt, .Lproteus_word_\\word(0)
        .endif
        .endm

        /* proteus_mfspr rT, name: as mfspr; name in lower case */
        .macro  proteus_mfspr rt, name
        .ifndef .Lproteus_mf_\\name
        .error  "proteus_mfspr: not to be read by the register pages: \\name"
        .else
        lwz     \\rt, .Lproteus_mf_\\name(0)
        .endif
        .endm

        /* proteus_mtspr name, rS: as mtspr; pid and zpr need FEATURE_MMU_STORE (else: proteus_call pid_set, spr_write) */
        .macro  proteus_mtspr name, rs
        .ifndef .Lproteus_mt_\\name
        .error  "proteus_mtspr: not to be written by the register pages: \\name"
        .else
        .ifc    \\name, pid
        stb     \\rs, .Lproteus_mt_\\name + 3(0)
        .else
        stw     \\rs, .Lproteus_mt_\\name(0)
        .endif
        .endif
        .endm

        /* proteus_clear_pis t: as mtspr TSR with TSR[PIS]; needs FEATURE_TSR_STORE */
        .macro  proteus_clear_pis t
        li      \\t, 0
        stw     \\t, .Lproteus_word_tsr(0)
        .endm

        /* proteus_mfmsr rT: as mfmsr */
        .macro  proteus_mfmsr rt
        lwz     \\rt, .Lproteus_word_msr(0)
        .endm

        /* proteus_wrteei_0 t: as wrteei 0 */
        .macro  proteus_wrteei_0 t
        lwz     \\t, .Lproteus_word_msr(0)
        rlwinm  \\t, \\t, 0, 17, 15
        stw     \\t, .Lproteus_word_msr(0)
        .endm

        /* proteus_wrteei_1 t: as wrteei 1; enters the hypervisor only if an interrupt waits */
        .macro  proteus_wrteei_1 t
        lwz     \\t, .Lproteus_word_msr(0)
        ori     \\t, \\t, 0x8000
        stw     \\t, .Lproteus_word_msr(0)
        lwz     \\t, .Lproteus_word_pending(0)
        twi     1, \\t, PAGE_CHECK
        .endm

        /* proteus_wrtee rS, t: as wrtee; likewise */
        .macro  proteus_wrtee rs, t
        lwz     \\t, .Lproteus_word_msr(0)
        rlwimi  \\t, \\rs, 0, 16, 16
        stw     \\t, .Lproteus_word_msr(0)
        lwz     \\t, .Lproteus_word_pending(0)
        and     \\t, \\t, \\rs
        twi     1, \\t, PAGE_CHECK
        .endm

        /* proteus_mtmsr rS, t: as mtmsr; if more than EE changes the first twi leads to the instruction */
        .macro  proteus_mtmsr rs, t
        lwz     \\t, .Lproteus_word_msr(0)
        xor     \\t, \\t, \\rs
        rlwinm  \\t, \\t, 6, 11, 9
        twi     1, \\t, PAGE_MODE
        stw     \\rs, .Lproteus_word_msr(0)
        lwz     \\t, .Lproteus_word_pending(0)
        and     \\t, \\t, \\rs
        twi     1, \\t, PAGE_CHECK
        b       . + 8
        mtmsr   \\rs
        .endm

        /* proteus_critical_enter rT, t: rT = MSR, then EE off; leave by proteus_wrtee rT, t */
        .macro  proteus_critical_enter rt, t
        lwz     \\rt, .Lproteus_word_msr(0)
        rlwinm  \\t, \\rt, 0, 17, 15
        stw     \\t, .Lproteus_word_msr(0)
        .endm

#else
"""

C_HEAD = """\
/* The same types as uint32_t and int32_t */
typedef __UINT32_TYPE__ proteus_word;
typedef __INT32_TYPE__ proteus_status;

#define PROTEUS_DISPLACEMENT(offset) ((short)((int)((PROTEUS_PAGE) & 0xFFFF) + (offset)))
#define PROTEUS_LOAD(value, offset) \\
    __asm__ volatile("lwz %0,%1(0)" : "=r"(value) : "i"(PROTEUS_DISPLACEMENT(offset)) : "memory")
#define PROTEUS_STORE(value, offset) \\
    __asm__ volatile("stw %0,%1(0)" : : "r"(value), "i"(PROTEUS_DISPLACEMENT(offset)) : "memory")
#define PROTEUS_SC "lis 0,%[tag]\\n\\tori 0,0,%[number]\\n\\tsc"
"""

C_LAZY = """\
/* As mtspr TSR with TSR[PIS]; needs FEATURE_TSR_STORE */
static inline void proteus_clear_pis(void)
{
    PROTEUS_STORE(0, PROTEUS_WORD_TSR);
}

/* As mfmsr */
static inline proteus_word proteus_mfmsr(void)
{
    proteus_word value;

    PROTEUS_LOAD(value, PROTEUS_WORD_MSR);
    return value;
}

/* Begin a critical section: EE off. Returns the MSR that it had, for proteus_critical_leave() */
static inline proteus_word proteus_critical_enter(void)
{
    proteus_word msr, t;

    __asm__ volatile("lwz %0,%2(0)\\n\\trlwinm %1,%0,0,17,15\\n\\tstw %1,%2(0)"
                     : "=&r"(msr), "=&r"(t) : "i"(PROTEUS_DISPLACEMENT(PROTEUS_WORD_MSR)) : "memory");
    return msr;
}

/* As wrteei 0 */
static inline void proteus_wrteei_0(void)
{
    proteus_word t;

    __asm__ volatile("lwz %0,%1(0)\\n\\trlwinm %0,%0,0,17,15\\n\\tstw %0,%1(0)"
                     : "=&r"(t) : "i"(PROTEUS_DISPLACEMENT(PROTEUS_WORD_MSR)) : "memory");
}

/* As wrteei 1; enters the hypervisor only if an interrupt waits */
static inline void proteus_wrteei_1(void)
{
    proteus_word t;

    __asm__ volatile("lwz %0,%1(0)\\n\\tori %0,%0,0x8000\\n\\tstw %0,%1(0)\\n\\tlwz %0,%2(0)\\n\\ttwi 1,%0,%3"
                     : "=&r"(t) : "i"(PROTEUS_DISPLACEMENT(PROTEUS_WORD_MSR)),
                       "i"(PROTEUS_DISPLACEMENT(PROTEUS_WORD_PENDING)), "i"(PAGE_CHECK) : "memory");
}

/* As wrtee: EE as in this MSR */
static inline void proteus_wrtee(proteus_word msr)
{
    proteus_word t;

    __asm__ volatile("lwz %0,%2(0)\\n\\trlwimi %0,%1,0,16,16\\n\\tstw %0,%2(0)\\n\\tlwz %0,%3(0)\\n\\t"
                     "and %0,%0,%1\\n\\ttwi 1,%0,%4"
                     : "=&r"(t) : "r"(msr), "i"(PROTEUS_DISPLACEMENT(PROTEUS_WORD_MSR)),
                       "i"(PROTEUS_DISPLACEMENT(PROTEUS_WORD_PENDING)), "i"(PAGE_CHECK) : "memory");
}

/* As mtmsr; if more than EE changes the first twi leads to the instruction */
static inline void proteus_mtmsr(proteus_word msr)
{
    proteus_word t;

    __asm__ volatile("lwz %0,%2(0)\\n\\txor %0,%0,%1\\n\\trlwinm %0,%0,6,11,9\\n\\ttwi 1,%0,%5\\n\\tstw %1,%2(0)\\n\\t"
                     "lwz %0,%3(0)\\n\\tand %0,%0,%1\\n\\ttwi 1,%0,%4\\n\\tb .+8\\n\\tmtmsr %1"
                     : "=&r"(t) : "r"(msr), "i"(PROTEUS_DISPLACEMENT(PROTEUS_WORD_MSR)),
                       "i"(PROTEUS_DISPLACEMENT(PROTEUS_WORD_PENDING)), "i"(PAGE_CHECK), "i"(PAGE_MODE) : "memory");
}

/* TSR[PIS] off, PIT = ticks. What the call refuses the instructions do (and once more, if r3 kept ticks of 2^31 and more) */
static inline void proteus_timer(proteus_word ticks)
{
    if (proteus_timer_set(ticks) < 0) {
        __asm__ volatile("mtspr 0x3D8,%0\\n\\tmtspr 0x3DB,%1" : : "r"(0x08000000), "r"(ticks) : "memory");
    }
}

/* MSR[EE] and MSR[WE] on, until an interrupt has come. What the call refuses the instruction does */
static inline void proteus_wait(void)
{
    if (proteus_idle() < 0) {
        __asm__ volatile("mtmsr %0\\n\\tisync" : : "r"(proteus_mfmsr() | 0x00048000) : "memory");
    }
}

/* End a critical section: EE as it was */
static inline void proteus_critical_leave(proteus_word msr)
{
    if ((msr & 0x8000) != 0) {
        proteus_wrteei_1();
    }
}
"""


def define(name, value, comment=None):
    """A #define; a negative number in parentheses."""
    value = f"({value})" if value.startswith("-") else value
    return f"#define {name} {value}" + (f" /* {comment} */" if comment else "")


def comment(text):
    """A comment of one function, in lines of at most 120 columns."""
    lines = textwrap.wrap(text[:1].upper() + text[1:], 110)
    return ["/* " + lines[0]] + ["   " + line for line in lines[1:-1]] + ["   " + lines[-1] + " */"] if len(lines) > 1 \
        else [f"/* {lines[0]} */"]


def signature(call):
    """C parameters: arguments, then a pointer for the second result."""
    parameters = []
    for arg in call.args:
        pointer = "void *" if call.name.endswith("_read") else "const void *"
        parameters.append(pointer + arg if arg in POINTERS else "proteus_word " + arg)
    parameters += [f"proteus_word *{name}" for name in call.results[1:]]
    return ", ".join(parameters) or "void"


def call_function(call):
    """One static inline function. Registers are variables, so the compiler sees exactly what the call reads and writes."""
    results = [] if call.kept else call.results
    text = f"{call.text}. " + ("Keeps r3" if call.kept else f"Returns {'0 or more' if results[0] == 'status' else results[0]}" +
                               (f", or HCALL_E_{', HCALL_E_'.join(call.errors + ['NUMBER'])}"
                                if call.errors or call.number else ""))
    lines = comment(text)
    lines += [f"static inline {'void' if call.kept else 'proteus_status'} proteus_{call.name}({signature(call)})", "{"]
    outputs, inputs = [], []
    for index in range(max(len(call.args), len(results))):
        register = f"r{index + 3}"
        value = None
        if index < len(call.args):
            arg = call.args[index]
            value = f"(proteus_word)(__UINTPTR_TYPE__){arg}" if arg in POINTERS else arg
        elif index > 0:
            value = "0"             # stays so if the call fails
        lines.append(f"    register proteus_word {register} __asm__(\"{register}\")" + (f" = {value};" if value else ";"))
        if index < len(results):
            outputs.append(f'"{"+" if value else "="}r"({register})')
        else:
            inputs.append(f'"r"({register})')
    inputs += ['[tag] "i"(HCALL_TAG)', f'[number] "i"(HCALL_NR_{call.name.upper()})']
    lines += [""] if len(lines) > 3 else []
    lines.append(f"    __asm__ volatile(PROTEUS_SC : {', '.join(outputs)}{' ' if outputs else ''}: {', '.join(inputs[:-2])}")
    lines.append(f"                     {', ' if inputs[:-2] else ''}{', '.join(inputs[-2:])} : \"r0\", \"memory\");")
    lines += [f"    *{call.results[1]} = r4;"] if len(results) > 1 else []
    lines += ["    return (proteus_status)r3;"] if results else []
    return lines + ["}", ""]


def word_functions(word):
    """Load and store of one word, if they are as good as the instructions."""
    upper = f"PROTEUS_WORD_{word.name.upper()}"
    lines = []
    if word.read and word.name != "msr":
        name = f"mf{word.name}" if word.is_register else f"page_{word.name}"
        what = f"As mfspr {word.text.split('.')[0]}" if word.is_register else word.text
        lines += comment(what) + [f"static inline proteus_word proteus_{name}(void)", "{", "    proteus_word value;", "",
                                  f"    PROTEUS_LOAD(value, {upper});", "    return value;", "}", ""]
    if word.write != "NO" and word.read and word.is_register:
        needs = "" if word.write == "YES" else f"; needs FEATURE_{word.write}"
        store = f"    PROTEUS_STORE(value, {upper});"
        if word.name == "pid":
            store = (f'    __asm__ volatile("stb %0,%1(0)" : : "r"(value), "i"(PROTEUS_DISPLACEMENT({upper} + 3))'
                     ' : "memory");')
        lines += comment(f"As mtspr {word.text.split('.')[0]}{needs}")
        lines += [f"static inline void proteus_mt{word.name}(proteus_word value)", "{", store, "}", ""]
    return lines


def assembler_symbols(abi):
    """Numbers and displacements by name; .L symbols leave no trace in the object file."""
    lines = [f"        .set    .Lproteus_call_{call.name}, {call.number}" for call in abi.calls]
    for word in abi.words:
        place = f"PROTEUS_DISPLACEMENT(PROTEUS_WORD_{word.name.upper()})"
        lines.append(f"        .set    .Lproteus_word_{word.name}, {place}")
        if word.is_register and word.read:
            lines.append(f"        .set    .Lproteus_mf_{word.name}, {place}")
        if word.is_register and word.read and word.write != "NO":
            lines.append(f"        .set    .Lproteus_mt_{word.name}, {place}")
    return "\n".join(lines) + "\n"


def header(abi):
    """proteus.h as text."""
    lines = [HEAD]
    lines += [define(*item) if isinstance(item, tuple) else item for item in abi.items]
    lines += ["", "/* Numbers of the calls: the lower half of r0 */"]
    lines += [define(f"HCALL_NR_{call.name.upper()}", str(call.number), call.text) for call in abi.calls]
    lines += ["", "/* Counters, for vm_stat */"]
    lines += [define(f"HCALL_STAT_{name.upper()}", str(index)) for index, name in enumerate(abi.stats)]
    lines += ["", "/* Words of the register pages: bytes from the boundary */"]
    lines += [define(f"PROTEUS_WORD_{word.name.upper()}", str(word.offset), word.text) for word in abi.words]
    low, high = abi.words[0].offset, abi.words[-1].offset
    lines += ["", REACH.format(low=-low, high=f"0x{0x7FFF - high:X}", negative_low=f"0x{0xFFFF8000 - low:X}")]
    lines += [ASSEMBLER.format(symbols=assembler_symbols(abi)), C_HEAD]
    lines += ["/* ---- calls ---- */", ""]
    for call in abi.calls:
        if call.name not in ASSEMBLER_ONLY:
            lines += call_function(call)
    lines += ["/* ---- register pages: instructions become loads and stores ---- */", ""]
    for word in abi.words:
        lines += word_functions(word)
    lines += [C_LAZY, "#endif /* __ASSEMBLER__ */", "", "#endif"]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


# ---- the reference -----------------------------------------------------------------------------------------------------
def cell(text):
    """Text inside a table, where a bar would end the column."""
    return text.replace("|", r"\|")


def calls_table(abi):
    """All calls."""
    table = [["number", "call", "arguments (r3, ...)", "results (r3, r4)", "errors", "option", "what it does"]]
    for call in abi.calls:
        table.append([str(call.number), f"`{call.name}`", ", ".join(call.args) or "-",
                      "none: keeps r3" if call.kept else ", ".join(call.results), ", ".join(call.errors) or "-",
                      call.option, cell(call.text)])
    return markdown(table)


def words_table(abi):
    """All words of the register pages."""
    table = [["offset", "word", "load", "store", "what it is"]]
    for word in abi.words:
        store = {"YES": "yes", "NO": "no"}.get(word.write, f"with `{word.write}`")
        table.append([str(word.offset), f"`{word.name}`", "yes" if word.read else "no", store, cell(word.text)])
    return markdown(table)


def update_readme(path, tables, check):
    """Put the tables between their markers; with check, say which one is old."""
    text = read_text(path, "README", "name the file that has the markers")
    for name, lines in tables.items():
        start, end = between(text, name, path)
        table = "\n".join(lines) + "\n"
        if check and text[start:end] != table:
            raise InputError(fault(path, text.count("\n", 0, start), f"the table `{name}` is not that of hypercalls/*.def",
                                   f"tools/hypercalls.py --update-readme {path}"))
        text = text[:start] + table + text[end:]
    if not check:
        write_if_changed(path, text)


def main(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", metavar="FILE", help="write the header")
    parser.add_argument("--table", action="store_true", help="print the reference")
    parser.add_argument("--update-readme", metavar="FILE", help="put the reference between the markers of this file")
    parser.add_argument("--check", action="store_true", help="with --update-readme: only say whether it is up to date")
    parser.add_argument("--hypercalls", default=os.path.join(ROOT, "hypercalls"), help="folder of the ABI's tables")
    parser.add_argument("--config", default=os.path.join(ROOT, "config"), help="folder of spr.def and stats.def")
    args = parser.parse_args(argv)
    if not (args.out or args.table or args.update_readme):
        parser.error("nothing to do: --out, --table or --update-readme")
    if args.check and not args.update_readme:
        parser.error("--check is for --update-readme")
    abi = Abi(args.hypercalls, args.config)
    tables = {"calls": calls_table(abi), "words": words_table(abi)}
    if args.out:
        write_if_changed(args.out, header(abi))
    if args.table:
        print("\n".join([*tables["calls"], "", *tables["words"]]))
    if args.update_readme:
        update_readme(args.update_readme, tables, args.check)
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
