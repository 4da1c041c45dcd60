#!/usr/bin/python3
"""fresh.py: the README's quick start, word for word, on a bare Debian 12 and a bare Debian 13.

    tests/fresh/fresh.py                    (make fresh) each Debian, as root and as a user with sudo; without `make test`
    tests/fresh/fresh.py --full             (make fresh FULL=1) with `make test`
    tests/fresh/fresh.py trixie-user        this case (or several)

A bare Debian is what debootstrap makes of the archive that this machine's apt uses (variant minbase). It is made once a week
and kept in build/fresh/<suite>-<week>/root; every case starts from a copy of it, into which a copy of this tree goes. The
packages that the cases fetch are kept beside it, and so is what takes long to build and has a key of its inputs (KEPT): the
first case builds it, the next finds it as a second `make` would. Where no such Debian can be made (not root, no debootstrap)
a case is skipped, and says why; with CI=true in the environment that is a failure.

The last line is `N passed, N failed`, with `, N skipped` if any were. What a case that failed left is kept, in
build/fresh/case-<suite>-<who>. Exit status: 0, 1 if a case failed, 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import datetime
import fcntl
import os
import re
import shutil
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FRESH = os.path.join(TOP, "build", "fresh")
SUITES = ("bookworm", "trixie")
USERS = {"root": "/root", "user": "/home/user"}
CASES = [f"{suite}-{who}" for suite in SUITES for who in USERS]
INSIDE = "PROTEUS_FRESH"            # set in a bare Debian: `make test` does not make others within it
KEPT = ("qemu/qemu-system-ppc", "qemu/key", "newlib")     # below build/
# A namespace of its own for each command: what it mounts and what it starts ends with it, however it ends.
NAMESPACE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
ENTER = """set -e
root=$1 archives=$2
shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$archives" "$root/var/cache/apt/archives"
exec chroot "$root" "$@"
"""
# Of apt's settings those of how it reaches the archive: proxies, retries, an archive of another day.
SETTINGS = re.compile(r'^Acquire::(?:https?|ftp|Retries|Check-Valid-Until|Check-Date|ForceIPv[46])\b.*;$', re.M)


class Impossible(Exception):
    """No bare Debian can be made here; the text says why."""


class Failed(Exception):
    """A case failed; the text says in what."""


# ---------------------------------------------------------------- what the README says
def quick_start(text):
    """The commands of the README's quick start, in order; and the guests that `make run` shows, with what each says."""
    section = text.partition("\n## Quick start\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"(?:^    .*\n)+", section, re.M)
    commands = [re.sub(r"\s+#.*", "", line).strip() for line in blocks[0].splitlines()] if blocks else []
    verdicts = re.findall(r"^ +(\w+) +(PASS) ", blocks[1], re.M) if len(blocks) > 1 else []
    if "make run" not in commands or "make test" not in commands or not verdicts:
        raise Failed("README.md: the quick start has no `make run`, `make test` or no table of what a run prints")
    return commands, verdicts


def as_told(command, who):
    """As root without the word sudo."""
    return command if who == "user" else re.sub(r"\bsudo ", "", command)


# ---------------------------------------------------------------- the archive, as this machine's apt knows it
def index_targets():
    """(address, release, keyring) of each index of Debian's main; a system image without lists gets them first."""
    command = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(COMPONENT)|$(REPO_URI)|$(RELEASE)|$(SIGNED_BY)",
               "Identifier: Packages"]
    for _ in range(2):
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        rows = [line.split("|") for line in dict.fromkeys(lines)]
        found = [row[2:] for row in rows if row[:2] == ["Debian", "main"]]
        if found:
            return found
        subprocess.run(["apt-get", "-qq", "update"], check=False)
    raise Impossible("apt knows no index of Debian's archive. hint: apt-get update")


def this_suite():
    """Name of the Debian that runs here."""
    with open("/etc/os-release", encoding="utf-8") as file:
        found = re.search(r"^VERSION_CODENAME=(\w+)$", file.read(), re.M)
    return found[1] if found else ""


