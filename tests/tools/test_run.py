"""tools/run.py, machine.py: what they make of a console, how they start and end QEMU. A small program plays QEMU's part."""

import os
import re
import stat
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import image as images  # noqa: E402
import machine as machines  # noqa: E402
import run  # noqa: E402

CROSS = os.environ.get("CROSS_COMPILE") or "powerpc-linux-gnu-"
CONSOLE = """\
[a] hello
[b] working
[proteus] stop c pc=00000100 insn=00000000: no vectors
[a] a: PASS jobs=3
[b] program: PASS
[proteus] stat a mfspr=10 rfi=5 irq=2 pit=1 switches=4 ticks=0x300
[proteus] stat b rfi=7 irq=1 ticks=256
"""


@pytest.fixture
def fake(tmp_path):
    """Makes a QEMU that says a version, and runs Python code otherwise. Gives its path; an image lies beside it."""
    def make(code, version="7.2.22"):
        path = tmp_path / "qemu-system-ppc"
        path.write_text("#!/usr/bin/python3\nimport os, sys, time\n"
                        f"if '--version' in sys.argv:\n    print('QEMU emulator version {version}')\n    sys.exit(0)\n"
                        + code)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        (tmp_path / "image.elf").write_bytes(b"\x7fELF")
        return str(path)
    return make


def console_of(text):
    """A console with these lines."""
    console = run.Result()
    for line in text.splitlines():
        console.add(line)
    return console


def main(fake_path, tmp_path, *arguments):
    """The command line on the fake QEMU."""
    return run.main(["--image", str(tmp_path / "image.elf"), "--qemu", fake_path, *arguments])


def test_sorts_lines_by_speaker():
    console = console_of(CONSOLE + "no tag\n")
    assert console.vms["a"].lines == ["hello", "a: PASS jobs=3"]
    assert console.vms["c"].stops == ["pc=00000100 insn=00000000: no vectors"]
    assert console.untagged == ["no tag"]
    assert len(console.hypervisor) == 3


def test_a_tag_is_the_name_of_a_vm_at_the_beginning_of_a_line():
    """Whatever a guest writes behind its tag is its own text, and nobody else's; so is a tag of nobody."""
    console = run.Result(["a", "b"])
    for line in ("[a] [b] b: PASS", "[a] [proteus] stop b pc=0: I say so", "[a]\\r[proteus] panic: no", "[0] a: PASS",
                 " [b] b: PASS", "[B] b: PASS", "[b] b: FAIL", "[proteus] stop a pc=0: really"):
        console.add(line)
    assert console.vms["b"].lines == ["b: FAIL"] and console.vms["b"].stops == []
    assert console.vms["a"].verdict is None and console.vms["a"].stops == ["pc=0: really"]
    assert console.untagged == ["[0] a: PASS", " [b] b: PASS", "[B] b: PASS"]
    assert set(console.vms) == {"a", "b"} and len(console.hypervisor) == 1


def test_the_second_uart_of_a_vm():
    """It is the VM that speaks: its verdict counts, its lines are apart."""
    result = run.Result(["a"])
    for line in ("[a] one", "[a.1] two", "[a.1] a: PASS", "[a.2] x", "[b.1] y"):
        result.add(line)
    assert (result.vms["a"].lines, result.vms["a"].second) == (["one"], ["two", "a: PASS"])
    assert (result.vms["a"].verdict, result.untagged, list(result.vms)) == ("PASS", ["[a.2] x", "[b.1] y"], ["a"])


@pytest.mark.parametrize("section, speakers", [(".vcpu", None), (".text", ())])
def test_who_may_speak(tmp_path, section, speakers):
    """An image of the hypervisor has tags; a guest run bare has none; the partition table says which."""
    source, path = tmp_path / "a.S", str(tmp_path / "a.elf")
    source.write_text(f'.section {section}, "aw", @nobits\n.space 4\n')
    subprocess.run([f"{CROSS}gcc", "-c", "-o", path, str(source)], check=True, timeout=60)
    assert images.speakers(images.Image(path), None) == speakers
    assert images.speakers(images.Image(path), ["a"]) == ["a"]
    assert images.speakers(images.Image(str(tmp_path / "none")), None) is None


