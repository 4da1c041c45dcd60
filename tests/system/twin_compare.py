#!/usr/bin/python3
"""twin_compare.py: the twin guest's lines bare and virtualized, compared field by field.

    twin_compare.py bare.txt virtual.txt [--list twin_expected_differences.txt] [--without-tlb]

prints every difference that the list does not expect, with both lines. Exit status 1 if there is one, 2 for wrong usage.
The console's `[vm] ` tags are taken off; lines that are not a probe's are left out.
"""

import argparse
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LIST = os.path.join(HERE, "twin_expected_differences.txt")                  # of the distribution's QEMU
LIST_OURS = os.path.join(HERE, "twin_expected_differences_ours.txt")        # of tools/qemu's
# Behind the tag may be the NUL that a probe of a UartLite sends, as the console shows it.
PROBE = re.compile(r"(?:\[[A-Za-z0-9_-]+\] )?(?:\^@)?((?:[a-z][a-z0-9_]*)(?:\.[^ ]*)?(?: [a-z0-9]+=[0-9A-F]+| !)*)$")
SECTIONS = {"[with TLB_VIRT]": ("tlb", True), "[without TLB_VIRT]": ("tlb", False), "[with UIC]": ("uic", True)}
TARGET = re.compile(r"^\S+\.r?(\d{1,2})(?:\.u)?(?: |$)")     # the register in a probe's name
SINGLE = ("fit", "watchdog")        # probes whose name has no dot


class Rule:
    """One line of the list of expected differences."""

    def __init__(self, place, pattern, fields, reason):
        self.place, self.pattern, self.fields, self.reason = place, pattern, fields, reason
        self.matched = 0        # lines of the bare run that it is about
        self.used = 0           # differences that it explained

    def mask_of(self, field, target, virtual):
        """Bits of a field in which it may differ; all or none, if the rule says what it has to be in the VM."""
        field = "rT" if field not in self.fields and field == target else field
        mask = self.fields.get("*", self.fields.get(field, 0))
        if isinstance(mask, tuple):
            mask = None if mask[0] == virtual else 0
        return 0xFFFFFFFF if mask is None else mask


def read_field(word):
    """(name, what may differ: None: anything, a mask, or (value in the VM,); that value is None for an absent field)"""
    name, equals, value = word.partition("=")
    if equals:
        return name, (None if value == "-" else int(value, 16),)
    name, _, mask = word.partition("&")
    return name, int(mask, 16) if mask else None


def read_rules(path=LIST, tlb=True, uic=True):
    """The list of expected differences, with or without option TLB_VIRT, with or without the UIC of ref405ep."""
    given = {"tlb": tlb, "uic": uic}
    rules, wanted = [], True
    with open(path, encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip() or line.startswith("#"):
                continue
            if line.rstrip() in SECTIONS:
                condition, value = SECTIONS[line.rstrip()]
                wanted = given[condition] == value
                continue
            parts = re.split(r"\s\|\s", line.rstrip("\n"))
            if len(parts) != 3 or not parts[2].strip():
                raise ValueError(f"{path}:{number}: not `regex | fields | reason`. hint: see the head of the file")
            if wanted:
                rules.append(Rule(f"{path}:{number}", re.compile(parts[0].rstrip()),
                                  dict(read_field(word) for word in parts[1].split()), parts[2].strip()))
    return rules


def probes(lines):
    """Name -> line, for the lines of probes among those of a console."""
    found = {}
    for line in lines:
        match = PROBE.match(line)
        if match and ("." in match.group(1).split()[0] or match.group(1).split()[0] in SINGLE):
            found[match.group(1).split()[0]] = match.group(1)
    return found


def fields_of(line):
    """Field name -> value. The mark of an unexpected end counts as a field."""
    fields = {}
    for word in line.split()[1:]:
        name, _, value = word.partition("=")
        fields[name] = int(value, 16) if value else 1
    return fields


def differing_fields(bare, virtual):
    """(name, bare value, virtual value) for each field that is not the same on both sides; `!` is only a mark."""
    left, right = fields_of(bare), fields_of(virtual)
    for name in sorted(set(left) | set(right)):
        if name != "!" and left.get(name) != right.get(name):
            yield name, left.get(name), right.get(name)


def explained(rules, line, field, bare, virtual):
    """Do the rules that are about this line together allow the difference? An absent field counts as zero in masks."""
    bits = (bare or 0) ^ (virtual or 0)
    number = TARGET.search(line)
    target = number and f"r{number[1]}"
    for rule in rules:
        mask = rule.mask_of(field, target, virtual)
        if mask and rule.pattern.search(line):
            rule.used += bool(bits & mask)
            bits &= ~mask
            if mask == 0xFFFFFFFF:
                return True
    # no bits left: explained, if there were any; a field that is present with the value 0 on one side only was not
    return bits == 0 and (bare or 0) != (virtual or 0)


def compare(bare_lines, virtual_lines, rules):
    """Texts of all differences that no rule explains, and of all rules that are about nothing."""
    bare, virtual = probes(bare_lines), probes(virtual_lines)
    for name in bare:
        for rule in rules:
            rule.matched += bool(rule.pattern.search(bare[name]))
        if name not in virtual:
            yield f"{name}: missing in the VM\n  bare:    {bare[name]}"
            continue
        wrong = [field for field, left, right in differing_fields(bare[name], virtual[name])
                 if not explained(rules, bare[name], field, left, right)]
        if wrong:
            yield f"{name}: {' '.join(wrong)}\n  bare:    {bare[name]}\n  virtual: {virtual[name]}"
    for name in virtual:
        if name not in bare:
            yield f"{name}: only in the VM\n  virtual: {virtual[name]}"
    for rule in rules:
        if not rule.matched:
            yield f"{rule.place}: no line of the bare run matches. hint: take the rule out"


def main():
    """Command line entry."""
    parser = argparse.ArgumentParser(prog="twin_compare.py", description="Compare two consoles of the twin guest.")
    parser.add_argument("bare", help="console of the bare run or runs")
    parser.add_argument("virtual", help="console of the run as a VM")
    parser.add_argument("--list", default=LIST, help="expected differences")
    parser.add_argument("--without-tlb", action="store_true", help="the VM has no option TLB_VIRT: real mode only")
    args = parser.parse_args()
    try:
        consoles = []
        for path in (args.bare, args.virtual):
            with open(path, encoding="ascii", errors="backslashreplace") as stream:
                consoles.append(stream.read().splitlines())
        rules = read_rules(args.list, not args.without_tlb)
    except (OSError, ValueError) as error:
        print(f"twin_compare.py: {error}", file=sys.stderr)
        return 1
    count = 0
    for text in compare(consoles[0], consoles[1], rules):
        print(text)
        count += 1
    print(f"twin: {count} unexpected differences; {sum(rule.used for rule in rules)} expected by {len(rules)} rules")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
