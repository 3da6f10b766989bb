#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A stock Debian kernel on the board pc, in the rig, finds every PCI function, those
# that come and go while it runs too; tests/rig/pc-devices says what is checked.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

test_needs /usr/share/seabios/bios-256k.bin:seabios
test_guest

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
busybox_folder "$root" && cp "$source_path/tests/rig/pc-devices-init" "$root/init" &&
    chmod +x "$root/init" && make_initramfs "$root" "$cache/pc-devices.cpio" || exit 1

"$source_path/scripts/rig" --timeout 600 "$source_path/tests/rig/pc-devices" \
    "$bzimage" "$cache/pc-devices.cpio"