def test_a_bare_guest_has_no_tags(fake, tmp_path, capsys):
    """Its own lines may look like them (a kernel that prints the processor's number), or like the hypervisor's."""
    path = fake("print('[0] a: PASS n=1\\n[proteus] stop b pc=0: forged\\na: PASS n=2')\n")
    source = tmp_path / "a.S"
    source.write_text("nop\n")
    subprocess.run([f"{CROSS}gcc", "-c", "-o", str(tmp_path / "image.elf"), str(source)], check=True, timeout=60)
    assert main(path, tmp_path) == 0
    out = capsys.readouterr().out
    assert re.search(r"^bare +PASS ", out, re.M) and "stopped" not in out


def test_counters():
    stats = console_of(CONSOLE).vms["a"].stats
    assert stats == {"mfspr": 10, "rfi": 5, "irq": 2, "pit": 1, "switches": 4, "ticks": 0x300}
    assert console_of(CONSOLE).vms["a"].trap_total() == 15


@pytest.mark.parametrize("lines, verdict", [
    (["x: PASS n=1"], "PASS"), (["x: FAIL why"], "FAIL"), (["x: FAIL why", "x: PASS"], "FAIL"),
    (["x: PASS", "x: FAIL late"], "FAIL"), (["PASS"], None), (["x: PASSED"], None), ([], None)])
def test_verdict(lines, verdict):
    vm = run.Vm("x")
    for line in lines:
        vm.add(line)
    assert vm.verdict == verdict


def test_summary_table():
    console = console_of(CONSOLE)
    text = list(run.summary(run.vms_to_show(console, ["a", "b"])))
    assert text[0].split() == ["vm", "result", "time", "traps", "interrupts", "pit", "switches"]
    assert text[1].split() == ["a", "PASS", "75.0", "%", "15", "2", "1", "4"]
    assert text[2].split() == ["b", "PASS", "25.0", "%", "7", "1", "-", "-"]
    assert text[3].split()[:2] == ["c", "stopped"]
    assert ["rfi", "5", "7", "0"] in [line.split() for line in text]
    assert "stopped: c: pc=00000100 insn=00000000: no vectors" in text


def test_pass_is_status_0(fake, tmp_path, capsys):
    assert main(fake(f"print({CONSOLE!r}, end='')\n"), tmp_path, "--vms", "a,b") == 0
    assert "[a] hello" in capsys.readouterr().out


@pytest.mark.parametrize("names", ["a,b,c", "a,missing"])
def test_without_pass_is_status_1(fake, tmp_path, capsys, names):
    assert main(fake(f"print({CONSOLE!r}, end='')\n"), tmp_path, "--vms", names) == 1
    assert "expected a line" in capsys.readouterr().err


def test_expected_vms_from_the_partition_table(fake, tmp_path):
    (tmp_path / "gen").mkdir()
    table = tmp_path / "gen" / "partitions.json"
    table.write_text('{"vms": [{"name": "a"}, {"name": "b"}]}')
    assert main(fake(f"print({CONSOLE!r}, end='')\n"), tmp_path) == 0
    table.write_text('{"vms": [{"name": "a"}, {"name": "c"}]}')
    assert main(fake(f"print({CONSOLE!r}, end='')\n"), tmp_path) == 1


