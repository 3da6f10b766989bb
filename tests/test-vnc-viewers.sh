#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -vnc with viewers that others wrote: they see what screendump writes, pixel for pixel,
# keys and the pointer reach the guest, and without the password nobody sees anything;
# prints TAP.
#
# Needs FLATVIEW, SRC_PATH and BUILD_PATH, which make check sets.

# shellcheck source=tests/screen-world.sh
. "$SRC_PATH/tests/screen-world.sh"

[ -e "$BUILD_PATH/ui-vnc.so" ] || skip_all "the display vnc is not built"
command -v socat >/dev/null || skip_all "no socat: Debian package socat"

# Points that need COMMANDs, from Debian package PACKAGE.
needs() { # COMMAND:PACKAGE... ; false: they are skipped
    for need do
        command -v "${need%:*}" >/dev/null && continue
        number=$((number + 1))
        echo "ok $number - ${need%:*} # SKIP not installed: Debian package ${need#*:}"
        return 1
    done
}

# The program, two servers, and a picture of stripes on bochs-display.
start() {
    start_program -display none -device bochs-display,addr=4 \
        -vnc 127.0.0.1:40,to=99,id=open -vnc 127.0.0.1:40,to=99,password=on,id=closed &&
        place 4 0xe0000000 0xfeb00000 && mode 0xfeb00000 320 200 &&
        stripes 0xe0000000 320 200 && hmp info vnc || return 1
    cat said
    open=$(display_of open)
    closed=$(display_of closed)
    [ -n "$open" ] && [ -n "$closed" ]
}

# The number that viewers know the server of that id by.
display_of() {
    port=$(sed -n "/^$1:/,/Auth/s/.*Server: 127.0.0.1:\\([0-9]*\\) .*/\\1/p" said)
    [ -n "$port" ] && echo "127.0.0.1:$((port - 5900))"
}

same_as_screen() { # FILE
    hmp screendump dump && convert "$1" -alpha off -depth 8 ppm:shot && cmp shot dump
}

captured() {
    timeout 30 gvnccapture -q "$open" capture.png && same_as_screen capture.png
}

# "secret" and "wrong!" as viewers keep passwords in files.
printf '\056\055\277\127\156\260\154\236' >secret
printf '\000\001\002\003\004\005\006\007' >wrong

snapshot() { # FILE: of the server that wants the password
    rm -f snapshot.jpg
    timeout 30 vncsnapshot -quiet -passwd "$1" "$closed" snapshot.jpg </dev/null
    [ -s snapshot.jpg ]
}

no_snapshot() {
    ! snapshot "$1"
}

looks_right() {
    snapshot secret && hmp screendump dump || return 1
    # JPEG at its best: the same but for rounding.
    convert snapshot.jpg -depth 8 ppm:shot
    compare -metric MAE shot dump null: 2>&1 | tee difference
    awk -F'[()]' '{ exit !($2 < 0.02) }' difference
}

watch() { # DISPLAY PASSWORD-FILE
    xtigervncviewer -passwd "$2" -AutoSelect=0 -FullColor -RemoteResize=0 \
        -ReconnectOnError=0 -AlertOnFatalError=0 "$1" >log 2>&1 &
    viewer=$!
}

window() {
    id=$(xdotool search --onlyvisible --name flatview 2>/dev/null | tail -n 1)
    [ -n "$id" ]
}

shows() {
    import -window "$id" -depth 8 ppm:window && hmp screendump dump || return 1
    # The viewer may have a frame of its own around the picture.
    convert window -crop "$(identify -format '%wx%h+0+0' dump)" +repage ppm:shot
    cmp shot dump
}

types() {
    keyboard && xdotool windowfocus "$id" mousemove --window "$id" 50 50 \
        key --window 0 shift+a && scancodes_begin 0x2a 0x1e || return 1
    sleep 0.5
    drain
    xdotool key --window 0 Right && scancodes_begin 0xe0 0x4d 0xe0 0xcd
}

moves() {
    # The first tells the server where the pointer is.
    xdotool mousemove_relative 2 2
    sleep 0.5
    drain
    mouse && xdotool mousemove_relative 5 3 && mouse_moved
}

is_known() {
    hmp info vnc && grep -A 4 '^closed:' said | grep -q 'Client: 127.0.0.1:[0-9]* (ipv4)'
}

is_unknown() {
    ! is_known
}

viewer_ends() {
    ! kill -0 "$viewer"
}

point "starts, and draws" start
if needs gvnccapture:gvncviewer convert:imagemagick; then
    point "gvnccapture sees what screendump writes" captured
    mode 0xfeb00000 1024 768 >/dev/null
    qtest memset $((0xe0000000 + 1024 * 4 * 50)) 4096 0x99 >/dev/null
    point "also in another mode" captured
    mode 0xfeb00000 320 200 >/dev/null
fi
if needs vncsnapshot:vncsnapshot compare:imagemagick; then
    point "without a password set nobody gets in" no_snapshot secret
    hmp set_password vnc secret -d closed
    point "vncsnapshot gets in with it" snapshot secret
    point "and sees the screen" looks_right
    point "not with another one" no_snapshot wrong
    hmp expire_password vnc now -d closed
    point "nor with one of yesterday" no_snapshot secret
    hmp expire_password vnc never -d closed
fi
if needs xtigervncviewer:tigervnc-viewer Xvfb:xvfb xdotool:xdotool import:imagemagick; then
    hmp set_password vnc secret -d closed
    start_x_server || { echo "Bail out! Xvfb does not start"; exit 1; }
    watch "$closed" wrong
    point "tigervnc does not get in with another password" soon viewer_ends
    watch "$closed" secret
    point "it does with the right one, and has a window" soon window
    point "that shows what screendump writes" soon shows
    point "the monitor knows of it" soon is_known
    qtest memset $((0xe0000000 + 320 * 4 * 60)) 1280 0x77 >/dev/null
    point "a change is seen" soon shows
    mode 0xfeb00000 640 400 >/dev/null
    point "and another mode" soon shows
    point "keys reach the guest" types
    point "movements reach the guest" moves
    kill "$viewer"
    point "the monitor knows that it has gone" soon is_unknown
fi
point "the program ends" end_program
echo "1..$number"
