#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Boots a stock Debian kernel on the board pc in the rig, without firmware and by
# SeaBIOS; tests/rig/pc-guests says what is checked.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

test_needs /usr/share/seabios/bios-256k.bin:seabios
test_guest

# The rig's own kernel has been decompressed: an ELF file, with a PVH entry.
# shellcheck disable=SC2016 # for the shell in the rig
exec "$source_path/scripts/rig" --timeout 850 sh -c \
    'exec "$SRC_PATH/tests/rig/pc-guests" "$1" "$BUILD_PATH"/cache/rig-*.elf "$2" "$3"' \
    pc-guests "$bzimage" "$initramfs" \
    "$BUILD_PATH/tests/guest/multiboot.bin"
