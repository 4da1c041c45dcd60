"""tests/fresh/fresh.py: what it reads out of README and apt, what it skips; bare Debians themselves are the stage `fresh`."""

import datetime
import importlib.util
import os

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SPEC = importlib.util.spec_from_file_location("fresh", os.path.join(TOP, "tests", "fresh", "fresh.py"))
fresh = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fresh)

ARCHIVE, SECURITY, KEY = "http://archive/debian/", "http://archive/debian-security/", "/usr/share/keyrings/some.gpg"
TARGETS = [[ARCHIVE, "bookworm", KEY], [ARCHIVE, "bookworm-updates", KEY], [SECURITY, "bookworm-security", KEY],
           [ARCHIVE, "bookworm-backports", KEY], [ARCHIVE, "sid", "$(SIGNED_BY)"]]


def test_the_readme_s_commands():
    """Packages, a run, the tests, in this order; and three guests that pass."""
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
        commands, verdicts = fresh.quick_start(file.read())
    assert commands[0].startswith("sudo apt-get update && sudo apt-get install ") and commands[1:] == ["make run", "make test"]
    assert len(verdicts) == 3 and ("ctask", "PASS") in verdicts


def test_a_readme_without_them():
    with pytest.raises(fresh.Failed, match="no `make run`"):
        fresh.quick_start("# X\n\n## Quick start\nNothing.\n")


def test_as_root_without_sudo():
    command = "sudo apt-get update && sudo apt-get install -y git"
    assert fresh.as_told(command, "user") == command
    assert fresh.as_told(command, "root") == "apt-get update && apt-get install -y git"


@pytest.mark.parametrize("here, suite", [("bookworm", "bookworm"), ("bookworm", "trixie")])
def test_sources(here, suite):
    """The archives of this machine's release, for the other one as well; of others none."""
    assert fresh.sources(TARGETS, here, suite) == (ARCHIVE, KEY, [
        f"deb {ARCHIVE} {suite} main", f"deb {ARCHIVE} {suite}-updates main", f"deb {SECURITY} {suite}-security main"])


def test_a_key_of_apt_s_own():
    """Without signed-by in apt's sources debootstrap takes its own."""
    assert fresh.sources(TARGETS, "sid", "trixie")[1] == ""


def test_no_archive():
    with pytest.raises(fresh.Impossible, match="no archive of `jammy`"):
        fresh.sources(TARGETS, "jammy", "trixie")


def test_settings_that_reach_the_archive():
    """Proxies and the like; not what only this system wants."""
    dump = ('Acquire "";\nAcquire::http "";\nAcquire::http::Proxy "http://proxy:3128";\nAcquire::Languages:: "none";\n'
            'Acquire::Check-Valid-Until "false";\nAPT::Install-Recommends "0";\nAcquire::Retries "3";\n')
    assert fresh.SETTINGS.findall(dump) == ['Acquire::http "";', 'Acquire::http::Proxy "http://proxy:3128";',
                                            'Acquire::Check-Valid-Until "false";', 'Acquire::Retries "3";']


def test_a_root_for_each_week(tmp_path, monkeypatch):
    """That of another week goes, that of another Debian stays."""
    monkeypatch.setattr(fresh, "FRESH", str(tmp_path))
    for name in ("trixie-2026w01", "bookworm-2026w01", "case-trixie-root"):
        (tmp_path / name).mkdir()
    assert fresh.week_folder("trixie", datetime.date(2026, 1, 8)) == str(tmp_path / "trixie-2026w02")
    assert sorted(os.listdir(tmp_path)) == ["bookworm-2026w01", "case-trixie-root"]


def test_the_tree_is_all_of_it():
    """With git and without: the same files, and nothing that is generated."""
    files = fresh.tree_files()
    assert "README.md" in files and "tools/deps.sh" in files and not any(name.startswith("build/") for name in files)


@pytest.mark.parametrize("folders", [["asm"], ["asm", "build", ".git", "tests/build", "asm/__pycache__"]])
def test_a_tree_without_git(tmp_path, monkeypatch, folders):
    """All but what is generated, built or not yet."""
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_text("")
    monkeypatch.setattr(fresh, "TOP", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    assert sorted(fresh.tree_files()) == [f"{folder}/file" for folder in ("asm", "tests/build") if folder in folders]


@pytest.mark.parametrize("ci, inside, last", [("", "", "0 passed, 0 failed, 1 skipped"), ("true", "", "0 passed, 1 failed"),
                                              ("true", "1", "0 passed, 0 failed, 1 skipped")])
def test_skipped_but_by_ci(monkeypatch, tmp_path, capsys, ci, inside, last):
    """Where no root can be made it says why; CI may not go without. Within a bare Debian there is no other."""
    def no_root():
        raise fresh.Impossible("no room")
    monkeypatch.setattr(fresh, "FRESH", str(tmp_path))     # with a lock of its own: the stage `fresh` may run beside this
    monkeypatch.setattr(fresh, "check_possible", no_root)
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv(fresh.INSIDE, inside)
    status = fresh.main(["trixie-root"])
    lines = capsys.readouterr().out.splitlines()
    assert status == (1 if "1 failed" in last else 0) and lines[-1] == last
    assert ("this is a bare Debian itself" if inside else "no room") in lines[-2]


def test_what_is_kept(tmp_path):
    """A QEMU with its key, all of newlib, and nothing else; nothing is no fault."""
    source, target = tmp_path / "source", tmp_path / "target"
    fresh.Case.keep(str(source), str(target))
    for name in ("qemu/key", "qemu/qemu-system-ppc", "qemu/source/x.dsc", "newlib/0123/lib/libm.a", "demo/proteus.elf"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    for _ in range(2):
        fresh.Case.keep(str(source), str(target))
    files = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert files == ["newlib/0123/lib/libm.a", "qemu/key", "qemu/qemu-system-ppc"]


@pytest.mark.parametrize("argv", [["sarge-root"], ["--nonsense"]])
def test_usage(argv):
    with pytest.raises(SystemExit) as ended:
        fresh.main(argv)
    assert ended.value.code == 2
