#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -display sdl with a real window system, Xvfb: the window shows what screendump
# writes, pixel for pixel, and keys and the pointer reach the guest; prints TAP.
#
# Needs FLATVIEW, SRC_PATH and BUILD_PATH, which make check sets.

# shellcheck source=tests/screen-world.sh
. "$SRC_PATH/tests/screen-world.sh"

[ -e "$BUILD_PATH/ui-sdl.so" ] || skip_all "the display sdl is not built"
for need in Xvfb:xvfb xdotool:xdotool import:imagemagick socat:socat; do
    command -v "${need%:*}" >/dev/null || skip_all "no ${need%:*}: Debian package ${need#*:}"
done

start() { # OPTION...: the program, with a picture of stripes on bochs-display
    start_program -display sdl,grab-mod=lctrl-lalt -device bochs-display,id=a,addr=4 "$@" &&
        place 4 0xe0000000 0xfeb00000 && mode 0xfeb00000 320 200 &&
        stripes 0xe0000000 320 200
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

scancodes_are() { # CODE...
    scancodes_begin "$@" && ! has_byte
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

moves() {
    mouse && xdotool mousemove_relative 5 3 && mouse_moved
}

# What libraries of the window system leave behind cannot be told from ours here;
# test-display-sdl looks for that.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
export SDL_VIDEODRIVER=x11 SDL_RENDER_DRIVER=software LIBGL_ALWAYS_SOFTWARE=1
unset XMODIFIERS
start_x_server || skip_all "Xvfb does not start: $(tail -n 1 xerrors)"

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
point "the program ends" end_program

start -device bochs-display,id=b,addr=5 -name twins >why 2>&1
place 5 0xe4000000 0xfeb10000 >why
mode 0xfeb10000 200 100 >why
point "with two screens there are two windows" soon window '^flatview .twins.: bochs-display b'
point "of the second's size" soon size_is 200x100
point "with its picture" soon same_picture b
point "the first has its own" soon window '^flatview .twins.: bochs-display a'
xdotool windowraise "$id" # it was below the other one: all is to be drawn again
point "with its picture, too" soon same_picture a
point "the program ends" end_program

"$FLATVIEW" -M pc -accel qtest -nodefaults -vga none -display sdl 2>errors
status=$?
refused() {
    [ $status = 1 ] && grep -q 'the machine has no screen' errors
}
point "without a screen there is nothing to show" refused
echo "1..$number"