def test_vm_that_cannot_be_heard(fake, tmp_path, capsys):
    """It has neither a console nor a device: said with the key that it lacks, for it alone."""
    (tmp_path / "gen").mkdir()
    (tmp_path / "gen" / "partitions.json").write_text(
        '{"vms": [{"name": "a", "console_base": 0, "devices": []}, {"name": "b", "console_base": 0, "devices": ["uart0"]},'
        ' {"name": "c", "console_base": 4026531840, "devices": []}]}')
    assert main(fake("pass"), tmp_path) == 1
    assert capsys.readouterr().err.splitlines() == [
        "run.py: a: silent: expected a line `a: PASS ...`; it has no console: console = \"shared\" in its [[vm]]",
        "run.py: b: silent: expected a line `b: PASS ...`", "run.py: c: silent: expected a line `c: PASS ...`"]


def test_broken_partition_table(fake, tmp_path, capsys):
    (tmp_path / "gen").mkdir()
    (tmp_path / "gen" / "partitions.json").write_text("{")
    assert main(fake("pass\n"), tmp_path) == 1
    assert "partitions.json:1: not a partition table" in capsys.readouterr().err


def test_panic_fails(fake, tmp_path, capsys):
    text = CONSOLE + "[proteus] panic: vcpu srr0=0\n"
    assert main(fake(f"print({text!r}, end='')\n"), tmp_path, "--vms", "a,b") == 1
    assert "panic" in capsys.readouterr().err


def test_summary_only(fake, tmp_path, capsys):
    main(fake(f"print({CONSOLE!r}, end='')\n"), tmp_path, "--vms", "a,b", "--summary")
    assert "hello" not in capsys.readouterr().out


def test_timeout(fake, tmp_path, capsys):
    path = fake("print('[a] a: PASS', flush=True)\ntime.sleep(60)\n")
    assert main(path, tmp_path, "--vms", "a", "--timeout", "0.5") == 1
    error = capsys.readouterr().err
    assert "timeout" in error and "last line: [a] a: PASS" in error


def test_a_vm_that_owns_the_uart(fake, tmp_path, capsys):
    """Nobody tags its lines; the hypervisor's message about its end does not hide them."""
    path = fake("print('a: PASS n=1\\n[proteus] stop a pc=00000000: reset by the guest')\n")
    assert main(path, tmp_path, "--vms", "a") == 0
    assert re.search(r"^a +PASS ", capsys.readouterr().out, re.M)
    path = fake("print('[proteus] stop a pc=00000000: fetch outside its memory')\n")
    assert main(path, tmp_path, "--vms", "a") == 1


def test_an_unfinished_line_is_not_heard(fake, tmp_path):
    """A run that is ended on purpose may be in the middle of a line."""
    path = fake("sys.stdout.write('[a] a: PASS n=1\\n[proteus] st'); sys.stdout.flush(); time.sleep(20)\n")
    result = run.run(image=str(tmp_path / "image.elf"), qemu=path, timeout=30, until=run.all_decided(["a"]))
    assert result.vms["a"].verdict == "PASS" and not result.hypervisor


def test_until_decided(fake, tmp_path):
    path = fake("print('[a] a: PASS', flush=True)\ntime.sleep(60)\n")
    assert main(path, tmp_path, "--vms", "a", "--until-decided", "--timeout", "30") == 0


def test_abort_of_qemu(fake, tmp_path, capsys):
    path = fake("print('[a] a: PASS', flush=True)\nprint('fatal: mffs', file=sys.stderr)\nos.abort()\n")
    assert main(path, tmp_path, "--vms", "a") == 1
    assert "QEMU ended with status -6: fatal: mffs" in capsys.readouterr().err


def test_input_script(fake, tmp_path):
    path = fake("print('login:', flush=True)\nname = sys.stdin.readline().strip()\n"
                "print('[a] a: ' + name, flush=True)\n")
    script = tmp_path / "script"
    script.write_text("# a comment\nwait login:\nsend PASS\\n\n")
    assert main(path, tmp_path, "--vms", "a", "--input", str(script)) == 0


