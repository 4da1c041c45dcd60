"""tools/qemu/unity.py: sources that nothing tells apart are compiled at once, the others as they were."""

import importlib.util
import os
import subprocess
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(TOP, "tools", "qemu", "unity.py")
SPEC = importlib.util.spec_from_file_location("unity", PROGRAM)
unity = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(unity)

TRACETOOL = """import sys
def main(arguments):
    with open(arguments[2], "w") as stream:
        stream.write(" ".join(arguments[1:]))
if __name__ == "__main__":
    raise SystemExit("a process of its own")
"""
HEAD = "rule c_COMPILER\n command = cc $ARGS -c $in\n"
TRACE = """build {0}: CUSTOM_COMMAND ../src/trace-events | ../src/scripts/tracetool.py
 COMMAND = {1} ../src/scripts/tracetool.py --group=x {0}
 description = Generating {0}"""


@pytest.fixture
def tree(tmp_path):
    """make({source: text}, flags) writes sources and a build.ninja that links them; gives the build folder."""
    def make(sources, flags=None, traces=(), archive="lib.a", linker="c_LINKER", direct=0):
        build = tmp_path / "build"
        blocks, objects = [HEAD.rstrip()], []
        for name, text in sources.items():
            path = tmp_path / "src" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if name.endswith(".c"):
                objects.append(f"lib.a.p/{name.replace('/', '_')}.o")
                blocks.append(f"build {objects[-1]}: c_COMPILER ../src/{name} || config.h\n DEPFILE = x.d\n"
                              f" ARGS = {(flags or {}).get(name, '-O1')}")
        build.mkdir()
        (tmp_path / "src" / "scripts").mkdir(parents=True, exist_ok=True)
        (tmp_path / "src" / "scripts" / "tracetool.py").write_text(TRACETOOL)
        blocks += [TRACE.format(name, sys.executable) for name in traces]
        blocks.append(f"build {archive}: STATIC_LINKER {' '.join(objects)}\n LINK_ARGS = csrDT")
        blocks.append(f"build qemu: {linker} {' '.join(['main.o', *objects[:direct]])} | {archive}\n"
                      f" LINK_ARGS = -Wl,--start-group {archive} -Wl,--end-group")
        blocks.append("build main.o: c_COMPILER ../src/main.c || config.h\n ARGS = -main")
        (tmp_path / "src" / "main.c").write_text("int main(void) { return 0; }\n")
        (build / "build.ninja").write_text("\n\n".join(blocks) + "\n")
        return build
    return make


def run(build):
    """unity.py on a build folder: (what it says, the new build.ninja, the sources that are put together)."""
    done = subprocess.run([sys.executable, PROGRAM, ".", "qemu"], cwd=build, capture_output=True, text=True, check=True)
    groups = [sorted(os.path.basename(line.split('"')[1]) for line in path.read_text().splitlines())
              for path in sorted(build.glob("lib.a.p/unity*.c"))]
    return done.stdout, (build / "build.ninja").read_text(), groups


def test_sources_that_agree_become_one(tree):
    build = tree({"a.c": "int a(void) { return 1; }\n", "b.c": "int b(void) { return 2; }\n"})
    old = (build / "build.ninja").read_text()
    said, new, groups = run(build)
    assert said == "2 sources in 1, 0 trace files at once\n" and groups == [["a.c", "b.c"]]
    assert "build lib.a: STATIC_LINKER lib.a.p/unity0.c.o\n" in new
    assert "build lib.a.p/unity0.c.o: c_COMPILER lib.a.p/unity0.c || config.h\n" in new and new.count(" ARGS = -O1") == 3
    assert (build / "build.ninja.each").read_text() == old      # the way back


@pytest.mark.parametrize("linker", ["c_LINKER", "cpp_LINKER"])
def test_the_linker_s_own_objects(tree, linker):
    """7.2 links with the C++ compiler, names objects of a library, and calls others .fa: no source is compiled by itself."""
    build = tree({"a.c": "int a;\n", "b.c": "int b;\n", "c.c": "int c;\n"}, archive="lib.fa", linker=linker, direct=2)
    said, new, groups = run(build)
    assert said.startswith("3 sources in 1,") and groups == [["a.c", "b.c", "c.c"]]
    assert f"build qemu: {linker} main.o lib.a.p/unity0.c.o | lib.fa\n" in new
    assert "build lib.fa: STATIC_LINKER lib.a.p/unity0.c.o\n" in new


