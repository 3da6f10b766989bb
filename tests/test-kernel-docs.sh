#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command lines in docs/kernels.md; prints TAP. Those of blocks "console" print what
# is said there. The indented ones load what they name, here without CPUs that run, and
# end when a monitor says so.
#
# Needs SRC_PATH, BUILD_PATH and FLATVIEW, which make check sets.

text=$SRC_PATH/docs/kernels.md
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

# The program with the options in the text $1, quoted as for a shell.
run() {
    eval "set -- $1"
    "$FLATVIEW" -accel qtest "$@" 2>&1 | sed 's/^flatview[^:]*:/flatview-x86_64:/'
}

shows_output() {
    awk '/^```console$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$text" >shown
    [ -s shown ] || return 1
    sed -n 's/^\$ flatview-x86_64 //p' shown | while read -r options; do
        printf '$ flatview-x86_64 %s\n' "$options"
        run "$options"
    done | diff -u shown -
}

starts() { # OPTIONS
    printf 'info status\nq\n' |
        run "$(echo "$1" | sed 's/-serial stdio/-serial null/') -monitor stdio" >out
    cat out
    grep -q 'VM status' out
}

echo "no kernel" >notes.txt
cp "$BUILD_PATH/tests/guest/multiboot.bin" vmlinuz
cp vmlinuz xen
for file in initrd.img first second; do
    echo "$file" >"$file"
done
head -c 65536 /dev/zero >bios-256k.bin
point "what the program prints" shows_output
sed -n 's/^    flatview-x86_64 //p' "$text" >commands
[ "$(wc -l <commands)" -ge 3 ] || echo "Bail out! commands are missing"
while read -r options; do
    point "$options" starts "$options"
done <commands
echo "1..$number"
