#!/usr/bin/python3
"""tools/deps.sh on a machine made of stand-ins: which packages it misses, and what it runs to install them."""

import os
import re
import shutil
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(TOP, "tools", "deps.sh")

CONFIG = ["make", "python3", "python3-kconfiglib"]
RUN = ["make", "gcc-powerpc-linux-gnu", "qemu-system-ppc", "python3", "python3-kconfiglib", "python3-pyelftools",
       "newlib-source",
       "gcc-12-source", "xz-utils"]
LINUX = ["linux-source-6.1", "xz-utils", "make", "gcc", "libc6-dev", "flex", "bison", "bc", "gcc-powerpc-linux-gnu",
         "libc6-dev-powerpc-cross", "python3", "python3-pyelftools"]
# Of what ours is built with, what no other purpose needs
QEMU = ["dpkg-dev", "patch", "gcc", "libc6-dev", "binutils", "meson", "ninja-build", "pkg-config", "libglib2.0-dev", "libpixman-1-dev",
        "libfdt-dev", "python3-venv"]
DEBUG = RUN + ["gdb-multiarch"]
TEST = DEBUG + ["gcc", "libc6-dev", "libcmocka-dev", "python3-pytest", "python3-pytest-xdist", "python3-jsonschema", "spin",
              "graphviz", "glpk-utils"]
LINT = ["make", "cppcheck", "shellcheck", "pyflakes3", "python3"]

# dpkg-query as it answers -W -f '${Package} ${db:Status-Status}': known packages on stdout, others make the status 1.
DPKG_QUERY = """#!/bin/sh
shift 3
status=0
for package in "$@"; do
    grep "^$package " "$STATE/packages" || { echo "no packages found matching $package" >&2; status=1; }
done
exit $status
"""
# What apt has a package of: all that the project names on Debian 12, but for what a test takes away.
APT_CACHE = """#!/bin/sh
[ "$*" = pkgnames ] || { echo "apt-cache $*?"; exit 100; }
cat "$STATE/archive"
"""
LOGGED = """#!/bin/sh
echo "$(basename "$0") $*" >>"$STATE/log"
[ "$(basename "$0")" != sudo ] || exec "$@"
[ ! -e "$STATE/fail-$3" ] || { echo "E: no network"; exit 100; }
"""


@pytest.fixture
def machine(tmp_path):
    """A PATH of stand-ins; `run` returns (status, stdout, stderr, log of what was run)."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "env", "mktemp", "tail", "rm", "grep", "basename", "cat", "tr", "cut", "dirname"):
        (folder / name).symlink_to(subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, text=True,
                                                  check=True).stdout.strip())

    class Machine:
        """What a test sets up and asks."""
        path = tmp_path

        def program(self, name, text):
            """Place a program on the PATH."""
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

        def run(self, *arguments, packages=(), removed=(), absent=(), command=("sh", TOOL), **environment):
            """Run deps.sh (or another command) where only `packages` are installed, and apt has all but `absent`."""
            state = [f"{name} installed\n" for name in packages] + [f"{name} config-files\n" for name in removed]
            (tmp_path / "packages").write_text("".join(state))
            (tmp_path / "archive").write_text("".join(f"{name}\n" for name in {*TEST, *LINUX, *LINT} - set(absent)))
            result = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=300, check=False,
                                    env={"PATH": str(folder), "STATE": str(tmp_path), "OS_RELEASE": str(tmp_path / "os"),
                                         **environment}, cwd=TOP)
            log = tmp_path / "log"
            return result.returncode, result.stdout, result.stderr, log.read_text().splitlines() if log.exists() else []
    machine = Machine()
    (tmp_path / "os").write_text('ID=debian\nVERSION_ID="12"\n')
    machine.program("dpkg-query", DPKG_QUERY)
    machine.program("apt-get", LOGGED)
    machine.program("apt-cache", APT_CACHE)
    machine.program("id", "#!/bin/sh\necho ${FAKE_UID:-0}\n")
    return machine


def test_nothing_missing_says_nothing(machine):
    for purpose, packages in (("config", CONFIG), ("run", RUN), ("debug", DEBUG), ("test", TEST), ("bench", RUN + ["gcc", "libc6-dev"]), ("linux", LINUX),
                              ("fresh", ["debootstrap", "debian-archive-keyring"]), ("lint", LINT)):
        assert machine.run(purpose, packages=packages) == (0, "", "", [])
        for name in packages:
            rest = [other for other in packages if other != name]
            assert machine.run("--list", purpose, packages=rest) == (0, name + "\n", "", [])


def test_debian_13(machine):
    """Its QEMU has no board with a 405, so ours is built; its Linux has no 405, so the build fetches another one's sources."""
    (machine.path / "os").write_text('ID=debian\nVERSION_ID="13"\n')
    assert machine.run("--list", "run", packages=RUN)[1] == " ".join(QEMU) + "\n"
    assert machine.run("run", packages=RUN + QEMU) == (0, "", "", [])
    assert machine.run("--list", "linux", packages=LINUX[1:]) == (0, "", "", [])


