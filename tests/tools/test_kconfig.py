#!/usr/bin/python3
"""tools/kconfig.py: its three outputs, and every fault with its exact line and words."""

import os
import pty
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(TOP, "tools", "kconfig.py")
sys.path.insert(0, os.path.join(TOP, "tools"))

import kconfig  # noqa: E402

KCONFIG = """mainmenu "Test"
config CONSOLE
	bool "console"
	default y
config VM_MAX
	int "VMs"
	range 1 16
	default 4
config BASE
	hex "base"
	default 0x1000
config NAME
	string "name"
	default "a \\"b\\" $x #1"
choice
	prompt "scheduler"
	default SCHED_RR
config SCHED_RR
	bool "round robin"
config SCHED_SINGLE
	bool "single"
endchoice
config DEP
	bool "dependent"
	depends on CONSOLE && SCHED_SINGLE
config DEP_VALUE
	int "a dependent number"
	default 3
	depends on DEP
config AUTO
	bool
	default y if DEP
config SELECTOR
	bool "selector"
	select SELECTED
config SELECTED
	bool "selected"
"""


@pytest.fixture
def tool(tmp_path, monkeypatch, capsys):
    """Runs the tool on a defconfig text; returns (exit status, stderr lines)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Kconfig").write_text(KCONFIG)

    def call(defconfig, *options):
        if defconfig is not None:
            (tmp_path / "def").write_text(defconfig)
            options = ("--defconfig", "def", *options)
        status = kconfig.run_tool(kconfig.main, ["--out", "o", *options])
        out, err = capsys.readouterr()
        assert out == ""
        return status, err.splitlines()
    call.path = tmp_path
    return call


def outputs(tool):
    """The three outputs without their comments, as lists of lines."""
    texts = [(tool.path / "o" / name).read_text().splitlines() for name in (".config", "gen/autoconf.h", "config.mk")]
    return [[line for line in text if line and not line.startswith("# Gen") and not line.startswith("//")] for text in texts]


def test_defaults(tool):
    assert tool("") == (0, [])
    config, header, make = outputs(tool)
    assert config == ["CONFIG_CONSOLE=y", "CONFIG_VM_MAX=4", "CONFIG_BASE=0x1000", 'CONFIG_NAME="a \\"b\\" $x #1"',
                      "CONFIG_SCHED_RR=y", "# CONFIG_SCHED_SINGLE is not set", "# CONFIG_SELECTOR is not set",
                      "# CONFIG_SELECTED is not set"]
    assert header == ["#ifndef AUTOCONF_H", "#define AUTOCONF_H", "#define CONFIG_CONSOLE 1", "#define CONFIG_VM_MAX 4",
                      "#define CONFIG_BASE 0x1000", '#define CONFIG_NAME "a \\"b\\" $x #1"', "#define CONFIG_SCHED_RR 1", "#endif"]
    assert make == ["CONFIG_CONSOLE := y", "CONFIG_VM_MAX := 4", "CONFIG_BASE := 0x1000",
                    'CONFIG_NAME := a "b" $$x \\#1',
                    "CONFIG_SCHED_RR := y"]


def test_mark_of_the_encoding(tool):
    """A byte order mark, as some editors write it, is not a part of the first line; lines may end in CR LF."""
    (tool.path / "def").write_bytes(b"\xef\xbb\xbfCONFIG_VM_MAX=16\r\nCONFIG_SCHED_SINGLE=y\r\n")
    assert tool(None, "--defconfig", "def") == (0, [])
    assert "#define CONFIG_VM_MAX 16" in outputs(tool)[1]


@pytest.mark.parametrize("option", ["TEXT_BUDGET", "DATA_BUDGET"])
def test_budgets(tool, option):
    """Of the project's own Kconfig: a product has no budget unless it asks for one, and none below zero."""
    kconfig_file = os.path.join(TOP, "Kconfig")
    assert tool("", "--kconfig", kconfig_file) == (0, []) and f"#define CONFIG_{option} 0" in outputs(tool)[1]
    status, errors = tool(f"CONFIG_{option}=-1\n", "--kconfig", kconfig_file)
    assert status == 1 and errors[0].startswith(f"def:1: CONFIG_{option}=-1 has no effect, it is 0. hint: its range is 0 to 65536 (")


