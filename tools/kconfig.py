#!/usr/bin/python3
"""Turn Kconfig and a product's defconfig into build/<product>/.config, gen/autoconf.h and config.mk.

  kconfig.py --kconfig Kconfig --defconfig config/demo/defconfig --out build/demo
      from the defconfig; `--set "CONFIG_X=n CONFIG_Y=3"` overrides single symbols
  kconfig.py --kconfig Kconfig --out build/demo
      from the .config that is there (after menuconfig, say)
  kconfig.py --menuconfig ...      edit build/demo/.config first; starts from the defconfig when there is none yet
  kconfig.py --savedefconfig ...   write build/demo/.config back to the defconfig, in its shortest form

A line that names no symbol, and a value that does not take effect, are errors. Outputs are touched only when they
change.

This file also holds what the other tools share: the error class, the report of errors, and writing without a trace of
half-written output.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import difflib
import os
import re
import tempfile

EXIT_INPUT = 1
EXIT_USAGE = 2


class InputError(Exception):
    """One or more faults in the input, each a line `file:line: cause. hint: ...`."""

    def __init__(self, *lines):
        super().__init__("\n".join(lines))
        self.lines = lines


def fault(path, line, cause, hint=None):
    """One fault as a line of text; line may be None where a file has none (a missing file, an ELF)."""
    place = f"{path}:{line}" if line else f"{path}"
    return f"{place}: {cause}." + (f" hint: {hint}" if hint else "")


def guess(word, known):
    """`did you mean 'x'?` for the nearest known word, or else the list of them all."""
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    return "known: " + ", ".join(sorted(known)) if known else None


def read_text(path, what, hint=None):
    """The text of a file; a missing, unreadable or non-text file is an InputError."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise InputError(fault(path, None, f"can't read the {what}: {os.strerror(error.errno)}", hint)) from None
    try:
        return data.decode("utf-8-sig")     # some editors begin a file with a mark of its encoding
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(fault(path, line, f"the {what} is not UTF-8 text", "save it as UTF-8")) from None