def test_input_script_not_followed(fake, tmp_path, capsys):
    script = tmp_path / "script"
    script.write_text("wait password\nsend x\n")
    assert main(fake("print('[a] a: PASS')\n"), tmp_path, "--vms", "a", "--input", str(script)) == 1
    assert "input script, line 1: never reached: wait password" in capsys.readouterr().err


@pytest.mark.parametrize("text, line", [("wait a\nexpect b\n", 2), ("wait (\n", 1), ("send\n", 1)])
def test_bad_input_script(fake, tmp_path, capsys, text, line):
    script = tmp_path / "script"
    script.write_text(text)
    assert main(fake("pass\n"), tmp_path, "--input", str(script)) == 1
    error = capsys.readouterr().err
    assert f"{script}:{line}: " in error and "hint: " in error


def test_expectations_in_their_order(fake, tmp_path, capsys):
    path = fake(f"print({CONSOLE!r}, end='')\n")
    expect = tmp_path / "expect"
    expect.write_text("hello\na: PASS jobs=[0-9]\n")
    assert main(path, tmp_path, "--vms", "a", "--expect", str(expect)) == 0
    expect.write_text("a: PASS\nhello\n")
    assert main(path, tmp_path, "--vms", "a", "--expect", str(expect)) == 1
    assert "expected line 2 did not come: hello" in capsys.readouterr().err


def test_one_guest_bare(fake, tmp_path):
    assert main(fake("print('twin: PASS n=3')\n"), tmp_path, "--vms", "twin") == 0
    assert main(fake("print('twin: FAIL n=3')\n"), tmp_path, "--vms", "twin") == 1


@pytest.mark.parametrize("version, cause", [("10.0.2", "QEMU 10.0 has no machine ref405ep"), ("6.2.0", "too old"),
                                            ("x", "does not say its version")])
def test_wrong_qemu(fake, tmp_path, capsys, version, cause):
    assert main(fake("print('[a] a: PASS')\n", version), tmp_path, "--vms", "a") == 1
    error = capsys.readouterr().err
    assert cause in error and "hint: " in error


def test_untested_qemu_warns(fake, tmp_path, capsys):
    assert main(fake("print('[a] a: PASS')\n", "8.2.0"), tmp_path, "--vms", "a") == 0
    assert "only 7.2 and 10.0 are tested" in capsys.readouterr().err


def test_no_qemu(tmp_path, capsys, monkeypatch):
    """None of that name; none at all, neither the distribution's nor ours."""
    (tmp_path / "image.elf").write_bytes(b"")
    assert main("/nonexistent/qemu", tmp_path) == 1
    assert "/nonexistent/qemu: not found. hint: is the name right" in capsys.readouterr().err
    monkeypatch.delenv("QEMU", raising=False)
    monkeypatch.setattr(machines, "QEMU", "no-such-qemu")
    monkeypatch.setattr(machines, "PATCHED", str(tmp_path / "none"))
    assert run.main(["--image", str(tmp_path / "image.elf")]) == 1
    assert "no-such-qemu: not found. hint: on Debian 12: apt-get install" in capsys.readouterr().err


def test_no_image(fake, tmp_path, capsys):
    path = fake("pass\n")
    assert run.main(["--image", str(tmp_path / "none.elf"), "--qemu", path]) == 1
    assert "none.elf:1: no such file. hint: " in capsys.readouterr().err


def test_rom_of_wrong_size(fake, tmp_path, capsys):
    rom = tmp_path / "rom.bin"
    rom.write_bytes(b"1234")
    assert run.main(["--rom", str(rom), "--qemu", fake("pass\n")]) == 1
    assert "has 524288 bytes, this file has 4" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--image", "a", "--rom", "b"], ["--image", "a", "--timeout", "0"]])
def test_usage(arguments):
    with pytest.raises(SystemExit) as error:
        run.main(arguments)
    assert error.value.code == 2


