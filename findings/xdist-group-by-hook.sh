#!/bin/sh
# xdist-group-by-hook.sh: pytest-xdist does not see an xdist_group mark that a conftest.py adds.
#
# `--dist loadgroup` keeps tests of one xdist_group in one process. A conftest.py's pytest_collection_modifyitems is the place
# that pytest's manual names for adding marks; but pytest-xdist reads the mark in the same hook of its own, which comes first
# where the conftest.py lies in the folder of the command line. The mark is then there (`-m xdist_group` selects by it), and
# the tests are spread over all processes: no error, no warning. With @pytest.hookimpl(tryfirst=True) they stay together.
#
# Tried: python3-pytest 7.2.1-2, python3-pytest-xdist 3.1.0-1. Twelve tests of a group: processes 2 and 1.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
for package in python3-pytest=7.2.1-2 python3-pytest-xdist=3.1.0-1 python3-execnet python3-pluggy python3-iniconfig python3-py \
    python3-packaging python3-attr; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export PYTHONPATH="$PWD/root/usr/lib/python3/dist-packages"

# processes HOOK: how many processes run twelve tests whose group a conftest.py names, with HOOK in front of its function.
processes() {
    rm -rf tests && mkdir tests
    printf '%s\n' 'import pytest' "$1" 'def pytest_collection_modifyitems(items):' '    for item in items:' \
        '        item.add_marker(pytest.mark.xdist_group("one"))' >tests/conftest.py
    printf '%s\n' 'import os, pytest' '@pytest.mark.parametrize("n", range(12))' 'def test_n(n):' \
        '    print(os.environ["PYTEST_XDIST_WORKER"], file=open("workers", "a"))' >tests/test_it.py
    rm -f workers
    /usr/bin/python3 -m pytest -q -p no:cacheprovider -p xdist -n 2 --dist loadgroup tests >out 2>&1 || fail "$(cat out)"
    sort -u workers | wc -l
}
plain=$(processes '')
first=$(processes '@pytest.hookimpl(tryfirst=True)')
echo "twelve tests of a group: $plain processes, with tryfirst $first"
[ "$plain $first" = "2 1" ] || fail "changed"
