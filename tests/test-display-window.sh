#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -display sdl with a real window system, Xvfb: the window shows what screendump
# writes, pixel for pixel, and keys and the pointer reach the guest; prints TAP.
#
# Needs FLATVIEW, SRC_PATH and BUILD_PATH, which make check sets.

skip() {
    echo "1..0 # SKIP $*"
    exit 0
}

[ -e "$BUILD_PATH/ui-sdl.so" ] || skip "the display sdl is not built"
for need in Xvfb:xvfb xdotool:xdotool import:imagemagick socat:socat; do
    command -v "${need%:*}" >/dev/null || skip "no ${need%:*}: Debian package ${need#*:}"
done

scratch=$(mktemp -d)
xvfb='' program=
cleanup() {
    [ -z "$program" ] || kill "$program" 2>/dev/null
    [ -z "$xvfb" ] || kill "$xvfb" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT
trap '' PIPE
cd "$scratch" || exit 1
number=0

point() { # WHAT COMMAND...
    what=$1
    shift
    number=$((number + 1))
    if "$@" >why 2>&1; then
        echo "ok $number - $what"
    else
        echo "not ok $number - $what"
        tail -n 20 why errors xerrors | sed 's/^/# /'
    fi
}

# Wait for what happens soon: COMMAND succeeds, while the program is there.
soon() {
    tries=0
    until "$@"; do
        kill -0 "$program" || return 1
        tries=$((tries + 1))
        [ $tries -lt 300 ] || return 1
        sleep 0.1
    done
}

# A line of qtest; its reply, which must be OK, without that.
qtest() {
    echo "$*" >&3
    read -r reply rest <&4
    [ "$reply" = OK ] || echo "$*: $reply $rest"
    [ "$reply" = OK ] && echo "$rest"
}

hmp() {
    echo "$*" | socat -t 0.3 - UNIX-CONNECT:monitor >said 2>&1
}

start() { # OPTION...: the program, with a picture of stripes on bochs-display
    rm -f qtest monitor to from
    mkfifo to from
    "$FLATVIEW" -M pc -accel qtest -m 16 -nodefaults -vga none -display sdl,grab-mod=lctrl-lalt \
        -qtest unix:qtest,server=on,wait=off -monitor unix:monitor,server=on,wait=off \
        -device bochs-display,id=a,addr=4 "$@" 2>errors &
    program=$!
    soon test -S monitor || return 1
    socat UNIX-CONNECT:qtest - <to >from &
    exec 3>to 4<from
    place 4 0xe0000000 0xfeb00000
    mode 0xfeb00000 320 200 && stripes 0xe0000000 320 200
}

# The function in slot $1: its two BARs, and that it answers.
place() {
    address=$((0x80000000 + ($1 << 11)))
    qtest outl 0xcf8 $((address + 0x10)) && qtest outl 0xcfc "$2" &&
        qtest outl 0xcf8 $((address + 0x18)) && qtest outl 0xcfc "$3" &&
        qtest outl 0xcf8 $((address + 4)) && qtest outw 0xcfc 2
}

mode() { # REGISTERS WIDTH HEIGHT, 32 bits a pixel
    qtest writew $(($1 + 0x508)) 0 && qtest writew $(($1 + 0x502)) "$2" &&
        qtest writew $(($1 + 0x504)) "$3" && qtest writew $(($1 + 0x506)) 32 &&
        qtest writew $(($1 + 0x508)) 0x41
}

stripes() { # MEMORY WIDTH HEIGHT
    for row in 0 7 20 33 90 120 199; do
        qtest memset $(($1 + row * $2 * 4)) $(($2 * 4)) $((0x35 + row)) || return
    done
    qtest write $(($1 + ($3 - 1) * $2 * 4)) 8 0x0000ff0000ff0000
}

window() { # NAME: sets id
    id=$(xdotool search --name "$1" 2>/dev/null | tail -n 1)
    [ -n "$id" ]
}

same_picture() { # DEVICE
    import -window "$id" -depth 8 ppm:shot && hmp screendump dump "$1" || return 1
    cmp shot dump
}

size_is() { # WIDTHxHEIGHT
    [ "$(xdotool getwindowgeometry "$id" | sed -n 's/.*Geometry: //p')" = "$1" ]
}

title_has() {
    xdotool getwindowname "$id" | grep -q -F -e "$1"
}

# The keyboard as firmware sets it up: translated, without interrupts.
keyboard() {
    qtest outb 0x64 0x60 && qtest outb 0x60 0x44 && qtest outb 0x64 0xae && drain
}

drain() {
    while [ $(($(qtest inb 0x64) & 1)) = 1 ]; do
        qtest inb 0x60 >/dev/null
    done
}

scancodes_are() { # CODE...
    for code do
        soon has_byte || return 1
        got=$(qtest inb 0x60)
        echo "$got for $code"
        [ $((got)) = $((code)) ] || return 1
    done
    ! has_byte
}

has_byte() {
    [ $(($(qtest inb 0x64) & 1)) = 1 ]
}

types() {
    keyboard && xdotool windowfocus "$id" key --window 0 shift+a &&
        scancodes_are 0x2a 0x1e 0xaa 0x9e
}

# Ctrl and Alt go down, and up again as soon as it is a hot key.
grabs() {
    drain
    xdotool keydown Control_L keydown Alt_L key g keyup Alt_L keyup Control_L &&
        soon title_has 'press Ctrl-Alt-G' && scancodes_are 0x1d 0x38 0x9d 0xb8
}

# The mouse, switched on and asked for packets: 3 bytes, from the second on dx and dy.
moves() {
    qtest outb 0x64 0xa8 && qtest outb 0x64 0xd4 && qtest outb 0x60 0xf4 && drain || return
    xdotool mousemove_relative 5 3 || return
    soon has_byte || return
    echo "$(qtest inb 0x60) $(qtest inb 0x60) $(qtest inb 0x60)" >packet
    cat packet
    # Right is positive, and up.
    grep -q '^0x\(0*\)28 0x\(0*\)5 0x\(0*\)fd$' packet
}

ends() {
    wait "$program"
    status=$?
    program=
    exec 3>&- 4<&-
    echo "status $status"
    [ $status = 0 ]
}

export SDL_VIDEODRIVER=x11 SDL_RENDER_DRIVER=software LIBGL_ALWAYS_SOFTWARE=1
unset XMODIFIERS
Xvfb -displayfd 5 -screen 0 1024x768x24 -nolisten tcp 5>number 2>xerrors &
xvfb=$!
program=$xvfb
soon test -s number || skip "Xvfb does not start: $(tail -n 1 xerrors)"
program=
DISPLAY=:$(cat number)
export DISPLAY

point "starts, and draws" start
point "there is a window" soon window '^flatview'
point "of the picture's size" soon size_is 320x200
point "which shows what screendump writes" soon same_picture a
qtest memset $((0xe0000000 + 320 * 4 * 50)) 1280 0x99 >/dev/null
point "also after a change" soon same_picture a
mode 0xfeb00000 640 400 >/dev/null
point "it follows a mode" soon size_is 640x400
point "and shows that" soon same_picture a
point "keys reach the guest" types
point "Ctrl-Alt-G takes keyboard and pointer" grabs
point "movements reach the guest" moves
kill "$program"
point "the program ends" ends

start -device bochs-display,id=b,addr=5 -name twins >why 2>&1
place 5 0xe4000000 0xfeb10000 >why
mode 0xfeb10000 200 100 >why
point "with two screens there are two windows" soon window '^flatview .twins.: bochs-display b'
point "of the second's size" soon size_is 200x100
point "with its picture" soon same_picture b
point "the first has its own" soon window '^flatview .twins.: bochs-display a'
xdotool windowraise "$id" # it was below the other one: all is to be drawn again
point "with its picture, too" soon same_picture a
kill "$program"
point "the program ends" ends

"$FLATVIEW" -M pc -accel qtest -nodefaults -vga none -display sdl 2>errors
status=$?
refused() {
    [ $status = 1 ] && grep -q 'the machine has no screen' errors
}
point "without a screen there is nothing to show" refused
echo "1..$number"
