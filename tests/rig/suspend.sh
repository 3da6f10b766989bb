#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A stock Debian kernel in the rig sleeps, keeping its memory, and is woken up;
# tests/rig/suspend-guests says what is checked.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

test_needs /usr/share/seabios/bios-256k.bin:seabios
test_guest

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
busybox_folder "$root" && ln -s busybox "$root/bin/awk" &&
    cp "$source_path/tests/rig/suspend-init" "$root/init" && chmod +x "$root/init" &&
    make_initramfs "$root" "$cache/suspend.cpio" || exit 1

"$source_path/scripts/rig" --timeout 850 "$source_path/tests/rig/suspend-guests" \
    "$bzimage" "$cache/suspend.cpio"
