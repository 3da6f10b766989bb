#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# SeaBIOS, as its Debian package has it, starts on the board pc, understands what it is
# told, and opens its boot menu on the serial port; prints TAP. Needs /dev/kvm: any.
#
# Needs FLATVIEW, which make check sets.

image=/usr/share/seabios/bios-256k.bin
if [ ! -f $image ]; then
    echo "1..0 # SKIP there is no $image: Debian package seabios"
    exit 0
fi
if [ ! -w /dev/kvm ]; then
    echo "1..0 # SKIP there is no /dev/kvm to start it on"
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap '' PIPE # a guest that has ended too early hears nothing
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
        tail -n 20 why screen log errors | tr -d '\r' | sed 's/^/# /'
    fi
}

seen() { # FILE WORDS
    while ! grep -a -q -e "$2" "$1"; do
        kill -0 "$guest" || return 1
        sleep 0.1
    done
}

menu_opens() {
    printf '\033' >&3
    seen screen 'Select boot device:'
}

found() {
    grep -a -q -e "$1" log
}

found_nothing_wrong() {
    grep -a -i -e 'invalid' -e 'unable' -e 'nak' -e 'timeout' -e 'WARNING' log && return 1
    return 0
}

stops() {
    kill "$guest"
    wait "$guest"
    status=$?
    exec 3>&-
    echo "status $status"
    [ "$status" = 0 ]
}

# start OPTION...: its screen is the file screen, its keys come from descriptor 3.
start() {
    rm -f keys log
    mkfifo keys
    : >screen
    timeout 100 "$FLATVIEW" -M pc -m 96 -nodefaults -display none -serial stdio \
        -chardev file,id=log,path=log -device isa-debugcon,iobase=0x402,chardev=log \
        "$@" <keys >screen 2>errors &
    guest=$!
    exec 3>keys
}

ends_by_itself() {
    wait "$guest"
    status=$?
    exec 3>&-
    echo "status $status"
    [ "$status" = 0 ]
}

not_seen() {
    ! grep -a -e "$2" "$1"
}

start -smp 2 -boot menu=on,splash-time=60000 -device pci-bridge,id=b,chassis_nr=1 \
    -device edu,bus=b,addr=1
point "the prompt is there" seen screen 'Press ESC for boot menu'
point "the menu opens" menu_opens
point "it took the board for what it is" found 'Running on QEMU (i440fx)'
point "it uses DMA" found 'fw_cfg DMA interface supported'
point "it knows how much RAM there is" found 'len 0x0000000006000000 \[RAM\]'
point "it started all vCPUs" found 'Found 2 cpu(s) max supported 2 cpu(s)'
point "it found PIIX4" found 'bdf=00:01.3 id=8086:7113'
point "it gave the bridge a bus" found 'max PCI bus is 01'
point "and what is behind it" found 'bdf=01:01.0 id=1234:11e8'
point "it linked ACPI's tables" found 'ACPI: parse DSDT'
point "it copied SMBIOS tables" found 'Copying SMBIOS'
point "it has a keyboard" seen log 'PS2 keyboard initialized'
point "it found nothing wrong" found_nothing_wrong
point "we say nothing" test ! -s errors
point "the program ends" stops

start -no-reboot -boot menu=off,reboot-timeout=200
point "with nothing to start it says so" seen screen 'No bootable device'
point "and starts again after the reboot-timeout" ends_by_itself
point "without the menu nothing is offered" not_seen screen 'Press ESC'

# make_rom FILE LETTER: an option ROM that says its letter at port 0x402 when firmware
# starts it, and the same in lower case, and halts, when firmware starts from it.
make_rom() {
    python3 - "$1" "$2" <<'END'
import sys

def say(letter):
    return b'\xba\x02\x04\xb0' + letter.encode() + b'\xee'

def summed(data, at):
    data[at] = -sum(data) % 256

rom = bytearray(512)
rom[0:3] = b'\x55\xaa\x01'
start = say('[') + say(sys.argv[2]) + say(']') + b'\xcb'
rom[3:5] = b'\xeb\x3b'  # jmp 0x40
rom[0x40:0x40 + len(start)] = start
boot = say('[') + say(sys.argv[2].lower()) + say(']') + b'\xf4\xeb\xfd'
rom[0x80:0x80 + len(boot)] = boot
rom[0x1a:0x1c] = b'\x20\0'
pnp = bytearray(b'$PnP\x01\x02' + bytes(26))
pnp[16:18] = b'\xc0\0'  # what it is called
pnp[26:28] = b'\x80\0'  # what is started
summed(pnp, 9)
rom[0x20:0x40] = pnp
rom[0xc0:0xc5] = b'ROM ' + sys.argv[2].encode()
summed(rom, 511)
open(sys.argv[1], 'wb').write(rom)
END
}

make_rom first.rom A && make_rom second.rom B
start -option-rom second.rom,bootindex=7 -option-rom romfile=first.rom,bootindex=2
point "it starts option ROMs" seen log '\[B\]'
point "all of them" seen log '\[A\]'
point "it boots from the one with the lowest bootindex" seen log '\[a\]'
point "and from no other" not_seen log '\[b\]'
point "it stops" stops

start -bios $image -smp 3,sockets=3 -boot menu=on,splash-time=60000
point "the same image by -bios" seen screen 'Press ESC for boot menu'
point "with three sockets" found 'Found 3 cpu(s) max supported 3 cpu(s)'
point "ends" stops
echo "1..$number"
