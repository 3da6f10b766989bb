#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/guest/multiboot.S on KVM: started directly on both boards, and on pc by SeaBIOS
# and the option ROM; it prints what it was told, spoils it, resets the machine, and
# prints it again. Prints TAP.

guest=$BUILD_PATH/tests/guest/multiboot.bin
bios=/usr/share/seabios/bios-256k.bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0

if ! [ -r /dev/kvm ] || ! [ -w /dev/kvm ]; then
    echo "SKIP: needs /dev/kvm"
    exit 77
fi
"$FLATVIEW" -accel help | grep -q kvm || {
    echo "SKIP: built without KVM"
    exit 77
}

# point WORDS COMMAND...: one line of TAP.
point() {
    claim=$1
    shift
    number=$((number + 1))
    if "$@" >"$scratch/why" 2>&1; then
        echo "ok $number - $claim"
    else
        echo "not ok $number - $claim"
        sed 's/^/# /' "$scratch/why"
    fi
}

skip() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

echo one >"$scratch/one"
echo "two two" >"$scratch/two"

# start WORDS [OPTION]...: what it prints the first time and the second time.
start() {
    words=$1
    shift
    timeout 120 "$FLATVIEW" -m 64 -nodefaults -display none -serial "file:$scratch/out" \
        -device isa-debug-exit -kernel "$guest" -append "a b=c" \
        -initrd "$scratch/one x y,$scratch/two" "$@" </dev/null >"$scratch/log" 2>&1
    status=$?
    sed '/^reset$/,$d' "$scratch/out" >"$scratch/first"
    sed '1,/^reset$/d' "$scratch/out" >"$scratch/second"
    point "$words: ends as the guest says" status_is 1
    point "$words: what it is told" told "$scratch/first"
    point "$words: and again after a reset" told "$scratch/second"
}

status_is() {
    echo "status $status"
    cat "$scratch/log" "$scratch/out"
    [ "$status" = "$1" ]
}

# told FILE: all but the memory above 1 MiB and the chips is the same everywhere.
told() {
    {
        echo "magic 2badb002"
        echo "zeros 00000000"
        echo "flags 0000024d"
        echo "lower 0000027f"
        echo "cmdline $guest a b=c"
        echo "loader flatview"
        echo "module $scratch/one x y: one"
        echo "module $scratch/two: two two"
    } >"$scratch/wanted"
    sed -n 's/.*magic /magic /; /^upper/d; /^magic/,/^module.*two two/p' "$1" |
        diff "$scratch/wanted" -
}

# map LINE...: exactly these, in this order, and their RAM above 1 MiB.
map() {
    { echo "upper 0000fc00"; printf 'map %s\n' "$@"; } >"$scratch/wanted"
    grep -e '^upper' -e '^map' "$scratch/first" | diff "$scratch/wanted" -
}

# RAM from 1 MiB on ends where firmware's own begins; both tell the same of it.
firmware_map() {
    cat "$scratch/first"
    upper=$(sed -n 's/^upper //p' "$scratch/first")
    size=$(sed -n 's/^map 0000000000100000 00000000\(.*\) 00000001$/\1/p' "$scratch/first")
    grep -q '^map 00000000000f0000 0000000000010000 00000002' "$scratch/first" &&
        [ $((0x$upper * 1024)) = $((0x$size)) ]
}

chips() {
    grep '^chips' "$scratch/out"
    [ "$(grep -c "^chips $1" "$scratch/out")" = 2 ]
}

start "microvm" -M microvm
point "microvm: memory map" map \
    "0000000000000000 000000000009fc00 00000001" \
    "000000000009fc00 0000000000060400 00000002" \
    "0000000000100000 0000000003f00000 00000001" \
    "00000000feffc000 0000000000004000 00000002"
start "pc" -M pc
point "pc: memory map" map \
    "0000000000000000 000000000009fc00 00000001" \
    "000000000009fc00 0000000000060400 00000002" \
    "0000000000100000 0000000003f00000 00000001" \
    "00000000feffc000 0000000000004000 00000002"
point "pc: routes, levels, bases, shadow RAM" \
    chips "0b0b0a0a 00000c00 00000601 00000701 33333000 33333333"
start "pc, 4 CPUs" -M pc -smp 4

if [ -f "$bios" ]; then
    for dma in on off; do
        start "SeaBIOS, DMA $dma" -M pc -bios "$bios" -global "fw_cfg_io.dma_enabled=$dma"
        point "SeaBIOS, DMA $dma: memory map" firmware_map
    done
else
    skip "by SeaBIOS" "needs the Debian package seabios"
fi

echo "1..$number"
