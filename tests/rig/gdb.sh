#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian's gdb on a stock kernel, in the rig; tests/rig/gdb-session says what is
# checked.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

test_needs gdb:gdb busybox:busybox-static as:binutils
mkdir -p "$BUILD_PATH/cache"
guest_initramfs "$BUILD_PATH/cache/guest.cpio" || exit 1

# shellcheck disable=SC2016 # for the shell in the rig
exec "$source_path/scripts/rig" --timeout 400 sh -c \
    'exec "$SRC_PATH/tests/rig/gdb-session" "$BUILD_PATH"/cache/rig-*.elf "$1"' \
    gdb-session "$BUILD_PATH/cache/guest.cpio"
