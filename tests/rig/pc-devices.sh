#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A stock Debian kernel on the board pc, in the rig, finds every PCI function, those
# that come and go while it runs too; tests/rig/pc-devices says what is checked.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

cache=$BUILD_PATH/cache
mkdir -p "$cache"
command -v busybox >/dev/null || {
    echo "SKIP: guests need busybox: Debian package busybox-static"
    exit 77
}
kernel=$(fetch_kernel linux-image-cloud-amd64 "$cache") || {
    echo "SKIP: no kernel to boot"
    exit 77
}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
busybox_folder "$root" && cp "$source_path/tests/rig/pc-devices-init" "$root/init" &&
    chmod +x "$root/init" && make_initramfs "$root" "$cache/pc-devices.cpio" || exit 1

"$source_path/scripts/rig" --timeout 600 "$source_path/tests/rig/pc-devices" \
    "$(echo "$kernel"/boot/vmlinuz-*)" "$cache/pc-devices.cpio"
