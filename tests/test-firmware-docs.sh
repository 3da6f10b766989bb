#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command lines in docs/firmware.md; prints TAP. Those of blocks "console" print
# what is said there. The indented ones start, here without CPUs that run, and end
# when a monitor says so; what "cp" names is copied.
#
# Needs SRC_PATH and FLATVIEW, which make check sets.

text=$SRC_PATH/docs/firmware.md
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
number=0

skip() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

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

# Where a folder was given to configure it is said, instead of the usual ones.
shows_output() {
    path=$(sed -n 's/^FIRMWARE_PATH = //p' "$BUILD_PATH/config.mak")
    awk '/^```console$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$text" |
        sed "s|in /usr/share/seabios:[^ ]*$|in $path|" >shown
    [ -s shown ] || return 1
    sed -n 's/^\$ flatview-x86_64 //p' shown | while read -r options; do
        printf '$ flatview-x86_64 %s\n' "$options"
        # shellcheck disable=SC2086
        "$FLATVIEW" -accel qtest $options 2>&1 | sed 's/^flatview[^:]*:/flatview-x86_64:/'
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

echo rules >rules.txt
echo rom >tool.rom
: >vars.fd
: >bios.bin
point "what the program prints" shows_output
rm vars.fd

sed -n 's/^    \(cp\|flatview-x86_64\) /\1 /p' "$text" >commands
[ "$(grep -c '^flatview' commands)" -ge 4 ] || echo "Bail out! commands are missing"
while read -r command options; do
    file=$(echo "$options" | grep -o '/usr/share/[^ ]*' | head -n 1)
    if [ -n "$file" ] && [ ! -e "$file" ]; then
        skip "$options" "there is no $file"
    elif [ "$command" = cp ]; then
        # shellcheck disable=SC2086
        point "cp $options" cp $options
    else
        point "$options" starts "$options"
    fi
done <commands
echo "1..$number"
