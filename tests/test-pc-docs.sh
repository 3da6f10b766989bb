#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What docs/pc.md shows: the map is the one that there is, the program prints what
# blocks "console" say, and the indented command lines start, here without CPUs that
# run. Prints TAP.
#
# Needs SRC_PATH and FLATVIEW, which make check sets.

text=$SRC_PATH/docs/pc.md
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
number=0

point() { # WHAT COMMAND...: the command prints why it fails
    what=$1
    shift
    number=$((number + 1))
    if "$@" >why 2>&1; then
        echo "ok $number - $what"
    else
        echo "not ok $number - $what"
        sed 's/^/# /' why
    fi
}

shows_map() {
    sed -n '/^flat-view: memory/,/^```/p' "$text" | sed '$d' >shown
    printf 'info mtree -f\nq\n' |
        "$FLATVIEW" -M pc -accel qtest -nodefaults -display none -m 6G -serial null \
            -monitor stdio | tr -d '\r' | sed 's/^(flatview) flat-view/flat-view/' |
        awk '/^flat-view:/ { inside = /memory$/ && !seen++ || /: ports$/ } inside' |
        sed '$d' >there
    diff -u shown there
}

shows_output() {
    awk '/^```console$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$text" \
        >shown
    [ -s shown ] || return 1
    sed -n 's/^\$ flatview-x86_64 //p' shown | while read -r options; do
        printf '$ flatview-x86_64 %s\n' "$options"
        # shellcheck disable=SC2086
        "$FLATVIEW" -accel qtest $options 2>&1 |
            sed 's/^flatview[^:]*:/flatview-x86_64:/'
    done | diff -u shown -
}

starts() { # OPTIONS
    options=$(echo "$1" | sed 's/-serial stdio/-serial null/')
    # shellcheck disable=SC2086
    printf 'info status\nq\n' |
        "$FLATVIEW" -accel qtest $options -monitor stdio >out 2>&1 ||
        { cat out; return 1; }
    cat out
    grep -q 'VM status' out
}

if [ -e /usr/share/seabios/bios-256k.bin ]; then
    point "the map" shows_map
else
    number=1
    echo "ok 1 - the map # SKIP SeaBIOS is not installed"
fi
point "what the program prints" shows_output

sed -n 's/^    flatview-x86_64 //p' "$text" >commands
[ "$(wc -l <commands)" -ge 2 ] || echo "Bail out! commands are missing"
while read -r options; do
    if echo "$options" | grep -q -e -bios && [ ! -e /usr/share/seabios ]; then
        number=$((number + 1))
        echo "ok $number - $options # SKIP SeaBIOS is not installed"
    else
        point "$options" starts "$options"
    fi
done <commands
echo "1..$number"