def write_if_changed(path, content):
    """Write str or bytes to path by way of a temporary file; leave the file alone when it holds just that."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        with open(path, "rb") as file:
            if file.read() == data:
                return False
    except OSError:
        pass
    folder = os.path.dirname(path) or "."
    temp = None
    try:
        os.makedirs(folder, exist_ok=True)
        handle, temp = tempfile.mkstemp(prefix="." + os.path.basename(path) + ".", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temp, 0o666 & ~mask)
        os.replace(temp, path)
    except OSError as error:
        if temp and os.path.exists(temp):
            os.unlink(temp)
        raise InputError(fault(path, None, f"can't write: {os.strerror(error.errno)}",
                               "is the folder writable?")) from None
    return True


def run_tool(main, argv=None):
    """Run main(argv), print its faults on stderr, and return the exit status."""
    try:
        return main(argv) or 0
    except InputError as error:
        for line in error.lines:
            print(line, file=sys.stderr)
        return EXIT_INPUT
    except BrokenPipeError:
        # The reader of our output went away (`| head`): no fault of the input, and nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


ASSIGNMENT = re.compile(r"(?:CONFIG_)(\w+)=(.*)")
# What Kconfig, C, the assembler and make read alike: int("0120") is 120, int("1_20") too, C's 0120 is 80
NUMBER = {"int": (re.compile(r"0|-?[1-9][0-9]*"), "a decimal number without leading zeros, _ or +"),
          "hex": (re.compile(r"0[xX][0-9a-fA-F]+"), "a number like 0x1000")}
UNSET = re.compile(r"# CONFIG_(\w+) is not set")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def parse_config_line(text):
    """(symbol, raw value) of one line of a configuration file; None for a comment, ValueError for anything else."""
    text = text.strip()
    match = UNSET.fullmatch(text)
    if match:
        return match.group(1), "n"
    if not text or text.startswith("#"):
        return None
    match = ASSIGNMENT.fullmatch(text)
    if not match:
        raise ValueError(text)
    return match.group(1), match.group(2).strip()


def unquote(raw):
    """The text of a quoted string value; None when it is not one."""
    match = STRING.fullmatch(raw)
    return re.sub(r"\\(.)", r"\1", match.group(1)) if match else None


def read_config(path):
    """A .config as {symbol: value}: True for y, int for numbers, str for strings; what is off is absent."""
    values = {}
    hint = ("build it with tools/kconfig.py --kconfig Kconfig --defconfig config/<product>/defconfig "
            "--out build/<product>")
    for number, text in enumerate(read_text(path, "configuration", hint).splitlines(), 1):
        try:
            pair = parse_config_line(text)
        except ValueError:
            raise InputError(fault(path, number, f"'{text.strip()}' is not CONFIG_NAME=value", hint)) from None
        if not pair or pair[1] == "n":
            continue
        name, raw = pair
        if raw == "y":
            values[name] = True
        elif re.fullmatch(r"-?\d+", raw):
            values[name] = int(raw)
        elif re.fullmatch(r"0[xX][0-9a-fA-F]+", raw):
            values[name] = int(raw, 16)
        else:
            values[name] = unquote(raw) if unquote(raw) is not None else raw
    return values


def load_kconfig(path):
    """The parsed Kconfig; its syntax errors and its own inconsistencies are InputErrors."""
    try:
        import kconfiglib
    except ImportError:
        raise InputError(fault("kconfig.py", None, "the Python module kconfiglib is missing",
                               "apt-get install python3-kconfiglib, and run with /usr/bin/python3")) from None
    read_text(path, "Kconfig file", "run from the top of the source tree, or give --kconfig")
    os.environ["KCONFIG_WARN_UNDEF"] = "y"
    try:
        kconf = kconfiglib.Kconfig(path, warn_to_stderr=False)
    except kconfiglib.KconfigError as error:
        # kconfiglib says "<file>:<line>: [error: ]<text>", with or without a blank line before it.
        text = " ".join(str(error).split())
        match = re.search(r"(\S+?:\d+): (?:error: )?(.*)", text)
        line = f"{match.group(1)}: {match.group(2)}" if match else f"{path}: {text}"
        raise InputError(line.rstrip(".") + ". hint: the language is that of Linux' Kconfig files") from None
    if kconf.warnings:
        raise InputError(*(kconfig_warning(path, text) for text in kconf.warnings))
    return kconf


def kconfig_warning(path, text):
    """A warning of kconfiglib about a Kconfig file, as a fault."""
    flat = " ".join(text.split())
    undefined = re.search(r"undefined symbol (\w+):.*?Referenced at (\S+):(\d+)", flat)
    if undefined:
        return fault(undefined.group(2), undefined.group(3), f"symbol {undefined.group(1)} is not defined",
                     "define it, or correct the expression that names it")
    match = re.match(r"(\S+?):(\d+): warning: (.*)", flat)
    if match:
        return fault(match.group(1), match.group(2), match.group(3).rstrip("."))
    flat = re.sub(r"^warning: ", "", flat)
    place = re.search(r"defined at (\S+?):(\d+)", flat)
    if place:
        return fault(place.group(1), place.group(2), flat.rstrip("."))
    return fault(path, None, flat.rstrip("."))


def assign(kconf, path, number, name, raw):
    """Set one symbol; InputError when there is no such symbol, or the value is not of its type."""
    import kconfiglib
    sym = kconf.syms.get(name)
    if sym is None or not sym.nodes:
        known = [s.name for s in kconf.unique_defined_syms]
        raise InputError(fault(path, number, f"unknown symbol CONFIG_{name}", guess(name, known)))
    if not any(node.prompt for node in sym.nodes):
        raise InputError(fault(path, number, f"CONFIG_{name} can't be set, it follows from other symbols",
                               f"remove the line; the symbol is defined at {place_of(sym)}"))
    value = raw
    if sym.orig_type == kconfiglib.STRING:
        value = unquote(raw)
        if value is None:
            raise InputError(fault(path, number, f"CONFIG_{name} is a string, {raw or 'nothing'} is not",
                                   f'write CONFIG_{name}="text"'))
    elif raw == "n" and sym.orig_type in (kconfiglib.INT, kconfiglib.HEX):
        return None     # `# CONFIG_X is not set` in an old .config: leave the default
    elif sym.choice and raw == "n":
        sym.set_value(0)
        return sym, "n"
    kind = kconfiglib.TYPE_TO_STR[sym.orig_type]
    pattern, want = NUMBER.get(kind, (None, "y or n"))
    if pattern and not pattern.fullmatch(value) or not sym.set_value(value):
        raise InputError(fault(path, number, f"CONFIG_{name} is of type {kind}, '{raw}' is not", f"give it {want}"))
    return sym, value


def place_of(sym):
    """Where a symbol is defined, as file:line."""
    return f"{sym.nodes[0].filename}:{sym.nodes[0].linenr}"


def why_not(sym, value):
    """The reason for which a symbol did not take a value, as a hint."""
    import kconfiglib
    if sym.choice and value == "y" and sym.choice.selection is not None and sym.choice.selection is not sym:
        return f"only one of a choice can be set, and CONFIG_{sym.choice.selection.name} is"
    if kconfiglib.expr_value(sym.direct_dep) == 0:
        return f"it depends on {kconfiglib.expr_str(sym.direct_dep)} ({place_of(sym)})"
    if kconfiglib.expr_value(sym.rev_dep) > 0 and value == "n":
        active = [kconfiglib.expr_str(e) for e in kconfiglib.split_expr(sym.rev_dep, kconfiglib.OR)
                  if kconfiglib.expr_value(e) > 0]
        return "it is selected by " + ", ".join(active)
    for low, high, condition in sym.ranges:
        if kconfiglib.expr_value(condition):
            return f"its range is {low.str_value} to {high.str_value} ({place_of(sym)})"
    if sym.visibility == 0:
        return f"its prompt is not visible ({place_of(sym)})"
    return f"see its definition at {place_of(sym)}"


def same_value(sym, value):
    """True if a symbol's present value is the one that was asked for (hex and int compared as numbers)."""
    import kconfiglib
    if sym.orig_type == kconfiglib.INT:
        return sym.str_value != "" and int(sym.str_value) == int(value)
    if sym.orig_type == kconfiglib.HEX:
        return sym.str_value != "" and int(sym.str_value, 16) == int(value, 16)
    return sym.str_value == value


