"""tests/guests/newlib.mk: what depends on newlib is built again by the same make that finds its path changed."""

import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAKEFILE = f"""\
OBJ := .
.DEFAULT_GOAL := guest
include {ROOT}/tests/guests/newlib.mk
guest: $(NEWLIB_PATH)
\t@cat $(NEWLIB_PATH) > $@; echo linked
"""
SCRIPT = """\
#!/bin/sh
echo "$LIBRARY" | cmp -s - "$2" || echo "$LIBRARY" > "$2"
"""


def test_one_make_is_enough(tmp_path):
    """The path is another one: the guest follows at once; the path is the same: nothing is linked."""
    (tmp_path / "Makefile").write_text(MAKEFILE)
    script = tmp_path / "build-newlib.sh"       # called in the makefile's own folder
    script.write_text(SCRIPT)
    script.chmod(0o755)

    def make(library):
        done = subprocess.run(["make", "-s"], cwd=tmp_path, env=dict(os.environ, LIBRARY=library), capture_output=True,
                              text=True, timeout=60, check=True)
        return done.stdout.strip(), (tmp_path / "guest").read_text().strip()

    assert make("one") == ("linked", "one")
    assert make("one") == ("", "one")
    os.utime(tmp_path / "guest", (1, 1))
    os.utime(tmp_path / "newlib.path", (1, 1))
    assert make("two") == ("linked", "two")
    assert make("two") == ("", "two")
