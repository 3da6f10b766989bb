#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a stock Debian kernel complains of on the board pc, started directly and by
# SeaBIOS, beside the same kernel on QEMU's pc: no line that is not there, too.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

cache=$BUILD_PATH/cache
mkdir -p "$cache"
command -v busybox >/dev/null || {
    echo "SKIP: guests need busybox: Debian package busybox-static"
    exit 77
}
[ -f /usr/share/seabios/bios-256k.bin ] || {
    echo "SKIP: firmware is needed: Debian package seabios"
    exit 77
}
kernel=$(fetch_kernel linux-image-cloud-amd64 "$cache") || {
    echo "SKIP: no kernel to boot"
    exit 77
}
guest_initramfs "$cache/guest.cpio" || exit 1

exec "$source_path/scripts/rig" --timeout 850 "$source_path/tests/rig/pc-complaints" \
    "$(echo "$kernel"/boot/vmlinuz-*)" "$cache/guest.cpio"