def sources(targets, here, suite):
    """(first address, keyring or "", lines of sources.list) for a suite, by the archives of the one that runs here."""
    rows = []
    for address, release, keyring in targets:
        name, separator, rest = release.partition("-")
        if name == here and separator + rest in ("", "-updates", "-security"):
            rows.append((separator + rest, address, keyring if keyring.startswith("/") else ""))
    main = [row for row in rows if not row[0]]
    if not main:
        raise Impossible(f"apt has no archive of `{here}`. hint: does /etc/apt name Debian's main?")
    return main[0][1], main[0][2], [f"deb {address} {suite}{part} main" for part, address, _ in rows]


# ---------------------------------------------------------------- a bare Debian
def check_possible():
    """Raise Impossible where no root can be made."""
    if not shutil.which("apt-get"):
        raise Impossible("this is not Debian")
    if os.geteuid():
        raise Impossible("only root can make a bare Debian")
    if not shutil.which("debootstrap"):
        raise Impossible("no debootstrap. hint: tools/deps.sh fresh")
    done = subprocess.run([*NAMESPACE, "mount", "-t", "proc", "proc", "/proc"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Impossible(f"no rights to mount: {done.stderr.strip()}")


def call(command, what, **options):
    """Run a command whose failure is the case's; its output goes where ours goes."""
    if subprocess.run(command, stdin=subprocess.DEVNULL, check=False, **options).returncode:
        raise Failed(what)


def write(path, text, mode=0o644):
    """A small file."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def week_folder(suite, today=None):
    """Where a suite's root of this week is; those of other weeks go."""
    year, week, _ = (today or datetime.date.today()).isocalendar()
    name = f"{suite}-{year}w{week:02}"
    for other in os.listdir(FRESH):
        if re.fullmatch(rf"{suite}-\d+w\d+", other) and other != name:
            shutil.rmtree(os.path.join(FRESH, other))
    return os.path.join(FRESH, name)


def bare_root(suite):
    """The folder of a suite's root, made if there is none of this week."""
    folder = week_folder(suite)
    root = os.path.join(folder, "root")
    if os.path.isdir(root):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "archives", "partial"))
    address, keyring, lines = sources(index_targets(), this_suite(), suite)
    print(f"  FRESH {suite}: debootstrap", flush=True)
    new = os.path.join(folder, "new")
    settings = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    proxy = re.search(r'^Acquire::http::Proxy "(.+)";$', settings, re.M)
    call(["debootstrap", "--variant=minbase", *([f"--keyring={keyring}"] if keyring else []), suite, new, address],
         f"debootstrap {suite}", env=dict(os.environ, **({"http_proxy": proxy[1]} if proxy else {})))
    write(f"{new}/etc/apt/sources.list", "\n".join(lines) + "\n")
    write(f"{new}/etc/apt/apt.conf.d/50host", "\n".join(SETTINGS.findall(settings)) + "\n")
    write(f"{new}/etc/dpkg/dpkg.cfg.d/unsafe-io", "force-unsafe-io\n")      # it need not survive a loss of power
    if keyring:
        shutil.copy(keyring, f"{new}/etc/apt/trusted.gpg.d/host{os.path.splitext(keyring)[1]}")
    os.rename(new, root)
    return folder


