#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# docs/writing-a-device.md shows files of the tree as they are, and it and
# docs/objects.md what the program prints; prints TAP. In the text:
#
#   ```c PATH       a piece of that file; all of its pieces, in order and with
#                   an empty line between, are the file from its first #include
#   ```console      a command of the program after "$ ", then its output
#
# Needs SRC_PATH and FLATVIEW, which make check sets.

text=$SRC_PATH/docs/writing-a-device.md
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0

point() { # WHAT COMMAND...: the command prints why it fails
    what=$1
    shift
    number=$((number + 1))
    if "$@" >"$scratch/why" 2>&1; then
        echo "ok $number - $what"
    else
        echo "not ok $number - $what"
        sed 's/^/# /' "$scratch/why"
    fi
}

shows_file() { # PATH
    awk -v fence='```c '"$1" '
    $0 == fence { if (seen++) print ""; inside = 1; next }
    /^```/ { inside = 0 }
    inside { print }' "$text" >"$scratch/shown"
    sed -n '/^#include/,$p' "$SRC_PATH/$1" | diff -u - "$scratch/shown"
}

shows_output() { # TEXT
    awk '/^```console$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$1" \
        >"$scratch/shown"
    [ -s "$scratch/shown" ] || return 1
    sed -n 's/^\$ flatview-x86_64 //p' "$scratch/shown" | while read -r options; do
        printf '$ flatview-x86_64 %s\n' "$options"
        # shellcheck disable=SC2086
        "$FLATVIEW" $options
    done | diff -u "$scratch/shown" -
}

files_exist() {
    for path in $(grep -o '`[a-z0-9/.-]*/[a-z0-9/.-]*`' "$text" | tr -d '`'); do
        ls "$SRC_PATH/$path" >/dev/null || return 1
    done
}

smallest_is_small() {
    lines=$(wc -l <"$SRC_PATH/hw/char/debugcon.c")
    echo "$lines lines"
    [ "$lines" -lt 40 ]
}

files=$(sed -n 's/^```c //p' "$text" | sort -u)
point "the text shows files" [ -n "$files" ]
for file in $files; do
    point "the pieces of $file are the file" shows_file "$file"
done
point "the program prints what the text says" shows_output "$text"
point "and what docs/objects.md says" shows_output "$SRC_PATH/docs/objects.md"
point "the files that it names are there" files_exist
point "the smallest device has less than 40 lines" smallest_is_small
echo "1..$number"
