#!/usr/bin/python3
"""tests/run.py with stages made of shell commands: what it counts, shows, ends with, and leaves behind."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SPEC = importlib.util.spec_from_file_location("run_tests", os.path.join(TOP, "tests", "run.py"))
run_tests = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(run_tests)

CMOCKA_RED = """[==========] Running 3 test(s).
[  PASSED  ] 2 test(s).
[  FAILED  ] tests: 1 test(s), listed below:
[  FAILED  ] test_a
"""
PATHS = """path          insns   min  at most  aim
mfspr            46    44       48   40  ok
mfmsr            36    36       44   36  aim
hypercall         -     -       30   22  not walked
vm_switch       250   250      240  180  over
"""


def stage(name, script, count=run_tests.count_summary, **more):
    """A stage that is a shell script."""
    return run_tests.Stage(name, ["sh", "-c", script], count, **more)


def run(capsys, tmp_path, *stages, argv=()):
    """(exit status, printed text) of a run of these stages."""
    sets = {"all": [one.name for one in stages]}
    status = run_tests.main(list(argv), list(stages), sets, root=str(tmp_path))
    return status, capsys.readouterr().out


@pytest.mark.parametrize("count, text, expected", [
    ("pytest", "....\n5 passed in 0.10s\n", (5, 0, 0)),
    ("pytest", "1 failed, 4 passed, 2 skipped, 1 error in 61.20s (0:01:01)\n", (4, 2, 2)),
    ("pytest", "==== 3 passed, 1 xfailed, 1 xpassed, 2 warnings in 1.0s ====\n", (4, 0, 1)),
    ("pytest", "no tests ran in 0.01s\n", (0, 0, 0)),
    ("pytest", "2 errors in 0.5s\n", (0, 2, 0)),
    ("pytest", "5 passed\n", (0, 0, 0)),
    ("summary", "7 passed, 1 failed\n9 passed, 0 failed, 2 skipped\n", (9, 0, 2)),
    ("summary", "x 7 passed, 1 failed\n", (0, 0, 0)),
    ("summary", CMOCKA_RED, (2, 1, 0)),
    ("summary", CMOCKA_RED + "[  PASSED  ] 5 test(s).\n", (7, 1, 0)),
    ("rows", "isa.mfspr: no test. hint: x\n120 rows, 119 covered\n", (119, 1, 0)),
    ("rows", "", (0, 0, 0)),
    ("products", "  OK    demo\nmake[1]: x\n  OK    full\n", (2, 0, 0)),
    ("verdicts", PATHS, (2, 1, 0)),
    ("verdicts", "it is over\nok\n", (0, 0, 0)),
    ("lint", "", None),
    ("lint", "5 passed, 1 failed\n", (5, 1, 0)),
])
def test_counts(count, text, expected):
    counts = getattr(run_tests, f"count_{count}")(text)
    assert (counts and tuple(counts)) == expected


def test_a_stage_told_by_its_exit_status(capsys, tmp_path):
    assert run(capsys, tmp_path, stage("one", "true", run_tests.count_lint))[1].splitlines()[-1] == "1 passed, 0 failed"
    status, text = run(capsys, tmp_path, stage("one", "echo why; exit 1", run_tests.count_lint))
    assert status == 1 and text.splitlines()[-1] == "0 passed, 1 failed"


def test_tables_of_the_ledgers_are_counted():
    """The tables as tools/bench.py and tools/footprint.py print them today."""
    sys.path.insert(0, os.path.join(TOP, "tools"))
    import bench
    import footprint
    targets = {"paths": {"mfspr": {"at_most": 48, "aim": 40}, "rfi": {"at_most": 60}}, "size": {},
               "size_total": {"paper": 10440, "at_most": 8192}, "per_vm": {"base": {"paper": 304, "at_most": 304}}}
    row = {"insns_min": 1, "insns_mean": 1.0, "cycles": 1, "count": 1}
    paths = bench.path_table({"mfspr": {**row, "insns": 49}, "rfi": {**row, "insns": 60}}, targets)
    assert run_tests.count_verdicts("\n".join(paths)) == (1, 1, 0)
    report = {"components": {"base": {"text": 8000, "data": 193}}, "total": {"text": 8000, "data": 193},
              "per_vm": {"base": 304}}
    sizes = footprint.component_table(report, targets)
    assert run_tests.count_verdicts("\n".join(sizes)) == (2, 1, 0)


def test_all_green(capsys, tmp_path):
    status, text = run(capsys, tmp_path, stage("one", "echo secret; echo 3 passed, 0 failed"),
                       stage("two", "echo 4 passed, 0 failed"))
    assert status == 0
    assert text.splitlines()[-1] == "7 passed, 0 failed"
    assert "secret" not in text
    assert (tmp_path / "build" / "test" / "one.log").read_text() == "secret\n3 passed, 0 failed\n"


def test_a_failure_is_shown_and_the_rest_runs(capsys, tmp_path):
    status, text = run(capsys, tmp_path, stage("one", "echo why; echo also >&2; echo 3 passed, 1 failed; exit 1"),
                       stage("two", "echo quiet; echo 4 passed, 0 failed, 2 skipped"))
    assert status == 1
    assert text.splitlines()[-1] == "7 passed, 1 failed, 2 skipped"
    assert "why\nalso\n" in text and "quiet" not in text


def test_a_failure_counts_even_when_the_exit_status_is_0(capsys, tmp_path):
    assert run(capsys, tmp_path, stage("one", "echo 3 passed, 1 failed"))[0] == 1


def test_exit_status_without_a_counted_failure(capsys, tmp_path):
    status, text = run(capsys, tmp_path, stage("one", "echo 3 passed, 0 failed; exit 3"))
    assert status == 1
    assert "3 passed, 1 failed  (exit status 3)" in text


def test_silence_is_a_failure(capsys, tmp_path):
    status, text = run(capsys, tmp_path, stage("one", "true"))
    assert status == 1
    assert "(ran nothing)" in text and text.splitlines()[-1] == "0 passed, 1 failed"


def test_all_skipped_is_not_nothing(capsys, tmp_path):
    status, text = run(capsys, tmp_path, stage("one", "echo 0 passed, 0 failed, 2 skipped"))
    assert status == 0 and text.splitlines()[-1] == "0 passed, 0 failed, 2 skipped"


def test_a_command_that_is_not_there(capsys, tmp_path):
    status, text = run(capsys, tmp_path, run_tests.Stage("one", ["./no-such-file"], run_tests.count_lint))
    assert status == 1
    assert "No such file" in text and text.splitlines()[-1] == "0 passed, 1 failed"


def test_verbose_shows_everything_once(capsys, tmp_path):
    _, text = run(capsys, tmp_path, stage("one", "echo why; echo 3 passed, 1 failed; exit 1"), argv=["-v"])
    assert text.count("why") == 1


def test_chosen_stages_run_in_order(capsys, tmp_path):
    stages = [stage(name, f"echo 1 passed, 0 failed; echo {name} >>order") for name in ("a", "b", "c")]
    status, text = run(capsys, tmp_path, *stages, argv=["c", "a", "-j1"])
    assert status == 0 and text.splitlines()[-1] == "2 passed, 0 failed"
    assert (tmp_path / "order").read_text() == "a\nc\n"


def test_stages_run_side_by_side(capsys, tmp_path):
    """Two that wait for each other's file both end; with one job at a time the first would not."""
    script = "touch {}; until [ -e {} ]; do sleep 0.05; done; echo 1 passed, 0 failed"
    stages = [stage("one", script.format("a", "b")), stage("two", script.format("b", "a"))]
    status, text = run(capsys, tmp_path, *stages, argv=["-j2"])
    assert status == 0 and text.splitlines()[-1] == "2 passed, 0 failed"