def tree_files():
    """Files of this tree: what git knows or would add; without git, all but what is generated."""
    if shutil.which("git") and os.path.exists(os.path.join(TOP, ".git")):
        listed = subprocess.run(["git", "-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                capture_output=True, check=True).stdout.split(b"\0")
        return [os.fsdecode(name) for name in listed if name and os.path.lexists(os.path.join(TOP, os.fsdecode(name)))]
    found = []
    for folder, folders, names in os.walk(TOP):
        folders[:] = [name for name in folders if name not in ("__pycache__", ".pytest_cache") and
                      not (folder == TOP and name in ("build", ".git"))]
        found += [os.path.relpath(os.path.join(folder, name), TOP) for name in names]
    return found


def place(root, home):
    """Copy this tree into a root."""
    for name in tree_files():
        target = f"{root}{home}/proteus/{name}"
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.join(TOP, name), target, follow_symlinks=False)


# ---------------------------------------------------------------- a case
class Case:
    """A copy of a bare root, and who works there."""

    def __init__(self, name):
        self.suite, _, self.who = name.partition("-")
        self.folder = bare_root(self.suite)
        self.root = os.path.join(FRESH, f"case-{name}")
        self.tree = f"{USERS[self.who]}/proteus"
        shutil.rmtree(self.root, ignore_errors=True)
        call(["cp", "-a", "--reflink=auto", os.path.join(self.folder, "root"), self.root], "no copy of the root")
        for name in ("resolv.conf", "hosts"):
            if os.path.exists(f"/etc/{name}"):
                shutil.copy(f"/etc/{name}", f"{self.root}/etc/{name}")
        place(self.root, USERS[self.who])
        self.keep(os.path.join(self.folder, "build"), f"{self.root}{self.tree}/build")
        if self.who == "user":
            self.run("apt-get -qq update && apt-get -qq -y --no-install-recommends install sudo >/dev/null && "
                     "useradd --create-home --shell /bin/sh user && chown -R user: /home/user && "
                     "echo 'user ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/user", who="root", folder="/")

    def run(self, command, who=None, folder=None):
        """Run one line of shell there; returns what it wrote, which is shown as it comes."""
        who = who or self.who
        words = [*NAMESPACE, "sh", "-c", ENTER, "sh", self.root, os.path.join(self.folder, "archives"),
                 "setpriv", f"--reuid={who}", f"--regid={who}", "--init-groups", "--reset-env", "env", f"{INSIDE}=1",
                 "sh", "-c", f"cd {folder or self.tree} && {command}"]
        output = []
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace") as process:
            for line in process.stdout:
                output.append(line)
                print(line, end="", flush=True)
        if process.returncode:
            raise Failed(f"`{command}` ended with exit status {process.returncode}")
        return "".join(output)

    @staticmethod
    def keep(source, target):
        """Copy what is kept from one build folder to another; who uses it looks at the key."""
        for name in KEPT:
            old, new = os.path.join(source, name), os.path.join(target, name)
            if os.path.isdir(old):
                shutil.copytree(old, new, symlinks=True, dirs_exist_ok=True)
            elif os.path.exists(old):
                os.makedirs(os.path.dirname(new), exist_ok=True)
                shutil.copy(old, new)

    def quick_start(self, commands, verdicts, full):
        """What the README says, as it says it."""
        for command in commands:
            if command == "make test" and not full:
                continue
            told = as_told(command, self.who)
            print(f"  FRESH {self.suite} {self.who}: {told}", flush=True)
            output = self.run(told)
            missing = [name for name, verdict in verdicts if not re.search(rf"^{name} +{verdict} ", output, re.M)]
            if command == "make run" and missing:
                raise Failed(f"`make run` does not show what the README says of {', '.join(missing)}")
        self.keep(f"{self.root}{self.tree}/build", os.path.join(self.folder, "build"))
        shutil.rmtree(self.root)


def run_case(name, full):
    """Run a case; returns "passed", "failed" or "skipped", and prints its line."""
    start = time.monotonic()
    try:
        if os.environ.get(INSIDE):
            raise Impossible("this is a bare Debian itself")
        check_possible()
        with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
            steps = quick_start(file.read())
        Case(name).quick_start(*steps, full)
        verdict, why = "passed", ""
    except Impossible as reason:
        required = os.environ.get("CI") == "true" and not os.environ.get(INSIDE)
        verdict, why = "failed" if required else "skipped", f": {reason}"
    except Failed as reason:
        verdict, why = "failed", f": {reason}"
    print(f"  FRESH {name}: {verdict}{why} ({time.monotonic() - start:.0f} s)", flush=True)
    return verdict


def main(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--full", action="store_true", help="with `make test`")
    options = parser.parse_args(argv)
    for name in options.cases:
        if name not in CASES:
            parser.error(f"no case `{name}`. hint: {', '.join(CASES)}")
    os.makedirs(FRESH, exist_ok=True)
    with open(os.path.join(FRESH, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)        # one at a time
        verdicts = [run_case(name, options.full) for name in options.cases or CASES]
    skipped = verdicts.count("skipped")
    print(f"{verdicts.count('passed')} passed, {verdicts.count('failed')} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if "failed" in verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
