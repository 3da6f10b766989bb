#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command lines in docs/display.md; prints TAP. Those of blocks "console" print what
# is said there. The indented ones start, here without CPUs that run, in a terminal and
# with windows that nobody sees, and end when a monitor says so.
#
# Needs SRC_PATH, BUILD_PATH and FLATVIEW, which make check sets.

text=$SRC_PATH/docs/display.md
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
number=0
export SDL_VIDEODRIVER=dummy SDL_RENDER_DRIVER=software

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

# Blocks about displays that are not built here are left out.
shows_output() { # BLOCK
    sed -n 's/^\$ flatview-x86_64 //p' "$1" | while read -r options; do
        printf '$ flatview-x86_64 %s\n' "$options"
        # shellcheck disable=SC2086
        "$FLATVIEW" $options 2>&1 | sed 's/^flatview[^:]*:/flatview-x86_64:/'
    done | diff -u "$1" -
}

built() { # DISPLAY
    [ "$1" = none ] || [ -e "$BUILD_PATH/ui-$1.so" ]
}

starts() { # OPTIONS
    printf 'info status\nq\n' >commands
    case $1 in
    *unix:monitor.sock*)
        # In a terminal of its own, as curses needs one.
        TERM=vt100 timeout 60 script -q -e -c \
            "stty rows 25 cols 80; exec $FLATVIEW -accel qtest $1" typescript \
            </dev/null >/dev/null 2>&1 &
        tries=0
        while [ ! -S monitor.sock ] && [ $tries -lt 300 ]; do
            sleep 0.1
            tries=$((tries + 1))
        done
        socat -t 10 - UNIX-CONNECT:monitor.sock <commands >out
        wait $! || { cat typescript out; return 1; } ;;
    *)
        # shellcheck disable=SC2086
        timeout 60 "$FLATVIEW" -accel qtest $1 -monitor stdio <commands >out 2>&1 ||
            { cat out; return 1; } ;;
    esac
    cat out
    grep -q 'VM status' out
}

# Blocks to files block.1 and so on, each with the display that it is about, if any.
awk '/^```console$/ { inside = 1; file = "block." ++n; next }
    /^```/ { inside = 0 }
    inside { print >file }' "$text"
for block in block.*; do
    options=$(sed -n '1s/^\$ flatview-x86_64 //p' "$block")
    kind=$(echo "$options" | sed -n 's/.*-display \([a-z]*\),.*/\1/p')
    if [ -n "$kind" ] && ! built "$kind"; then
        skip "$options" "this display is not built"
    elif [ "$options" = "-display help" ] && ! { built vnc && built sdl && built curses; }; then
        skip "$options" "not all displays are built"
    else
        point "$options prints what is said" shows_output "$block"
    fi
done

# What is built, and what was left by another one with more displays is not.
installs() { # MODULES
    mkdir -p "here$PREFIX/lib/flatview"
    touch "here$PREFIX/lib/flatview/ui-old.so"
    env -u MAKEFLAGS -u MAKELEVEL make -s -C "$BUILD_PATH" -o all install \
        "DESTDIR=$scratch/here" "MODULES=$1" || return
    (cd "here$PREFIX/lib/flatview" && ls) >there
    printf '%s\n' $1 | sed '/^$/d' | sort | diff - there
}

PREFIX=$(sed -n 's/^PREFIX = //p' "$BUILD_PATH/config.mak")
modules=$(cd "$BUILD_PATH" && echo ui-*.so)
[ "$modules" = "ui-*.so" ] && modules=
point "make install with displays" installs "$modules"
point "make install without displays" installs ""

sed -n 's/^    flatview-x86_64 //p' "$text" >lines
[ -s lines ] || echo "Bail out! commands are missing"
while read -r options <&5; do
    kind=$(echo "$options" | sed -n 's/.*-display \([a-z]*\).*/\1/p')
    case $options in *-vnc*) kind=vnc ;; esac
    if [ -n "$kind" ] && ! built "$kind"; then
        skip "$options" "this display is not built"
    elif ! command -v socat >/dev/null || ! command -v script >/dev/null; then
        skip "$options" "no socat or script: Debian packages socat, bsdutils"
    else
        point "$options" starts "$options"
    fi
done 5<lines
echo "1..$number"