def test_a_stage_waits_for_another(capsys, tmp_path):
    """Even for one that fails or cannot be started; not for one that was not chosen."""
    late = stage("late", "cat early && echo 1 passed, 0 failed", after=("first", "early"))
    stages = [late, run_tests.Stage("first", ["./no-such-file"], run_tests.count_lint),
              stage("early", "sleep 0.3; echo here >early; exit 1")]
    text = run(capsys, tmp_path, *stages, argv=["-j3"])[1]
    assert [line.split()[0] for line in text.splitlines()[-5:]] == ["stage", "late", "first", "early", "1"]
    assert text.splitlines()[-1] == "1 passed, 2 failed"
    assert run(capsys, tmp_path, *stages, argv=["late"])[0] == 0


def test_table_says_what_was_cached(capsys, tmp_path):
    """By the files that a stage makes: none of them new, some, all."""
    one = stage("one", "[ -e a ] || touch a; touch b; echo 1 passed, 0 failed", builds=("a",))
    two = one._replace(name="two", builds=("a", "b"))
    for expected in (["no", "part"], ["yes", "part"]):
        text = run(capsys, tmp_path, one, two, argv=["-j1"])[1]
        assert [line.split()[3] for line in text.splitlines()[-3:-1]] == expected
    assert [line.split()[3] for line in run(capsys, tmp_path, stage("one", "true"))[1].splitlines()[-2:-1]] == ["-"]


