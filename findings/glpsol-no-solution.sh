#!/bin/sh
# glpsol-no-solution.sh: glpsol ends with status 0 and writes a solution, whose quality it calls high, when there is none.
#
# Three programs in CPLEX' LP format: one with an optimum, one with constraints that contradict each other, and one whose variable
# has an upper bound of -1 and none below (then 0 is meant, as everywhere in this format: nothing fits). Of the second it says
# INTEGER EMPTY, of the third UNDEFINED ("incorrect bounds" on the way); both files have a value of the objective, 0, and their
# reports end with conditions that are kept to "High quality". What tells is the status in the file.
#
# Tried: glpk-utils 5.0-1, libglpk40 5.0-1 of Debian 12.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
have=$(dpkg-query -W -f '${Version}' glpk-utils 2>/dev/null) || fail "apt-get install glpk-utils first" 2
[ "$have" = 5.0-1 ] || fail "glpk-utils is $have, not 5.0-1" 2

# solved NAME LP: its exit status, and of its file the status, the objective, and what it says of the quality
solved() {
    printf '%b' "$2" >"$1.lp"
    status=0
    glpsol --lp "$1.lp" --output "$1.txt" >"$1.log" || status=$?
    echo "status $status:" "$(sed -n 's/^Status: *//p' "$1.txt"), objective" \
        "$(sed -n 's/^Objective:.* = \([^ ]*\).*/\1/p' "$1.txt")," "$(grep -c 'High quality' "$1.txt" || true) of high quality"
}
best=$(solved best 'Maximize\n cost: 2 x\nSubject To\n c: x <= 3\nGeneral\n x\nEnd\n')
empty=$(solved empty 'Maximize\n cost: 2 x\nSubject To\n c: x <= 3\n d: x >= 5\nGeneral\n x\nEnd\n')
below=$(solved below 'Maximize\n cost: 2 x\nSubject To\n c: x >= -9\nBounds\n x <= -1\nEnd\n')
printf '%s\n' "optimum: $best" "contradiction: $empty" "upper bound -1: $below"
[ "$best" = "status 0: INTEGER OPTIMAL, objective 6, 2 of high quality" ] || fail "changed"
[ "$empty" = "status 0: INTEGER EMPTY, objective 0, 1 of high quality" ] || fail "changed"
[ "$below" = "status 0: UNDEFINED, objective 0, 2 of high quality" ] || fail "changed"
grep -q "incorrect bounds" below.log || fail "changed: no word of the bounds"
