#!/bin/sh
# kconfiglib-octal.sh: a number of Kconfig that C reads as another.
#
# For an option of type int kconfiglib takes what Python's int() takes, judges its range by that, keeps the text as it
# was, and writes it into the C header: CONFIG_SIZE=0120 is 120 within `range 100 200`, and `#define CONFIG_SIZE 0120`
# is 80. `1_20` and `+120` are taken and written likewise. No warning.
#
# Tried: python3-kconfiglib 14.1.0-3.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
command -v cc >/dev/null || fail "no C compiler" 2
apt-get -qq download python3-kconfiglib=14.1.0-3 >log 2>&1 || fail "python3-kconfiglib can't be had: $(tail -n 1 log)" 2
dpkg-deb -x python3-kconfiglib*.deb root

printf 'config SIZE\n\tint "size"\n\trange 100 200\n\tdefault 150\n' >Kconfig
for text in 0120 1_20 +120; do
    echo "CONFIG_SIZE=$text" >config
    PYTHONPATH=root/usr/lib/python3/dist-packages python3 -c '
import kconfiglib
kconf = kconfiglib.Kconfig("Kconfig")
kconf.load_config("config")
kconf.write_autoconf("config.h")
print("warnings:", kconf.warnings)' >out
    cat out config.h
    grep -q 'warnings: \[\]' out || fail "changed: it warns of $text"
    grep -q "^#define CONFIG_SIZE $text\$" config.h || fail "changed: $text is written otherwise"
    case $text in
    0120) printf '#include "config.h"\n_Static_assert(CONFIG_SIZE == 80, "");\n' >x.c
          cc -c x.c || fail "C reads another number" ;;
    esac
done