def test_table_has_the_processor_s_time(capsys, tmp_path):
    """Of all that a stage started; a stage that sleeps takes none."""
    busy = stage("busy", f"{sys.executable} -c 'import time\nwhile time.process_time() < 0.5: pass'; echo 1 passed, 0 failed")
    idle = stage("idle", "sleep 0.5; echo 1 passed, 0 failed")
    rows = [line.split() for line in run(capsys, tmp_path, busy, idle)[1].splitlines()[-3:-1]]
    assert float(rows[0][2]) >= 0.4 and float(rows[1][2]) < 0.3 and float(rows[1][1]) >= 0.4


def test_progress_is_told(capsys, tmp_path, monkeypatch):
    """From time to time, how far those are that run, by what they say of it."""
    monkeypatch.setattr(run_tests, "NEWS", 0.5)
    one = stage("one", "echo '  QEMU  [312/900]'; sleep 2; echo 1 passed, 0 failed")
    two = stage("two", "printf '......... [ 45%%]'; sleep 2; echo; echo 1 passed, 0 failed")
    text = run(capsys, tmp_path, one, two, argv=["-j2"])[1]
    assert "s: one 312/900, two 45%" in text


def test_broken_bytes_are_no_error(capsys, tmp_path):
    assert run(capsys, tmp_path, stage("one", r"printf '\377\303'; echo; echo 1 passed, 0 failed"))[0] == 0


def test_a_stage_gets_no_input(capsys, tmp_path):
    assert run(capsys, tmp_path, stage("one", "cat; echo 1 passed, 0 failed"))[0] == 0


def test_what_make_was_called_with_changes_nothing(capsys, tmp_path, monkeypatch):
    for name, value in (("MAKEFLAGS", "n"), ("PRODUCT", "x"), ("O", "y"), ("EXTRA_CONFIG", "CONFIG_Z=y")):
        monkeypatch.setenv(name, value)
    script = 'echo "<$MAKEFLAGS$PRODUCT$O$EXTRA_CONFIG>"; echo 1 passed, 0 failed'
    status, text = run(capsys, tmp_path, stage("one", script), argv=["-v"])
    assert status == 0 and "<>" in text


def ends_soon(pid):
    """True if a process is gone, or only waits to be collected, within a minute."""
    for _ in range(1200):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def test_silence_ends_all_that_was_started(capsys, tmp_path, monkeypatch):
    """However long a stage takes: who says something goes on."""
    monkeypatch.setattr(run_tests, "PATIENCE", 1.5)
    silent = "sleep 60 & echo $! >pid; echo 1 passed, 0 failed; wait"
    slow = "for i in 1 2 3 4 5 6; do sleep 0.5; echo; done; echo 1 passed, 0 failed"
    status, text = run(capsys, tmp_path, stage("silent", silent), stage("slow", slow), argv=["-j2"])
    assert status == 1
    assert "(no word for 2 s)" in text and text.splitlines()[-1] == "2 passed, 1 failed"
    assert ends_soon(int((tmp_path / "pid").read_text()))


