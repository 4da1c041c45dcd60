#!/bin/sh
# lint.sh: static checks of the sources, the tools and the linked hypervisor.
#
#   tools/lint.sh              all checks; the last line is `N passed, N failed`
#   tools/lint.sh IMAGE...     with these linked images instead of those under build/
#
# A check that fails prints what it found as file:line: text, and exit status is 1. Needs cppcheck, shellcheck and
# pyflakes3 (tools/deps.sh lint).
set -u
cd "$(dirname "$0")/.." || exit 1
PYTHON=/usr/bin/python3
passed=0
failed=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM

# check NAME COMMAND...: silent if the command succeeds, its output if not.
check() {
    name=$1
    shift
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        printf '  LINT  %-12s ok\n' "$name"
    else
        failed=$((failed + 1))
        printf '  LINT  %-12s FAILED\n' "$name"
        cat "$log"
    fi
}

# All files of the project: what git knows or would add; of a tree without it, what is not generated.
all_files() {
    if [ -e .git ] && command -v git >/dev/null; then
        git ls-files --cached --others --exclude-standard
    else
        find . -type f -not -path './build/*' -not -path './.git*' -not -path '*/__pycache__/*' -not -path '*/.pytest_cache/*' |
            cut -c 3-
    fi
}

# files PATTERN...: those that match a pattern (of which * may cross folders) or are in such a folder; !PATTERN takes away.
files() {
    all_files | sort -u | while IFS= read -r file; do
        wanted=no
        for pattern in "$@"; do
            # shellcheck disable=SC2254 # they are patterns
            case $pattern in
            !*) case $file in ${pattern#!}) wanted=no ;; esac ;;
            *) case $file in $pattern | $pattern/*) wanted=yes ;; esac ;;
            esac
        done
        [ $wanted = no ] || [ ! -f "$file" ] || printf '%s\n' "$file"
    done
}

# none TEXT HINT PATTERN FILE...: no line of the files matches the extended regular expression.
none() {
    text=$1
    hint=$2
    pattern=$3
    shift 3
    if found=$(grep -nE "$pattern" /dev/null "$@"); then
        printf '%s\n' "$found" | sed -E "s/^([^:]*:[0-9]+:)(.*)/\1 $text:\2. hint: $hint/"
        return 1
    fi
}

needed() {
    for tool in cppcheck shellcheck pyflakes3 "$PYTHON"; do
        command -v "$tool" >/dev/null || { echo "tools/lint.sh: $tool is missing. hint: tools/deps.sh lint"; return 1; }
    done
}

# Of a fresh clone nothing is configured: a configuration with all options, and the smallest, are made here.
cppcheck_sources() {
    status=0
    for product in full minimal; do
        gen=$(mktemp -d) || return 1
        if $PYTHON tools/kconfig.py --kconfig Kconfig --defconfig "config/$product/defconfig" --out "$gen" &&
            $PYTHON tools/partition.py --board config/boards/ref405ep.toml --config "$gen/.config" \
                "config/$product/partitions.toml" --out "$gen/gen"; then
            # offsets.c and verify.c are for the compiler alone, intc_mmio.c is in neither product. Conditions and bits that are
            # constants here are not in another configuration. Rooms are words of their own.
            # shellcheck disable=SC2046
            cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr \
                --enable=warning,style,performance,portability \
                --suppress=missingInclude --suppress=missingIncludeSystem --suppress=unmatchedSuppression \
                --suppress=unusedStructMember --suppress=constParameter --suppress=constParameterPointer \
                --suppress=constVariablePointer --suppress=zerodivcond --suppress=variableScope \
                --suppress=knownConditionTrueFalse --suppress=unreachableCode:config/spr.def \
                --suppress=duplicateExpression --suppress=badBitmaskCheck --suppress=arrayIndexOutOfBoundsCond \
                --suppress=normalCheckLevelMaxBranches \
                --include="$gen/gen/autoconf.h" -Iconfig -I"$gen/gen" -Isrc $(printf -- "-I%s " src/*/) -Iasm -D__GNUC__=12 \
                --template='{file}:{line}: {message} ({id})' -isrc/offsets.c -isrc/verify.c \
                -isrc/irq/intc_mmio.c src || status=1
        else
            status=1
        fi
        rm -rf "$gen"
    done
    return $status
}

shell_scripts() {
    # shellcheck disable=SC2046
    shellcheck --severity=style $(files '*.sh' .ci/run)
}

python_sources() {
    # shellcheck disable=SC2046
    pyflakes3 $(files '*.py')
}

reference() {
    $PYTHON tools/reference.py --check
}

