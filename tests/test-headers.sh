#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every header includes what it uses: it compiles alone, twice, with no warning.
# Those of displays only where these are built.
# Needs SRC_PATH, CC, CFLAGS, DISPLAYS and DISPLAY_CFLAGS, which make check sets.

number=0
headers=$(cd "$SRC_PATH" && ls ./*.h target-*/*.h hw/*/*.h ui/*.h tests/*.h tests/bench/*.h 2>/dev/null)
for header in $headers; do
    header=${header#./}
    number=$((number + 1))
    for display in vnc sdl curses; do
        case "$header $DISPLAYS " in
        "ui/$display"[-.]*" $display "*) ;;
        "ui/$display"[-.]*)
            echo "ok $number - $header # SKIP no display $display here"
            continue 2 ;;
        esac
    done
    # shellcheck disable=SC2086
    if printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
        $CC $CFLAGS $DISPLAY_CFLAGS -Werror -fsyntax-only -x c -; then
        echo "ok $number - $header"
    else
        echo "not ok $number - $header"
    fi
done
echo "1..$number"