def test_installs_what_is_missing(machine):
    status, out, err, log = machine.run("test",
                                        packages=[name for name in TEST if name not in ("make", "python3-pytest")])
    assert (status, out, err) == (0, "missing: make python3-pytest\ninstalling: make python3-pytest\n", "")
    assert log == ["apt-get -qq update", "apt-get -qq -y --no-install-recommends install make python3-pytest"]


def test_removed_but_known_is_missing(machine):
    assert machine.run("--list", "run", packages=RUN[1:], removed=["make"])[1] == "make\n"


def test_a_name_within_a_name_is_not_enough(machine):
    assert machine.run("--list", "test", packages=[name for name in TEST if name != "gcc"])[1] == "gcc\n"


def test_two_purposes_name_a_package_once(machine):
    assert machine.run("--list", "run", "test", "lint", packages=TEST[1:])[1] == "make cppcheck shellcheck pyflakes3\n"


def compiler_for(machine):
    """What a compiler of one's own says."""
    return f'#!/bin/sh\n[ "$*" = -dumpmachine ] && echo {machine}\n'


def test_compiler(machine):
    """The user's own compiler is left alone; a powerpc-eabi toolchain is preferred; Debian's is installed, by that name too."""
    others = [RUN[0], *RUN[2:]]
    assert machine.run("--list", "run", packages=others)[1] == "gcc-powerpc-linux-gnu\n"
    assert machine.run("--list", "run", packages=others, CROSS_COMPILE="powerpc-linux-gnu-")[1] == "gcc-powerpc-linux-gnu\n"
    machine.program("my-gcc", compiler_for("powerpc-unknown-eabi"))
    assert machine.run("--list", "run", packages=others, CROSS_COMPILE="my-") == (0, "", "", [])
    machine.program("powerpc-eabi-gcc", compiler_for("powerpc-eabi"))
    assert machine.run("--list", "run", packages=others) == (0, "", "", [])


@pytest.mark.parametrize("choice, cause", [("", "gcc compiles for x86_64-linux-gnu, not for PowerPC"),
                                           ("host-", "host-gcc compiles for x86_64-linux-gnu, not for PowerPC"),
                                           ("absent-", "absent-gcc does not run")])
def test_no_compiler_for_powerpc(machine, choice, cause):
    """An empty or a wrong choice: one line, before anything else."""
    for name in ("gcc", "host-gcc"):
        machine.program(name, compiler_for("x86_64-linux-gnu"))
    for purpose in ("run", "test", "bench"):
        assert machine.run(purpose, packages=TEST[1:], CROSS_COMPILE=choice) == (
            1, "", f"tools/deps.sh: CROSS_COMPILE is '{choice}', and {cause}. hint: unset CROSS_COMPILE for Debian's "
            "compiler, or set it to a prefix like powerpc-eabi-\n", [])
    assert machine.run("config", packages=CONFIG, CROSS_COMPILE=choice) == (0, "", "", [])