# `#if` belongs between functions, in headers, or into Kconfig: bodies have IS_ENABLED(), or, in assembler, hooks. X-macro tables
# (#define, #include, #undef) are not conditions.
no_if_in_bodies() {
    # shellcheck disable=SC2046
    awk '
        FNR == 1 { depth = 0; comment = 0 }
        {
            line = $0
            if (!comment && depth > 0 && line ~ /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else)\>/) {
                print FILENAME ":" FNR ": condition inside a function: " line ". hint: IS_ENABLED(), or another file"
                bad = 1
            }
            gsub(/\\./, "", line)
            gsub(/"[^"]*"/, "", line)
            gsub(/\047[^\047]*\047/, "", line)
            gsub(/\/\*([^*]|\*[^\/])*\*\//, "", line)
            if (comment) {
                if (!sub(/^.*\*\//, "", line)) { next }
                comment = 0
            }
            if (sub(/\/\*.*$/, "", line)) { comment = 1 }
            sub(/\/\/.*$/, "", line)
            if (line ~ /^[ \t]*#/) { next }
            depth += gsub(/\{/, "", line) - gsub(/\}/, "", line)
        }
        END { exit bad }' $(files 'src/*.c') && awk '
        FNR == 1 { inside = 0 }
        /^(func|[ \t]*\.macro|[ \t]*\.type)[ \t]/ { inside = 1 }
        /^(endfunc|[ \t]*\.size)[ \t]|^[ \t]*\.endm$/ { inside = 0 }
        inside && /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else)\>/ {
            print FILENAME ":" FNR ": condition inside a routine: " $0 ". hint: a hook (asm/hooks.h), or another file"
            bad = 1
        }
        END { exit bad }' $(files 'asm/*.S')
}

no_left_overs() {
    # Written apart so that this file does not find itself. Patches quote the sources of others.
    # shellcheck disable=SC2046
    none "left over" "do it, or file an issue" '\b(TO''DO|FIX''ME|X''XX|HA''CK)\b|#if'' 0\b' \
        $(files src asm config Kconfig Makefile previrt hypercalls tools tests .ci '*.md' '!*.patch')
}

# 130 columns; 160 in the tests' Python, which has tables of messages and instructions.
short_lines() {
    # shellcheck disable=SC2046
    none "longer than 130 columns" "break it" '^.{131}' \
        $(files 'src/*' 'asm/*' 'config/*' 'tools/*' 'tests/*' 'previrt/*' 'hypercalls/*' Kconfig .ci |
            grep -Ev '\.(md|svg|schema\.json)$|^tests/.*\.(py|txt|profile)$') || return 1
    # shellcheck disable=SC2046
    none "longer than 160 columns" "break it" '^.{161}' $(files 'tests/*.py')
}

clean_white_space() {
    # shellcheck disable=SC2046
    none "white space at the end" "remove it" '[[:blank:]]+$' \
        $(files src asm config tools tests Kconfig Makefile .ci '*.md' | grep -v '\.profile$')
}

# To ld a number that is assigned in a section's braces is an offset into that section: a length becomes an address.
lengths_behind_braces() {
    # shellcheck disable=SC2046
    none "a length assigned in a section's braces" "behind the brace" \
        '\{.*\w = [^;}]*(SIZEOF|- *[A-Za-z_.(]|/ *[0-9])[^;}]*;.*\}' \
        $(files '*.ld' '*.lds.S' '*.ld.S')
}

# The 405 has no floating-point and no vector registers: no such instruction in the hypervisor, whatever the compiler
# thought of. `-d` takes executable sections only; .images has the guests.
no_float_in() {
    objdump=$(command -v powerpc-eabi-objdump || command -v powerpc-linux-gnu-objdump) || {
        echo "tools/lint.sh: no objdump for PowerPC. hint: tools/deps.sh run"
        return 1
    }
    status=0
    for image in "$@"; do
        code=$("$objdump" -d -M 405 --no-show-raw-insn "$image" | awk '
            /^Disassembly of section / { skip = ($4 == ".images:") }
            !skip && /^ *[0-9a-f]+:\t/ {
                count++
                if ($2 ~ /^((l|st)f[sd]|f[a-z]|mffs|mtfs|mcrfs|stfi|(l|st)x?v|v[a-z]|e(v|f[sd])[a-z]|dlmz|xx?[sv])/) {
                    print
                    bad = 1
                }
            }
            END {
                if (count < 200) {
                    print count + 0 " instructions only: is this the hypervisor?"
                    bad = 1
                }
                exit bad
            }') || {
            printf '%s\n' "$code" | sed "s|^|$image: |; s|\$|. hint: -msoft-float -mno-dlmzb|"
            status=1
        }
    done
    return $status
}

images() {
    for image in build/*/proteus.elf; do
        [ -f "$image" ] && printf '%s\n' "$image"
    done
}

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit 0
fi
case ${1:-} in -*) echo "usage: tools/lint.sh [IMAGE...]" >&2; exit 2 ;; esac
for image in "$@"; do
    [ -f "$image" ] || { echo "$image:1: no such image. hint: make $image" >&2; exit 1; }
done

check needed needed
check cppcheck cppcheck_sources
check shellcheck shell_scripts
check pyflakes python_sources
check reference reference
check no-if no_if_in_bodies
check rooms $PYTHON tools/rooms.py
check left-overs no_left_overs
check columns short_lines
check blanks clean_white_space
check lengths lengths_behind_braces
if [ $# = 0 ]; then
    # shellcheck disable=SC2046
    set -- $(images)
    if [ $# = 0 ]; then
        make -s PRODUCT=minimal build/minimal/proteus.elf >/dev/null && set -- build/minimal/proteus.elf
    fi
fi
check no-float no_float_in "$@"
check image $PYTHON tools/imagelint.py "$@"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