def test_command_line(tmp_path):
    image = tmp_path / "image.elf"
    image.write_bytes(b"")
    command = run.command_line("qemu", image=str(image), uart1="out")
    assert command[1:3] == ["-M", "ref405ep"]
    assert "shift=0,sleep=off" in command and "-no-reboot" in command
    assert command[-2:] == ["-kernel", str(image)]
    assert "-icount" not in run.command_line("qemu", image=str(image), icount=False)


# ---------------------------------------------------------------- which machine
RAM = '"board": {"ram": [{"base": 0, "size": 134217728}]}, '
VIRTEX = RAM + '"qemu": {"machine": "virtex-ppc405", "serial": %s, "patched": true}'
HELP = ("print('Supported machines are:\\nvirtex-ppc405        Xilinx\\nnone                 empty') if 'help' in sys.argv else "
        "print('[a] a: PASS', sys.argv)\n")


def table_beside(tmp_path, text):
    """A partition table beside the image."""
    (tmp_path / "gen").mkdir(exist_ok=True)
    (tmp_path / "gen" / "partitions.json").write_text('{"vms": [{"name": "a"}], ' + text + "}")


def test_machine_of_the_image(fake, tmp_path, capsys):
    """The table says machine and UART; the command line is stronger; without both it is ref405ep."""
    path = fake(HELP)
    assert main(path, tmp_path, "--vms", "a") == 0
    assert "'-M', 'ref405ep'" in capsys.readouterr().out
    table_beside(tmp_path, VIRTEX % 1)
    assert main(path, tmp_path) == 0
    out = capsys.readouterr().out
    assert "'-M', 'virtex-ppc405'" in out and "'-serial', 'null', '-serial', 'stdio', '-kernel'" in out
    assert "'-m', '131072k'" in out
    assert main(path, tmp_path, "--machine", "ref405ep") == 0
    out = capsys.readouterr().out
    assert "'-M', 'ref405ep'" in out and "null" not in out
    assert main(path, tmp_path, "--machine", "virtex-ppc405,intc-dcr=on") == 0
    out = capsys.readouterr().out
    assert "'-M', 'virtex-ppc405,intc-dcr=on'" in out and "null" not in out
    assert main(path, tmp_path, "--machine", "virtex-ppc405", "--serial", "1") == 0
    assert "'-serial', 'null', '-serial', 'stdio', '-kernel'" in capsys.readouterr().out


def test_silence(fake, tmp_path, capsys):
    """Nothing came: each VM was silent, and there is no other."""
    path = fake(HELP.replace("print('[a] a: PASS', sys.argv)", "__import__('time').sleep(20)"))
    table_beside(tmp_path, VIRTEX % 1)
    assert main(path, tmp_path, "--timeout", "2") == 1
    out, error = capsys.readouterr()
    assert [line.split()[:2] for line in out.splitlines()] == [[], ["vm", "result"], ["a", "silent"]]
    assert "last line: (nothing; has the machine its console where the board's file says?)" in error


def test_machine_that_qemu_lacks(fake, tmp_path, capsys):
    assert main(fake(HELP), tmp_path, "--machine", "raptor") == 1
    error = capsys.readouterr().err
    assert "has no machine raptor. hint: " in error and "make qemu" in error


def test_board_that_is_no_machine(fake, tmp_path, capsys):
    """A board of the user's own, with no [qemu] in its file: nothing is started."""
    table_beside(tmp_path, RAM + '"qemu": {"machine": "mine", "serial": 0, "patched": false}')
    assert main(fake(HELP), tmp_path) == 1
    out, error = capsys.readouterr()
    assert out == "" and "has no machine mine. hint: a real board takes the image itself" in error