@pytest.mark.parametrize("defconfig, options, expected", [
    ("CONFIG_VM_MAX=2\nCONFIG_BOARD_OWN=y\n", "",
     "def:2: CONFIG_BOARD_OWN needs the board's name. hint: CONFIG_BOARD=\"<name>\", of config/boards/<name>.toml"),
    ('CONFIG_BOARD_OWN=y\nCONFIG_BOARD=""\n', "",
     "def:2: CONFIG_BOARD_OWN needs the board's name. hint: CONFIG_BOARD=\"<name>\", of config/boards/<name>.toml"),
    ('CONFIG_BOARD_OWN=y\nCONFIG_BOARD="ml430"\n', "",
     "def:2: CONFIG_BOARD=\"ml430\": there is no file config/boards/ml430.toml. hint: copy one of config/boards (README.md there); did you "
     "mean 'ml403'?"),
    ("", 'CONFIG_BOARD_OWN=y CONFIG_BOARD="ml430"',
     "def: CONFIG_BOARD=\"ml430\": there is no file config/boards/ml430.toml. hint: copy one of config/boards (README.md there); did you "
     "mean 'ml403'?"),
    ('CONFIG_BOARD="ml403"\n', "",
     "def:1: CONFIG_BOARD=ml403 has no effect, it is ref405ep. hint: its prompt is not visible (Kconfig:{BOARD})")],
    ids=["none", "empty", "no_file", "override", "without_own"])
def test_own_board(tool, defconfig, options, expected):
    """What CONFIG_BOARD_OWN needs."""
    path = os.path.join(TOP, "Kconfig")
    with open(path, encoding="utf-8") as file:
        line = file.read().splitlines().index("config BOARD") + 1
    status, errors = tool(defconfig, "--kconfig", path, *(["--set", options] if options else []))
    assert status == 1 and [error.replace(TOP + "/", "") for error in errors] == [expected.replace("{BOARD}", str(line))]


def test_own_board_of_two_options(tool):
    """One file and two options: the UARTs that a Virtex design may have are all there."""
    assert tool('CONFIG_BOARD_OWN=y\nCONFIG_BOARD="ml403"\n', "--kconfig", os.path.join(TOP, "Kconfig")) == (0, [])
    header = outputs(tool)[1]
    assert {f"#define CONFIG_{name} 1" for name in ("UART_16550_WORDS", "UART_UARTLITE", "INTC", "INTC_MMIO")} <= set(header)


def test_settings(tool):
    assert tool('# comment\n\n# CONFIG_SELECTED is not set\nCONFIG_SCHED_SINGLE=y\nCONFIG_DEP=y\nCONFIG_VM_MAX=16\n'
                'CONFIG_BASE=0x2000\nCONFIG_NAME="x\\\\y"\n') == (0, [])
    header = outputs(tool)[1]
    assert header[2:-1] == ["#define CONFIG_CONSOLE 1", "#define CONFIG_VM_MAX 16", "#define CONFIG_BASE 0x2000",
                            '#define CONFIG_NAME "x\\\\y"', "#define CONFIG_SCHED_SINGLE 1", "#define CONFIG_DEP 1",
                            "#define CONFIG_DEP_VALUE 3", "#define CONFIG_AUTO 1"]


