"""tools/archive.sh: what it asks apt for, and that apt is asked to verify it. No network: the archive is a folder."""

import os
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(TOP, "tools", "archive.sh")
RELEASE = subprocess.run(["sh", "-c", ". /etc/os-release; echo ${VERSION_CODENAME:-}"], capture_output=True, text=True,
                         check=True).stdout.strip()

# apt-get, but for the archives of this machine: one of folders
APT_GET = """#!/bin/sh
case $1 in
indextargets) printf '%s\\n' "file:{archive} {release} main" "file:{archive} {release}-updates main" "file:{archive} other main" \\
    "file:{archive} {release} contrib" ;;
*) exec /usr/bin/apt-get "$@" ;;
esac
"""
SIGNED = """#!/bin/sh
case $1 in
indextargets) echo "file:{archive} {release}-security main" ;;
*) for word in "$@"; do case $word in Dir::Etc::sourcelist=*) cat "${word#*=}" >>{archive}/asked ;; esac; done
   echo "$*" >>{archive}/calls ;;
esac
"""


@pytest.fixture
def archive(tmp_path):
    """A folder that is an archive, and a run of the tool with a stand-in for apt-get in front."""
    folder = tmp_path / "archive"
    (folder / "dists" / "bookworm" / "main").mkdir(parents=True)
    (folder / "dists" / "bookworm" / "Release").write_text("Origin: nobody\nSuite: bookworm\nCodename: bookworm\n")
    (tmp_path / "bin").mkdir()

    def run(program, *arguments):
        path = tmp_path / "bin" / "apt-get"
        path.write_text(program.replace("{archive}", str(folder)).replace("{release}", RELEASE))
        path.chmod(0o755)
        return subprocess.run([TOOL, *arguments], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    run.folder, run.out = folder, tmp_path / "out"
    return run


def test_unsigned_archive_is_refused(archive):
    """An archive without Debian's signature gives nothing."""
    done = archive(APT_GET, "binary", "bookworm", "linux-source-6.1", str(archive.out))
    assert done.returncode == 1 and "is not signed" in done.stderr
    assert "tools/archive.sh: linux-source-6.1 of Debian's bookworm: " in done.stderr and "hint: " in done.stderr
    assert [path.name for path in archive.out.rglob("*") if path.suffix in (".deb", ".xz")] == []


def test_the_other_suite_by_its_name(archive):
    """Main of the machine's archives and of no other, under the suite's name, with the key that has to have signed it."""
    done = archive(SIGNED, "source", "trixie", "qemu", str(archive.out))
    assert done.returncode == 0, done.stderr
    line = f"deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] file:{archive.folder} trixie-security main"
    assert set((archive.folder / "asked").read_text().splitlines()) == {line}
    update, source = (archive.folder / "calls").read_text().splitlines()
    assert update.startswith("update ") and source.startswith("source --download-only qemu ")
    assert all(f"Dir::State={archive.out}/apt " in call and "Dir::Etc::sourceparts=/dev/null" in call for call in (update, source))
    assert list(archive.out.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["binary", "bookworm", "x"], ["list", "bookworm", "x", "y"]])
def test_usage(arguments):
    done = subprocess.run([TOOL, *arguments], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2 and done.stderr.startswith("usage: tools/archive.sh")