def test_the_patched_qemu_is_found(fake, tmp_path, capsys, monkeypatch):
    """Of the machines of tools/qemu it is the default; without it there is a hint, and no other QEMU is taken."""
    table_beside(tmp_path, VIRTEX % 0)
    monkeypatch.delenv("QEMU", raising=False)
    monkeypatch.setattr(machines, "PATCHED", str(tmp_path / "none" / "qemu-system-ppc"))
    assert run.main(["--image", str(tmp_path / "image.elf")]) == 1
    error = capsys.readouterr().err
    assert "not found" in error and "hint: build it: make qemu" in error
    monkeypatch.setattr(machines, "PATCHED", fake(HELP))
    assert run.main(["--image", str(tmp_path / "image.elf")]) == 0
    monkeypatch.setenv("QEMU", "/nonexistent/qemu")
    assert run.main(["--image", str(tmp_path / "image.elf")]) == 1
    assert "/nonexistent/qemu: not found" in capsys.readouterr().err


def test_ref405ep_on_qemu_10(fake, tmp_path, capsys, monkeypatch):
    """The distribution's has lost it: ours is taken, or there is a hint to build it. Nobody warns of ours."""
    monkeypatch.delenv("QEMU", raising=False)
    monkeypatch.setattr(machines, "QEMU", fake(HELP, "10.0.2"))
    monkeypatch.setattr(machines, "PATCHED", str(tmp_path / "none"))
    image = ["--image", str(tmp_path / "image.elf"), "--vms", "a"]
    assert run.main(image) == 1
    assert "QEMU 10.0 no longer has the machine ref405ep. hint: build ours: make qemu" in capsys.readouterr().err
    ours = tmp_path / "ours"
    ours.write_text((tmp_path / "qemu-system-ppc").read_text().replace("virtex-ppc405", "ref405ep     "))
    ours.chmod(0o755)
    monkeypatch.setattr(machines, "PATCHED", str(ours))
    assert run.main(image) == 0
    out, error = capsys.readouterr()
    assert "'-M', 'ref405ep'" in out and error == ""


@pytest.mark.parametrize("facts", ['"qemu": []', '"qemu": {"machine": "raptor"}', '"qemu": 3', VIRTEX % '"0"', VIRTEX % 4,
                                   VIRTEX % "true"])
def test_bad_facts_about_the_machine(fake, tmp_path, capsys, facts):
    table_beside(tmp_path, facts)
    assert main(fake(HELP), tmp_path) == 1
    assert "partitions.json:1: not a partition table: " in capsys.readouterr().err


def test_a_table_that_is_none(fake, tmp_path, capsys):
    (tmp_path / "gen").mkdir()
    (tmp_path / "gen" / "partitions.json").write_text("[]")
    assert main(fake(HELP), tmp_path) == 1
    assert "not a partition table: []" in capsys.readouterr().err


def test_uart1_of_a_machine_whose_console_it_is(fake, tmp_path, capsys):
    table_beside(tmp_path, VIRTEX % 1)
    assert main(fake(HELP), tmp_path, "--uart1", str(tmp_path / "out")) == 1
    assert "--uart1: the console of virtex-ppc405 is its second UART itself" in capsys.readouterr().err


@pytest.mark.parametrize("size, good", [(0x80000, True), (0x1000, True), (0x1000000, True), (0, False), (0x1001, False),
                                        (0x1001000, False)])
def test_rom_of_a_virtex_board(fake, tmp_path, capsys, size, good):
    path = fake(HELP)
    rom = tmp_path / "rom.bin"
    with open(rom, "wb") as file:
        file.truncate(size)
    assert (run.main(["--rom", str(rom), "--qemu", path, "--machine", "virtex-ppc405", "--vms", "a"]) == 0) == good
    assert ("in units of 4096" in capsys.readouterr().err) == (not good)


def test_a_reader_that_goes_away(fake, tmp_path):
    """`run.py ... | head`: no traceback."""
    path = fake("print('x\\n' * 100000 + '[a] a: PASS')\n")
    command = f"{ROOT}/tools/run.py --image {tmp_path}/image.elf --qemu {path} --vms a | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "x\n" and done.stderr == ""
