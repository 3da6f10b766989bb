#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Boots stock Debian kernels in the rig; tests/rig/boot-guests says what is
# checked of each. One start of the rig serves them all.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

test_guest

# The rig's own kernel has been decompressed: an ELF file, with a PVH entry.
# shellcheck disable=SC2016 # for the shell in the rig
exec "$source_path/scripts/rig" --timeout 840 sh -c \
    'exec "$SRC_PATH/tests/rig/boot-guests" "$1" "$BUILD_PATH"/cache/rig-*.elf "$2"' \
    boot-guests "$bzimage" "$initramfs"
