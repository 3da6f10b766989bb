# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
#
# What tests of a screen with other people's programs share; read with "." : a folder of
# their own, points, the program with a bochs-display that qtest draws on, an X server.
# At the end all of it goes.

scratch=$(mktemp -d)
xvfb='' program='' viewer=''
cleanup() {
    for pid in $viewer $program $xvfb; do
        kill "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT
trap '' PIPE
cd "$scratch" || exit 1
number=0

skip_all() {
    echo "1..0 # SKIP $*"
    exit 0
}

point() { # WHAT COMMAND...
    what=$1
    shift
    number=$((number + 1))
    if "$@" >why 2>&1; then
        echo "ok $number - $what"
    else
        echo "not ok $number - $what"
        tail -n 20 why said errors log xerrors 2>/dev/null | sed 's/^/# /'
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

# ---- the program -----------------------------------------------------------------------

# With bochs-displays and displays as OPTIONs say.
start_program() { # OPTION...
    rm -f qtest monitor to from
    mkfifo to from
    "$FLATVIEW" -M pc -accel qtest -m 16 -nodefaults -vga none \
        -qtest unix:qtest,server=on,wait=off -monitor unix:monitor,server=on,wait=off \
        "$@" 2>errors &
    program=$!
    soon test -S monitor || return 1
    socat UNIX-CONNECT:qtest - <to >from &
    exec 3>to 4<from
}

# It is asked to end, and does.
end_program() {
    kill "$program"
    wait "$program"
    status=$?
    program=
    exec 3>&- 4<&-
    echo "status $status"
    [ $status = 0 ]
}

# A line of qtest; its reply, which must be OK, without that.
qtest() {
    echo "$*" >&3
    IFS=' ' read -r reply rest <&4
    [ "$reply" = OK ] || echo "$*: $reply $rest"
    [ "$reply" = OK ] && echo "$rest"
}

# A line for the monitor; what it says is in the file said.
hmp() {
    echo "$*" | socat -t 0.3 - UNIX-CONNECT:monitor 2>&1 | tr -d '\r' |
        sed 's/^(flatview) //' >said
}

# The function in slot $1: its two BARs, and that it answers.
place() { # SLOT MEMORY REGISTERS
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

# ---- keyboard and mouse, as the guest sees them -------------------------------------------

# The keyboard as firmware sets it up: translated, without interrupts.
keyboard() {
    qtest outb 0x64 0x60 && qtest outb 0x60 0x44 && qtest outb 0x64 0xae && drain
}

has_byte() {
    [ $(($(qtest inb 0x64) & 1)) = 1 ]
}

drain() {
    while has_byte; do
        qtest inb 0x60 >/dev/null
    done
}

# They come next, whatever comes after them.
scancodes_begin() { # CODE...
    for code do
        soon has_byte || return 1
        got=$(qtest inb 0x60)
        echo "$got for $code"
        [ $((got)) = $((code)) ] || return 1
    done
}

# The mouse is switched on, and asked for packets.
mouse() {
    qtest outb 0x64 0xa8 && qtest outb 0x64 0xd4 && qtest outb 0x60 0xf4 && drain
}

# A packet says 5 to the right and 3 down; up is positive.
mouse_moved() {
    soon has_byte || return
    echo "$(qtest inb 0x60) $(qtest inb 0x60) $(qtest inb 0x60)" >packet
    cat packet
    grep -q '^0x\(0*\)28 0x\(0*\)5 0x\(0*\)fd$' packet
}

# ---- an X server ----------------------------------------------------------------------------

start_x_server() {
    Xvfb -displayfd 5 -screen 0 1024x768x24 -nolisten tcp 5>number 2>xerrors &
    xvfb=$!
    tries=0
    until [ -s number ]; do
        tries=$((tries + 1))
        kill -0 "$xvfb" 2>/dev/null && [ $tries -lt 300 ] || return 1
        sleep 0.1
    done
    DISPLAY=:$(cat number)
    export DISPLAY
}
