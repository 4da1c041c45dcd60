#!/usr/bin/python3
"""tools/deps.sh on a machine made of stand-ins: which packages it misses, and what it runs to install them."""

import os
import subprocess
import time

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(TOP, "tools", "deps.sh")

RUN = ["make", "gcc-powerpc-linux-gnu", "qemu-system-ppc", "python3", "python3-kconfiglib", "python3-pyelftools",
       "newlib-source",
       "gcc-12-source", "xz-utils"]
LINUX = ["linux-source-6.1", "xz-utils", "make", "gcc", "libc6-dev", "flex", "bison", "bc", "gcc-powerpc-linux-gnu",
         "libc6-dev-powerpc-cross", "python3", "python3-pyelftools"]
TEST = RUN + ["gcc", "libc6-dev", "libcmocka-dev", "python3-pytest"]

# dpkg-query as it answers -W -f '${Package} ${db:Status-Status}': known packages on stdout, others make the status 1.
DPKG_QUERY = """#!/bin/sh
shift 3
status=0
for package in "$@"; do
    grep "^$package " "$STATE/packages" || { echo "no packages found matching $package" >&2; status=1; }
done
exit $status
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
    for name in ("sh", "env", "mktemp", "tail", "rm", "grep", "basename"):
        (folder / name).symlink_to(subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, text=True,
                                                  check=True).stdout.strip())

    class Machine:
        """What a test sets up and asks."""
        path = tmp_path

        def program(self, name, text):
            """Place a program on the PATH."""
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

        def run(self, *arguments, packages=(), removed=(), **environment):
            """Run deps.sh where only `packages` are installed."""
            state = [f"{name} installed\n" for name in packages] + [f"{name} config-files\n" for name in removed]
            (tmp_path / "packages").write_text("".join(state))
            result = subprocess.run(["sh", TOOL, *arguments], capture_output=True, text=True, timeout=60, check=False,
                                    env={"PATH": str(folder), "STATE": str(tmp_path), **environment})
            log = tmp_path / "log"
            return result.returncode, result.stdout, result.stderr, log.read_text().splitlines() if log.exists() else []
    machine = Machine()
    machine.program("dpkg-query", DPKG_QUERY)
    machine.program("apt-get", LOGGED)
    machine.program("id", "#!/bin/sh\necho ${FAKE_UID:-0}\n")
    return machine


def test_nothing_missing_says_nothing(machine):
    for purpose, packages in (("run", RUN), ("test", TEST), ("bench", RUN + ["gcc", "libc6-dev"]), ("linux", LINUX),
                              ("lint", ["make", "cppcheck", "shellcheck", "pyflakes3", "python3"])):
        assert machine.run(purpose, packages=packages) == (0, "", "", [])
        for name in packages:
            rest = [other for other in packages if other != name]
            assert machine.run("--list", purpose, packages=rest) == (0, name + "\n", "", [])


def test_installs_what_is_missing(machine):
    status, out, err, log = machine.run("test",
                                        packages=[name for name in TEST if name not in ("make", "python3-pytest")])
    assert (status, out, err) == (0, "installing: make python3-pytest\n", "")
    assert log == ["apt-get -qq update", "apt-get -qq -y --no-install-recommends install make python3-pytest"]


def test_removed_but_known_is_missing(machine):
    assert machine.run("--list", "run", packages=RUN[1:], removed=["make"])[1] == "make\n"


def test_a_name_within_a_name_is_not_enough(machine):
    assert machine.run("--list", "test", packages=[name for name in TEST if name != "gcc"])[1] == "gcc\n"


def test_two_purposes_name_a_package_once(machine):
    assert machine.run("--list", "run", "test", "lint", packages=TEST[1:])[1] == "make cppcheck shellcheck pyflakes3\n"


def test_compiler(machine):
    assert machine.run("--list", "run", packages=[RUN[0], *RUN[2:]], CROSS_COMPILE="my-")[1] == ""
    machine.program("powerpc-eabi-gcc", "#!/bin/sh\n")
    assert machine.run("--list", "run", packages=[RUN[0], *RUN[2:]])[1] == ""


def test_not_root(machine):
    status, out, err, log = machine.run("run", packages=RUN[1:], FAKE_UID="1000")
    assert (status, out, log) == (1, "installing: make\n", [])
    assert err == ("tools/deps.sh: packages are missing, and this is neither root nor is there sudo. "
                   "hint: as root: apt-get install --no-install-recommends make\n")
    machine.program("sudo", LOGGED)
    status, out, err, log = machine.run("run", packages=RUN[1:], FAKE_UID="1000")
    assert (status, out, err) == (0, "installing: make\n", "")
    assert log[0] == "sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq update" and log[1] == "apt-get -qq update"


@pytest.mark.parametrize("flag, command", [("fail-", "apt-get -qq update"),
                                           ("fail---no-install-recommends",
                                            "apt-get -qq -y --no-install-recommends install make")])
def test_apt_fails(machine, flag, command):
    (machine.path / flag).write_text("")
    status, out, err, _ = machine.run("run", packages=RUN[1:])
    assert (status, out) == (1, "installing: make\n")
    assert err == (f"E: no network\ntools/deps.sh: '{command}' failed. "
                   "hint: see the lines above; is the network there, and does /etc/apt name Debian 12?\n")


def test_not_debian(machine):
    (machine.path / "bin" / "dpkg-query").unlink()
    status, out, err, log = machine.run("lint")
    assert (status, out, log) == (0, "", [])
    assert err == "tools/deps.sh: this is not Debian, nothing is installed for you. needed: make cppcheck shellcheck pyflakes3 python3\n"


@pytest.mark.parametrize("arguments", [[], ["--list"], ["nonsense"], ["run", "nonsense"]])
def test_usage(machine, arguments):
    assert machine.run(*arguments) == (2, "", "usage: tools/deps.sh [--list] run|test|bench|linux|lint|qemu ...\n", [])


def test_fast_on_this_machine():
    """With the real dpkg: quick enough to stand in front of every make target."""
    start = time.monotonic()
    assert subprocess.run([TOOL, "--list", "test"], capture_output=True, timeout=60, check=False).returncode == 0
    assert time.monotonic() - start < 1.0