def test_what_is_put_together_is_what_the_sources_are(tree):
    build = tree({"a.c": "static int one(void) { return 1; }\nint a(void) { return one(); }\n",
                  "b.c": "static int two(void) { return 2; }\nint b(void) { return two(); }\n"})
    run(build)
    (build / "main.c").write_text("int a(void); int b(void);\nint main(void) { return 10 * a() + b(); }\n")
    subprocess.run(["gcc", "-o", "program", "main.c", "lib.a.p/unity0.c"], cwd=build, check=True)
    assert subprocess.run(["./program"], cwd=build, check=False).returncode == 12


@pytest.mark.parametrize("one, other", [
    ("static int same(void) { return 1; }\n", "static int same(void) { return 2; }\n"),
    ("static int same;\n", "int f(int same) { return same; }\n"),
    ("static QLIST_HEAD(, X) same;\n", "static int same[3] = { 1 };\n"),
    ("#define SAME 1\n", "int f(void) { return SAME; }\n"),
    ("struct same { int x; };\n", "struct same { int y; };\n"),
    ("typedef struct { int x; } same;\n", "static int same;\n"),
    ("  enum { SAME, OTHER };\nenum { THIRD, SAME };\n", "static int SAME;\n"),
    ("#define MODE 1\n#include <stdint.h>\n", "int f;\n"),
    ("#include \"b.c.inc\"\n", "int f;\n"),
    ("#pragma GCC poison x\n#include <stdint.h>\n", "int f;\n"),
])
def test_sources_that_may_disagree_stay_apart(tree, one, other):
    said, new, groups = run(tree({"a.c": one, "b.c": other}))
    assert said.startswith("0 sources in 0") and not groups and "STATIC_LINKER lib.a.p/a.c.o lib.a.p/b.c.o\n" in new


def test_names_in_comments_and_strings_do_not_count(tree):
    said, _, groups = run(tree({"a.c": "static int one;\nint *a = &one;\n",
                                "b.c": "/* one */ // one\nconst char *b = \"one\";\n"}))
    assert said.startswith("2 sources in 1") and groups


def test_flags_folders_and_length_part(tree):
    lines = unity.LINES // 2 - 10
    said, _, groups = run(tree({"a.c": "int a;\n", "b.c": "int b;\n", "c.c": "int c;\n",
                                "stubs/d.c": "int d;\n", "stubs/trace-e.c": "int e;\n",
                                "f.c": "int f;\n" + "\n" * lines, "g.c": "int g;\n" + "\n" * lines, "h.c": "\n" * unity.LINES},
                               flags={"b.c": "-O2", "c.c": "-O2"}))
    assert said.startswith("5 sources in 2") and groups == [["a.c", "f.c", "g.c"], ["b.c", "c.c"]]


def test_a_header_without_a_guard_is_part_of_its_source(tree):
    _, _, groups = run(tree({"a.c": '#include "a.h"\n', "a.h": "static int same;\n",
                             "b.c": "int f(int same) { return same; }\n"}))
    assert not groups


def test_trace_files_are_made_by_one_process(tree):
    build = tree({"a.c": "int a;\n"}, traces=("trace-x.h", "trace-x.c"))
    said, new, _ = run(build)
    assert said.endswith(", 2 trace files at once\n") and "CUSTOM_COMMAND" not in new
    assert "build trace-x.h trace-x.c: TRACETOOL ../src/trace-events ../src/scripts/tracetool.py\n" in new
    command = [line for line in new.splitlines() if line.startswith(" command = ") and "--tracetool" in line][0]
    command = command.partition(" = ")[2].replace("$LIST", "tracetool.list")
    subprocess.run(command, shell=True, cwd=build, check=True)
    assert (build / "trace-x.c").read_text() == "--group=x trace-x.c" and (build / "trace-x.h").exists()


def test_usage():
    done = subprocess.run([sys.executable, PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: tools/qemu/unity.py BUILD-FOLDER TARGET\n")
