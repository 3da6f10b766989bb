#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The device tree that dumpdtb= writes: dtc has nothing to complain about, for
# several machines. Needs FLATVIEW, which make check sets.

command -v dtc >/dev/null || {
    echo "SKIP: no dtc (Debian package device-tree-compiler)"
    exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0

# accepted LINE OPTION...: dtc prints no warning, and among others LINE.
accepted() {
    line=$1
    shift
    number=$((number + 1))
    if timeout 60 "$FLATVIEW" -M "microvm,dumpdtb=$scratch/dtb" "$@" \
        >"$scratch/messages" 2>&1 </dev/null && [ ! -s "$scratch/messages" ] &&
        dtc -I dtb -O dts -o "$scratch/dts" "$scratch/dtb" 2>"$scratch/messages" &&
        [ ! -s "$scratch/messages" ] &&
        grep -q -F -e "$line" "$scratch/dts"; then
        echo "ok $number - dtc takes the tree of: $*"
    else
        echo "not ok $number - dtc takes the tree of: $*"
        sed 's/^/# /' "$scratch/messages" "$scratch/dts"
    fi
}

accepted 'compatible = "flatview,microvm";'
accepted 'reg = <0x00 0x00 0x00 0x10000000>;' -m 256
accepted 'reg = <0x00 0x00 0x00 0xc0000000 0x01 0x00 0x00 0xc0000000>;' -m 6G
accepted 'cpu@3f {' -smp 64
# Two bits for three cores: 0 to 2, then 4 to 6.
accepted 'cpu@6 {' -smp 6,sockets=2,cores=3
accepted 'serial@2e8 {' -serial null -serial null -serial null -serial null
accepted 'timer@40 {' -nodefaults
accepted 'isa-debug-exit@501 {' -device isa-debug-exit
accepted 'isa-debug-exit@f4 {' -device isa-debug-exit,iobase=0xf4,iosize=4 -debugcon null
accepted 'isa-debugcon@e9 {' -device isa-debug-exit,iobase=0xf4,iosize=4 -debugcon null
echo "1..$number"