def load_file(kconf, path, what, hint, strict=True):
    """Set every symbol of a configuration file. Returns [(line, symbol, value)]; all faults of the file at once."""
    faults, wanted, seen = [], [], {}
    for number, text in enumerate(read_text(path, what, hint).splitlines(), 1):
        try:
            pair = parse_config_line(text)
            if pair is None:
                continue
            if pair[0] in seen and strict:
                faults.append(fault(path, number, f"CONFIG_{pair[0]} is set twice", f"first in line {seen[pair[0]]}"))
                continue
            seen.setdefault(pair[0], number)
            done = assign(kconf, path, number, *pair)
            if done:
                wanted.append((number, *done))
        except ValueError:
            faults.append(fault(path, number, f"'{text.strip()}' is not a setting",
                                "write CONFIG_NAME=value, or # for a comment"))
        except InputError as error:
            if strict or "unknown symbol" not in str(error):
                # A .config keeps lines of symbols without prompt: those are results, not settings.
                if strict or "can't be set" not in str(error):
                    faults.extend(error.lines)
    if faults:
        raise InputError(*faults)
    return wanted


def check_taken(path, wanted):
    """The faults of a file's settings that had no effect."""
    return [fault(path, number, f"CONFIG_{sym.name}={value} has no effect, it is {sym.str_value or 'not set'}",
                  why_not(sym, value))
            for number, sym, value in wanted if not same_value(sym, value)]


def apply_overrides(kconf, text):
    """Set the symbols of `--set`; the same strictness as in a file."""
    wanted = []
    for word in text.split():
        try:
            pair = parse_config_line(word)
        except ValueError:
            pair = None
        if not pair:
            raise InputError(fault("--set", None, f"'{word}' is not a setting", "write CONFIG_NAME=value"))
        done = assign(kconf, "--set", None, *pair)
        if done:
            wanted.append((None, *done))
    return wanted


def check_board(kconf, path, folder):
    """A board of the user's own has a name, and a file of that name; InputError at the line that should say so."""
    own, name = kconf.syms.get("BOARD_OWN"), kconf.syms.get("BOARD")
    if own is None or own.str_value != "y":
        return
    files = os.listdir(folder) if os.path.isdir(folder) else []
    boards = sorted(file[:-len(".toml")] for file in files if file.endswith(".toml"))
    if name.str_value in boards:
        return
    lines = {}
    for number, text in enumerate(read_text(path, "defconfig").splitlines(), 1):
        for option in ("CONFIG_BOARD=", "CONFIG_BOARD_OWN="):
            if text.startswith(option):
                lines[option] = number
    line = lines.get("CONFIG_BOARD=", lines.get("CONFIG_BOARD_OWN="))
    if not name.str_value:
        raise InputError(fault(path, line, "CONFIG_BOARD_OWN needs the board's name",
                               'CONFIG_BOARD="<name>", of config/boards/<name>.toml'))
    raise InputError(fault(path, line, f'CONFIG_BOARD="{name.str_value}": there is no file config/boards/{name.str_value}.toml',
                           f"copy one of config/boards (README.md there); {guess(name.str_value, boards)}"))


def is_on(sym):
    """True if the symbol appears in the outputs: a bool that is y, or a number or string with a value."""
    import kconfiglib
    if sym.orig_type in (kconfiglib.BOOL, kconfiglib.TRISTATE):
        return sym.str_value == "y"
    if sym.orig_type == kconfiglib.STRING:
        return kconfiglib.expr_value(sym.direct_dep) > 0
    return sym.str_value != "" and kconfiglib.expr_value(sym.direct_dep) > 0