def test_make_knows_who_chose(machine):
    """From make: its default compiler is no choice of the user's, so it is installed; a choice of the user's is not."""
    make = (shutil.which("make"), "-s", "deps-run")
    assert machine.run(command=make, packages=[RUN[0], *RUN[2:]])[1] == (
        "missing: gcc-powerpc-linux-gnu\ninstalling: gcc-powerpc-linux-gnu\n")
    machine.program("my-gcc", compiler_for("powerpc-unknown-eabi"))
    (machine.path / "log").unlink()
    assert machine.run(command=make, packages=[RUN[0], *RUN[2:]], CROSS_COMPILE="my-") == (0, "", "", [])
    assert machine.run("CROSS_COMPILE=my-", command=make, packages=[RUN[0], *RUN[2:]]) == (0, "", "", [])


@pytest.mark.parametrize("target", ["check", "menuconfig", "savedefconfig"])
def test_choosing_options_needs_no_compiler(target):
    """`make check` and `make menuconfig` ask for what they use, not for QEMU and the compilers' sources."""
    with open(os.path.join(TOP, "Makefile"), encoding="utf-8") as file:
        assert re.findall(rf"^{target}:.*?\bdeps-(\S+)", file.read(), re.M) == ["config"]


def test_not_root(machine):
    status, out, err, log = machine.run("run", packages=RUN[1:], FAKE_UID="1000")
    assert (status, out, log) == (1, "missing: make\n", [])
    assert err == ("tools/deps.sh: packages are missing, and this is neither root nor is there sudo. "
                   "hint: as root: apt-get install --no-install-recommends make\n")
    machine.program("sudo", LOGGED)
    status, out, err, log = machine.run("run", packages=RUN[1:], FAKE_UID="1000")
    assert (status, out, err) == (0, "missing: make\ninstalling: make\n", "")
    assert log[0] == "sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq update" and log[1] == "apt-get -qq update"


def test_only_exact_names(machine):
    """apt-get takes a name that it has no package of for a pattern: not asked for, and nothing is announced."""
    status, out, err, log = machine.run("linux", packages=[name for name in LINUX if name not in ("linux-source-6.1", "flex")],
                                        absent=["linux-source-6.1"])
    assert (status, out, log) == (1, "missing: linux-source-6.1 flex\n", ["apt-get -qq update"])
    assert err == ("tools/deps.sh: apt has no package of this name, nothing is installed: linux-source-6.1. "
                   "hint: is the network there, and does /etc/apt name main of Debian 12 or 13? "
                   "'apt-cache policy linux-source-6.1' shows what apt knows\n")


@pytest.mark.parametrize("flag, command", [("fail-", "apt-get -qq update"),
                                           ("fail---no-install-recommends",
                                            "apt-get -qq -y --no-install-recommends install make")])
def test_apt_fails(machine, flag, command):
    (machine.path / flag).write_text("")
    status, out, err, _ = machine.run("run", packages=RUN[1:])
    assert (status, out) == (1, "missing: make\n" + ("installing: make\n" if "install" in command else ""))
    assert err == (f"E: no network\ntools/deps.sh: '{command}' failed. "
                   "hint: see the lines above; is the network there, and does /etc/apt name Debian 12 or 13?\n")


def test_not_debian(machine):
    (machine.path / "bin" / "dpkg-query").unlink()
    status, out, err, log = machine.run("lint")
    assert (status, out, log) == (0, "", [])
    assert err == "tools/deps.sh: this is not Debian, nothing is installed for you. needed: make cppcheck shellcheck pyflakes3 python3\n"


@pytest.mark.parametrize("arguments", [[], ["--list"], ["nonsense"], ["run", "nonsense"]])
def test_usage(machine, arguments):
    assert machine.run(*arguments) == (2, "", "usage: tools/deps.sh [--list] config|run|debug|test|bench|linux|fresh|flow|bounds|lint|qemu ...\n", [])


def test_fast_on_this_machine():
    """With the real dpkg: quick enough to stand in front of every make target (the processor's time, not a busy machine's)."""
    before = os.times()
    assert subprocess.run([TOOL, "--list", "test"], capture_output=True, check=False).returncode == 0
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1.0
