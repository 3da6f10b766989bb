#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# SeaBIOS on the board pc: prints TAP. Needs SRC_PATH, BUILD_PATH and FLATVIEW, which
# make check sets. Runs on any /dev/kvm, also on one that emulates.

skip() {
    echo "SKIP: $*"
    exit 77
}
image=/usr/share/seabios/bios-256k.bin
[ -r $image ] || skip "no $image: Debian package seabios"
[ -w /dev/kvm ] || skip "/dev/kvm cannot be used"
! "$FLATVIEW" -cpu help | grep -q "built without KVM" || skip "built without KVM"

scratch=$(mktemp -d)
machine=
trap '[ -z "$machine" ] || kill -9 "$machine" 2>/dev/null; rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
points=0

# check WHAT COMMAND...: one point.
check() {
    what=$1
    shift
    points=$((points + 1))
    if "$@"; then
        echo "ok $points - $what"
    else
        echo "not ok $points - $what"
        echo "# the serial port said:"
        tr -d '\r\033' <console | sed 's/^/#   /'
        echo "# and SeaBIOS:"
        tail -n 30 log | sed 's/^/#   /'
    fi
}

# start OPTION...: the machine, with its serial port in the file console, what is
# written to descriptor 3 as its input, and SeaBIOS's own log in the file log.
start() {
    rm -f input
    mkfifo input
    : >console
    : >log
    "$FLATVIEW" -M pc,graphics=off -m 64 -nodefaults -display none -serial stdio \
        -device isa-debugcon,iobase=0x402,chardev=log \
        -chardev file,id=log,path=log "$@" <input >console 2>errors &
    machine=$!
    exec 3>input
}

stop() {
    exec 3>&-
    kill "$machine" 2>/dev/null
    wait "$machine"
    machine=
}

# says FILE TEXT: wait until it does.
says() {
    tries=0
    until grep -q -a -e "$2" "$1"; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] && kill -0 "$machine" 2>/dev/null || return 1
        sleep 0.1
    done
}

says_not() {
    ! grep -q -a -e "$2" "$1"
}

key() {
    printf '%b' "$1" >&3
}

# ---- the boot menu -------------------------------------------------------------------

start -boot menu=on
check "SeaBIOS runs by default and finds its screen, the serial port" \
    says console "SeaBIOS (version"
check "it offers its boot menu" says console "Press ESC for boot menu"
key '\033'
check "the menu opens at a key from the serial port" says console "Select boot device:"
check "it found fw_cfg, and the map of memory there" says log "e820: addr 0x0000000000000000 len 0x0000000004000000 .RAM."
check "ACPI tables were installed from there" says log "ACPI: parse DSDT at"
check "no complaint of SeaBIOS" says_not log "WARNING\|ERROR\|Internal error\|Unable to"
check "no complaint of ours" test ! -s errors
stop

# ---- nothing to start ----------------------------------------------------------------

start -boot menu=off,reboot-timeout=200 -no-reboot
check "without the menu, nothing is offered" says console "No bootable device"
check "the machine starts again after the reboot-timeout" wait "$machine"
check "nothing was offered" says_not console "Press ESC"
machine=
exec 3>&-

# ---- another image -------------------------------------------------------------------

start -bios $image -boot menu=on -smp 3
check "the same image by -bios, with three vCPUs" says console "Press ESC for boot menu"
check "SeaBIOS counts the vCPUs" says log "Found 3 cpu(s) max supported 3 cpu(s)"
stop

echo "1..$points"
