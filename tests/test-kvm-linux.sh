#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/guest/linux.S on KVM: a bzImage started directly at its entry of 32 or 64 bits on
# both boards, and on pc by SeaBIOS and the option ROM with its setup code; it prints in
# what state, and what it was told. Prints TAP.

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

echo "what is in the initramfs" >"$scratch/initrd"

# start WORDS BITS LINE... -- [OPTION]...: it prints exactly these lines, and those that
# are the same everywhere.
start() {
    words=$1 bits=$2
    shift 2
    : >"$scratch/wanted"
    while [ "$1" != -- ]; do
        echo "$1" >>"$scratch/wanted"
        shift
    done
    shift
    {
        echo "cmdline a vga=0x318 b=c"
        echo "initrd what is in the initramfs"
        echo
        echo "bss 00000000 "
    } >>"$scratch/wanted"
    timeout 120 "$FLATVIEW" -m 64 -nodefaults -display none -serial "file:$scratch/out" \
        -device isa-debug-exit -kernel "$BUILD_PATH/tests/guest/linux$bits.bin" \
        -append "a vga=0x318 b=c" -initrd "$scratch/initrd" "$@" </dev/null \
        >"$scratch/log" 2>&1
    status=$?
    number=$((number + 1))
    if sed -n 's/.*way /way /; /^way/,$p' "$scratch/out" |
        diff "$scratch/wanted" - >"$scratch/why" && [ "$status" = 1 ]; then
        echo "ok $number - $words"
    else
        echo "not ok $number - $words"
        echo "# status $status"
        sed 's/^/# /' "$scratch/why" "$scratch/log"
    fi
}

# Selectors, CR0, interrupts off, registers that must be zero, the descriptors.
state_32="way 32 00180010 00180018 00000011 00000000 00000000"
state_32="$state_32 0000ffff 00cf9b00 0000ffff 00cf9300 "
state_64="way 64 00180010 00180018 80000031 00000000 00000000"
state_64="$state_64 0000ffff 00af9b00 0000ffff 00cf9300 "
# Selectors relative to the setup code's, the stack's end, interrupts off.
state_16="way 16 00000020 00000000 e0000000 00000000 "

for bits in 32 64; do
    eval "state=\$state_$bits"
    for board in microvm pc; do
        # shellcheck disable=SC2154 # state
        start "$board, $bits bits" $bits "$state" "vid_mode 00000318 " \
            "version 0000020c " "type_of_loader, loadflags 800001ff " \
            "code32_start 00100000 " "heap_end_ptr 00000000 " "pref_address 00100000 " \
            "e820_entries 00000004 " "ramdisk_image 03fff000 " -- -M $board
    done
done
for dma in on off; do
    if [ -f "$bios" ]; then
        start "by SeaBIOS, DMA $dma" 32 "$state_16" "vid_mode 00000318 " \
            "version 0000020c " "type_of_loader, loadflags 800081ff " \
            "code32_start 00100000 " "heap_end_ptr 0000de00 " "pref_address 00100000 " \
            "e820_entries 00000000 " "ramdisk_image 03eff000 " -- \
            -M pc -bios "$bios" -global "fw_cfg_io.dma_enabled=$dma"
    else
        number=$((number + 1))
        echo "ok $number - by SeaBIOS, DMA $dma # SKIP needs the Debian package seabios"
    fi
done

echo "1..$number"