def quote(text):
    """A string literal for C, assembler and .config."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def render_autoconf(kconf):
    """gen/autoconf.h: for C and for the assembler's preprocessor; nothing for what is off."""
    import kconfiglib
    lines = ["// Generated by tools/kconfig.py from Kconfig and the product's defconfig.",
             "#ifndef AUTOCONF_H", "#define AUTOCONF_H", ""]
    for sym in filter(is_on, kconf.unique_defined_syms):
        value = sym.str_value
        if sym.orig_type in (kconfiglib.BOOL, kconfiglib.TRISTATE):
            value = "1"
        elif sym.orig_type == kconfiglib.STRING:
            value = quote(value)
        lines.append(f"#define CONFIG_{sym.name} {value}")
    return "\n".join(lines + ["", "#endif", ""])


def render_make(kconf):
    """config.mk: the same symbols as make variables."""
    lines = ["# Generated by tools/kconfig.py from Kconfig and the product's defconfig."]
    for sym in filter(is_on, kconf.unique_defined_syms):
        value = sym.str_value.replace("$", "$$").replace("#", "\\#")
        lines.append(f"CONFIG_{sym.name} := {value}")
    return "\n".join(lines + [""])


def kconfig_text(write):
    """The text that one of kconfiglib's writers produces; it only writes to files."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "config")
        write(path)
        with open(path, encoding="utf-8") as file:
            return file.read()


def write_outputs(kconf, out):
    """The three files of build/<product>."""
    header = "# Generated by tools/kconfig.py; edit with `make menuconfig`.\n"
    write_if_changed(os.path.join(out, ".config"),
                     kconfig_text(lambda p: kconf.write_config(p, header=header, save_old=False)))
    write_if_changed(os.path.join(out, "gen", "autoconf.h"), render_autoconf(kconf))
    write_if_changed(os.path.join(out, "config.mk"), render_make(kconf))


def run_menuconfig(kconf, dot_config):
    """kconfiglib's terminal interface on a .config."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise InputError(fault("--menuconfig", None, "needs a terminal", "run it from an interactive shell"))
    import menuconfig
    os.environ["KCONFIG_CONFIG"] = dot_config
    menuconfig.menuconfig(kconf)


def configure(kconf, args):
    """Give every symbol its value: from the defconfig, or from the .config that is there."""
    dot_config = os.path.join(args.out, ".config")
    keep = args.savedefconfig or not args.defconfig or (args.menuconfig and os.path.exists(dot_config))
    if keep:
        hint = "make menuconfig first: it makes one" if args.savedefconfig else "give --defconfig to make one"
        load_file(kconf, dot_config, "configuration", hint, strict=False)
        return
    wanted = load_file(kconf, args.defconfig, "defconfig", "products are the folders of config/ that have one")
    if not args.set:
        faults = check_taken(args.defconfig, wanted)
        if faults:
            raise InputError(*faults)
        return
    override = apply_overrides(kconf, args.set)
    faults = check_taken("--set", override)
    if faults:
        raise InputError(*faults)
    # What the override takes with it is its meaning, not an error; but it is said.
    names = {sym.name for _, sym, _ in override}
    for line in check_taken(args.defconfig, [w for w in wanted if w[1].name not in names]):
        print("note: " + line, file=sys.stderr)


def main(argv=None):
    """Parse the command line and do the one thing it asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], epilog="\n".join(__doc__.split("\n")[1:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kconfig", default="Kconfig", help="the symbols (default: Kconfig)")
    parser.add_argument("--defconfig", help="the product's settings")
    parser.add_argument("--out", required=True, help="the product's build folder")
    parser.add_argument("--set", default="", metavar="SETTINGS", help="settings that override the defconfig's")
    parser.add_argument("--menuconfig", action="store_true", help="edit .config in the terminal first")
    parser.add_argument("--savedefconfig", action="store_true", help="write .config to the defconfig")
    args = parser.parse_args(argv)
    if args.savedefconfig and not args.defconfig:
        parser.error("--savedefconfig needs --defconfig, the file to write")
    if args.savedefconfig and args.menuconfig:
        parser.error("--savedefconfig and --menuconfig are two steps")
    if args.set and (args.savedefconfig or not args.defconfig):
        parser.error("--set overrides a defconfig; give --defconfig")
    kconf = load_kconfig(args.kconfig)
    configure(kconf, args)
    if args.defconfig and not (args.menuconfig or args.savedefconfig):
        check_board(kconf, args.defconfig, os.path.join(os.path.dirname(args.kconfig), "config", "boards"))
    if args.savedefconfig:
        write_if_changed(args.defconfig, kconfig_text(lambda p: kconf.write_min_config(p, header="")))
        return 0
    if args.menuconfig:
        dot_config = os.path.join(args.out, ".config")
        if not os.path.exists(dot_config):
            write_outputs(kconf, args.out)
        run_menuconfig(kconf, dot_config)
        kconf = load_kconfig(args.kconfig)
        load_file(kconf, dot_config, "configuration", None, strict=False)
    write_outputs(kconf, args.out)
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
