#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a stock Debian kernel complains of on the board pc, started directly and by
# SeaBIOS, beside the same kernel on QEMU's pc: no line that is not there, too.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

test_needs /usr/share/seabios/bios-256k.bin:seabios
test_guest

exec "$source_path/scripts/rig" --timeout 850 "$source_path/tests/rig/pc-complaints" \
    "$bzimage" "$initramfs"