def test_who_was_silent_before_may_be_silent_again(capsys, tmp_path, monkeypatch):
    """Ten times as long as in the last run."""
    monkeypatch.setattr(run_tests, "PATIENCE", 0.6)
    script = "sleep {}; echo 1 passed, 0 failed"
    assert run(capsys, tmp_path, stage("one", script.format(0.3)))[0] == 0
    assert run(capsys, tmp_path, stage("one", script.format(1.5)))[0] == 0
    assert run(capsys, tmp_path, stage("two", script.format(1.5)))[0] == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_signal(tmp_path, number):
    # A shell starts what it runs in the background with SIGINT ignored, and that is inherited down to here.
    program = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})
from test_run_tests import run_tests, stage
stages = [stage("one", "echo 2 passed, 0 failed"), stage("two", "sleep 60 & echo $! >pid; wait")._replace(after=("one",))]
sys.exit(run_tests.main([], stages, {{"all": ["one", "two"]}}, root={str(tmp_path)!r}))
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1")) as process:
        deadline = time.monotonic() + 20
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err == "" and out.splitlines()[-1] == "2 passed, 0 failed"
    assert "stopped before the end" in out
    assert ends_soon(int((tmp_path / "pid").read_text()))


def test_packages_that_cannot_be_installed(capsys, tmp_path):
    """Said, counted, and the stages run all the same."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "deps.sh").write_text("#!/bin/sh\necho \"$@\" >args\nexit 1\n")
    (tools / "deps.sh").chmod(0o755)
    one = stage("one", "echo 1 passed, 0 failed")._replace(needs=("test",))
    two = stage("two", "echo 1 passed, 0 failed")._replace(needs=("lint", "test"))
    status, text = run(capsys, tmp_path, one, two)
    assert status == 1 and text.splitlines()[-1] == "2 passed, 1 failed"
    assert (tmp_path / "args").read_text() == "test lint\n"


@pytest.mark.parametrize("argv", [["nonsense"], ["--nonsense"], ["all", "unti"]])
def test_usage(capsys, tmp_path, argv):
    with pytest.raises(SystemExit) as ended:
        run(capsys, tmp_path, stage("one", "echo 1 passed, 0 failed; echo x >ran"), argv=argv)
    assert ended.value.code == 2
    assert not (tmp_path / "ran").exists()


def test_list_runs_nothing(capsys, tmp_path):
    status, text = run(capsys, tmp_path, stage("one", "echo x >ran"), argv=["--list"])
    assert status == 0 and text.startswith("one  sh -c") and not (tmp_path / "ran").exists()


def test_the_real_stages():
    """Sets name stages that exist; every folder of tests is in one of them."""
    names = [one.name for one in run_tests.STAGES]
    assert len(set(names)) == len(names)
    assert run_tests.SETS["all"] == names and set(run_tests.SETS["quick"]) <= set(names)
    commands = " ".join(" ".join(one.command) for one in run_tests.STAGES)
    for folder in sorted(os.listdir(os.path.join(TOP, "tests"))):
        path = os.path.join(TOP, "tests", folder)
        if os.path.isdir(path) and any(name.startswith("test_") for _, _, names in os.walk(path) for name in names):
            assert f"tests/{folder}" in commands


@pytest.mark.parametrize("folder, module", [("tools", "test_options"), ("guests", "test_guests")])
def test_tests_of_a_group_run_in_one_process(tmp_path, folder, module):
    """What shares a folder or a run is not built by two at once: the marks come before pytest-xdist looks at them."""
    place = tmp_path / "tests" / folder
    place.mkdir(parents=True)
    for name in ("patience.py", f"{folder}/conftest.py"):
        shutil.copy(os.path.join(TOP, "tests", name), tmp_path / "tests" / name)
    (place / (module + ".py")).write_text("import os\nimport pytest\n\n\n@pytest.mark.parametrize('number', range(12))\n"
                                          "def test_number(number):\n"
                                          "    open('workers', 'a').write(os.environ['PYTEST_XDIST_WORKER'] + '\\n')\n")
    done = subprocess.run([*run_tests.SPREAD, str(place)], cwd=tmp_path, env=dict(os.environ, PYTHONPATH=os.path.join(TOP, "tools")),
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    workers = (tmp_path / "workers").read_text().split()
    assert len(workers) == 12 and len(set(workers)) == 1
