#!/bin/sh
# archive.sh: a package of Debian's archive by its suite, without installing it and without a change in /etc/apt.
#
#   tools/archive.sh source SUITE NAME FOLDER     its source package: .dsc and archives
#   tools/archive.sh binary SUITE NAME FOLDER     what its .deb has in it
#
# SUITE (bookworm, trixie) need not be that of this machine: the archive is the one that /etc/apt names, with its security
# updates. apt verifies what it fetches by the signature of Debian's archive; its lists are a temporary folder of FOLDER.
# Prints nothing but what went wrong.
set -eu

usage() {
    echo "usage: tools/archive.sh source|binary SUITE NAME FOLDER" >&2
    exit 2
}

# fail CAUSE HINT: one line in the form of all this project's errors.
fail() {
    echo "tools/archive.sh: $1. hint: $2" >&2
    exit 1
}

[ $# = 4 ] || usage
kind=$1
suite=$2
name=$3
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
case $kind in source) type=deb-src ;; binary) type=deb ;; *) usage ;; esac
[ -e "$keyring" ] || fail "$keyring: no such file" "apt-get install debian-archive-keyring"
mkdir -p "$4"
folder=$(cd "$4" && pwd)
apt=$folder/apt
log=$folder/fetch.log
# shellcheck disable=SC1091
here=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

# quietly COMMAND...: its output is shown only when it fails.
quietly() {
    "$@" >"$log" 2>&1 </dev/null || {
        tail -n 20 "$log" >&2
        fail "$name of Debian's $suite: '$*' failed" "is the network there? the whole output is in $log"
    }
}

# private COMMAND...: apt of that suite alone.
private() {
    "$@" -q -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State="$apt" \
        -o Dir::State::status="$apt/status" -o Dir::Cache="$apt" -o APT::Sandbox::User= -o Acquire::Languages=none
}

# Debian's main archives among those that apt uses, as apt itself understood them, with the name of the other suite
sources() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' | sort -u |
        while read -r uri release component; do
            case $component:$release in
            main:"$here" | main:"$here"[-/]*) echo "$type [signed-by=$keyring] $uri $suite${release#"$here"} main" ;;
            esac
        done
}

rm -rf "$apt"
mkdir -p "$apt/lists/partial" "$apt/archives/partial"
: >"$apt/status"
sources >"$apt/sources.list"
if [ ! -s "$apt/sources.list" ] && [ "$(id -u)" = 0 ]; then
    quietly apt-get update              # a system image without lists
    sources >"$apt/sources.list"
fi
[ -s "$apt/sources.list" ] || fail "apt knows no index of Debian's archive" "as root: apt-get update"
quietly private apt-get update
cd "$folder"
case $kind in
source) quietly private apt-get source --download-only "$name" ;;
binary)
    (cd "$apt" && quietly private apt-get download "$name")
    quietly dpkg-deb -x "$apt/$name"_*.deb "$folder"
    ;;
esac
rm -rf "$apt" "$log"