def test_header_and_make_agree_with_their_readers(tool):
    """The C preprocessor, the assembler's and make read back what was set."""
    assert tool('CONFIG_NAME="p"\n')[0] == 0
    source = '#include "autoconf.h"\n#if CONFIG_VM_MAX == 4 && !defined(CONFIG_DEP)\ngood CONFIG_NAME CONFIG_BASE\n#endif\n'
    for language in ("c", "assembler-with-cpp"):
        result = subprocess.run(["powerpc-linux-gnu-gcc", "-E", "-P", "-Io/gen", "-x", language, "-"], input=source,
                                cwd=tool.path, capture_output=True, text=True, timeout=60, check=True)
        assert result.stdout.strip() == 'good "p" 0x1000'
    tool("")
    result = subprocess.run(["make", "-s", "-f", "-"],
                            input='include o/config.mk\nall:\n\t@echo \'$(CONFIG_NAME)\' $(CONFIG_DEP).\n',
                            cwd=tool.path, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == 'a "b" $x #1 .\n'


FAULTS = [
    ("unknown", "CONFIG_CONSOLE=y\nCONFIG_CONSOL=y\n",
     "2: unknown symbol CONFIG_CONSOL. hint: did you mean 'CONSOLE'?"),
    ("unknown_off", "# CONFIG_SELECTDE is not set\n",
     "1: unknown symbol CONFIG_SELECTDE. hint: did you mean 'SELECTED'?"),
    ("malformed", "\nCONSOLE=y\n",
     "2: 'CONSOLE=y' is not a setting. hint: write CONFIG_NAME=value, or # for a comment"),
    ("twice", "CONFIG_CONSOLE=y\n\nCONFIG_CONSOLE=n\n", "3: CONFIG_CONSOLE is set twice. hint: first in line 1"),
    ("bool", "CONFIG_CONSOLE=yes\n", "1: CONFIG_CONSOLE is of type bool, 'yes' is not. hint: give it y or n"),
    *[("int_" + name, f"CONFIG_VM_MAX={text}\n",
       f"1: CONFIG_VM_MAX is of type int, '{text}' is not. hint: give it a decimal number without leading zeros, _ or +")
      for name, text in (("hex", "0x4"), ("octal", "010"), ("underscore", "1_2"), ("sign", "+12"), ("minus_zero", "-0"), ("none", ""))],
    ("hex_decimal", "CONFIG_BASE=4096\n", "1: CONFIG_BASE is of type hex, '4096' is not. hint: give it a number like 0x1000"),
    ("hex_underscore", "CONFIG_BASE=0x1_000\n",
     "1: CONFIG_BASE is of type hex, '0x1_000' is not. hint: give it a number like 0x1000"),
    ("hex", "CONFIG_BASE=zz\n", "1: CONFIG_BASE is of type hex, 'zz' is not. hint: give it a number like 0x1000"),
    ("string", "CONFIG_NAME=abc\n", "1: CONFIG_NAME is a string, abc is not. hint: write CONFIG_NAME=\"text\""),
    ("range", "CONFIG_VM_MAX=17\n",
     "1: CONFIG_VM_MAX=17 has no effect, it is 4. hint: its range is 1 to 16 (Kconfig:5)"),
    ("depends", "CONFIG_CONSOLE=y\nCONFIG_DEP=y\n",
     "2: CONFIG_DEP=y has no effect, it is n. hint: it depends on CONSOLE && SCHED_SINGLE (Kconfig:23)"),
    ("depends_value", "CONFIG_DEP_VALUE=5\n",
     "1: CONFIG_DEP_VALUE=5 has no effect, it is not set. hint: it depends on DEP (Kconfig:26)"),
    ("selected", "CONFIG_SELECTOR=y\n# CONFIG_SELECTED is not set\n",
     "2: CONFIG_SELECTED=n has no effect, it is y. hint: it is selected by SELECTOR"),
    ("choice", "CONFIG_SCHED_RR=y\nCONFIG_SCHED_SINGLE=y\n",
     "1: CONFIG_SCHED_RR=y has no effect, it is n. hint: only one of a choice can be set, and CONFIG_SCHED_SINGLE is"),
    ("no_prompt", "CONFIG_AUTO=y\n",
     "1: CONFIG_AUTO can't be set, it follows from other symbols. hint: remove the line; the symbol is defined at Kconfig:30"),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_fault(tool, text, expected):
    assert tool(text) == (1, ["def:" + expected])
    assert not (tool.path / "o").exists()


def test_all_faults_at_once(tool):
    assert [line.split(":")[1] for line in tool("CONFIG_X=y\nfoo\nCONFIG_BASE=q\n")[1]] == ["1", "2", "3"]


def test_missing_files(tool):
    assert tool(None, "--defconfig", "nix") == (1, [
        "nix: can't read the defconfig: No such file or directory. hint: products are the folders of config/ that have one"])
    assert tool("", "--kconfig", "nix") == (1, [
        "nix: can't read the Kconfig file: No such file or directory. hint: run from the top of the source tree, or give --kconfig"])
    assert tool(None) == (1, ["o/.config: can't read the configuration: No such file or directory. hint: give --defconfig to make one"])
    assert tool("", "--savedefconfig") == (1, ["o/.config: can't read the configuration: No such file or directory. "
                                               "hint: make menuconfig first: it makes one"])


def test_kconfig_faults(tool):
    (tool.path / "Kconfig").write_text("config X\n\tbool foo bar\n")
    assert tool("") == (1, ["Kconfig:2: couldn't parse 'bool foo bar': extra tokens at end of line. "
                            "hint: the language is that of Linux' Kconfig files"])
    (tool.path / "Kconfig").write_text('config X\n\tbool "x"\n\tdepends on FOO\n')
    assert tool("") == (1, ["Kconfig:1: symbol FOO is not defined. hint: define it, or correct the expression that names it"])
    (tool.path / "Kconfig").write_text('config X\n\tint "x"\n\tdefault zz\n')
    status, err = tool("")
    assert status == 1 and err[0].startswith("Kconfig:1: ") and "X" in err[0]


def test_override(tool):
    assert tool("CONFIG_SCHED_SINGLE=y\nCONFIG_DEP=y\n", "--set", "CONFIG_CONSOLE=n  CONFIG_VM_MAX=2") == (0, [
        "note: def:2: CONFIG_DEP=y has no effect, it is n. hint: it depends on CONSOLE && SCHED_SINGLE (Kconfig:23)"])
    assert outputs(tool)[2][:2] == ["CONFIG_VM_MAX := 2", "CONFIG_BASE := 0x1000"]
    assert tool("CONFIG_CONSOLE=y\n", "--set", "CONFIG_CONSOLE=n") == (0, [])
    assert tool("", "--set", "") == (0, [])


@pytest.mark.parametrize("text, expected", [
    ("CONFIG_X=n",
     "unknown symbol CONFIG_X. hint: known: AUTO, BASE, CONSOLE, DEP, DEP_VALUE, NAME, SCHED_RR, SCHED_SINGLE, "
     "SELECTED, SELECTOR, VM_MAX"),
    ("VM_MAX=2", "'VM_MAX=2' is not a setting. hint: write CONFIG_NAME=value"),
    ("CONFIG_DEP=y", "CONFIG_DEP=y has no effect, it is n. hint: it depends on CONSOLE && SCHED_SINGLE (Kconfig:23)")])
def test_override_fault(tool, text, expected):
    assert tool("", "--set", text) == (1, ["--set: " + expected])


def test_outputs_are_left_alone(tool):
    tool("CONFIG_VM_MAX=2\n")
    files = [tool.path / "o" / name for name in (".config", "gen/autoconf.h", "config.mk")]
    for file in files:
        os.utime(file, (1, 1))
    tool("CONFIG_VM_MAX=2\n# CONFIG_SELECTED is not set\n")
    assert all(file.stat().st_mtime == 1 for file in files)
    assert tool("CONFIG_VM_MAX=99\n")[0] == 1
    assert all(file.stat().st_mtime == 1 for file in files)
    tool("CONFIG_VM_MAX=3\n")
    assert all(file.stat().st_mtime != 1 for file in files)
    assert sorted(file.name for file in (tool.path / "o").iterdir()) == [".config", "config.mk", "gen"]


def test_from_dot_config(tool):
    """Without a defconfig the .config rules, and what is no setting of the user's in it does no harm."""
    tool("CONFIG_SCHED_SINGLE=y\nCONFIG_DEP=y\n")
    config = tool.path / "o" / ".config"
    config.write_text(config.read_text().replace("CONFIG_VM_MAX=4", "CONFIG_VM_MAX=7") + "CONFIG_GONE=y\n")
    assert tool(None) == (0, [])
    make = outputs(tool)[2]
    assert "CONFIG_VM_MAX := 7" in make and "CONFIG_AUTO := y" in make and "GONE" not in config.read_text()


def test_savedefconfig(tool):
    text = "CONFIG_VM_MAX=2\nCONFIG_SCHED_SINGLE=y\nCONFIG_DEP=y\n"
    tool(text)
    assert tool("old\n", "--savedefconfig") == (0, [])
    assert (tool.path / "def").read_text() == text
    assert tool(text) == (0, [])


def test_menuconfig_needs_a_terminal(tool):
    result = subprocess.run([TOOL, "--out", "o", "--defconfig", "def", "--menuconfig"], cwd=tool.path,
                            stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (1, "def: can't read the defconfig: No such file or directory. "
                                                  "hint: products are the folders of config/ that have one\n")
    (tool.path / "def").write_text("")
    result = subprocess.run([TOOL, "--out", "o", "--defconfig", "def", "--menuconfig"], cwd=tool.path,
                            stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode,
            result.stderr) == (1, "--menuconfig: needs a terminal. hint: run it from an interactive shell\n")


def test_menuconfig_on_a_terminal(tool):
    """The real interface on a pseudo-terminal: turn the first option off, save, leave; the outputs follow."""
    (tool.path / "def").write_text("CONFIG_VM_MAX=2\n")
    master, slave = pty.openpty()
    process = subprocess.Popen([TOOL, "--out", "o", "--defconfig", "def", "--menuconfig"], cwd=tool.path, stdin=slave,
                               stdout=slave,
                               stderr=slave, env={**os.environ, "TERM": "xterm", "LINES": "40", "COLUMNS": "120"})
    os.close(slave)
    os.write(master, b"nqy")
    output = b""
    try:
        while True:
            chunk = os.read(master, 4096)
            if not chunk:
                break
            output += chunk
    except OSError:
        pass                        # the other end is closed
    os.close(master)
    assert process.wait(timeout=60) == 0, output
    assert outputs(tool)[2][:2] == ["CONFIG_VM_MAX := 2", "CONFIG_BASE := 0x1000"]


@pytest.mark.parametrize("options", [[], ["--out", "o", "--savedefconfig"], ["--out", "o", "--set", "CONFIG_X=y"],
                                     ["--out", "o", "--defconfig", "d", "--savedefconfig",
                                      "--menuconfig"], ["--nonsense"]])
def test_usage(tool, options):
    result = subprocess.run([TOOL, *options], cwd=tool.path, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 2 and result.stderr.startswith("usage: kconfig.py") and not (tool.path / "o").exists()
