#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# OVMF on the board pc, in the rig; tests/rig/ovmf-session says what is checked.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

folder=/usr/share/OVMF
for file in OVMF_CODE_4M.fd OVMF_VARS_4M.fd; do
    [ -f "$folder/$file" ] || {
        echo "SKIP: there is no $folder/$file: Debian package ovmf"
        exit 77
    }
done
command -v busybox >/dev/null || {
    echo "SKIP: guests need busybox: Debian package busybox-static"
    exit 77
}
cache=$BUILD_PATH/cache
mkdir -p "$cache"
kernel=$(fetch_kernel linux-image-cloud-amd64 "$cache") || {
    echo "SKIP: no kernel to boot"
    exit 77
}
guest_initramfs "$cache/guest.cpio" || exit 1

# Steady, and without late ticks: OVMF restores CR8 at the end of each interrupt. If the
# next one waits by then, that ends QEMU 7.2, which emulates the processor, with an
# assertion.
exec "$SRC_PATH/scripts/rig" --steady --timeout 840 "$SRC_PATH/tests/rig/ovmf-session" \
    "$folder/OVMF_CODE_4M.fd" "$folder/OVMF_VARS_4M.fd" \
    "$(echo "$kernel"/boot/vmlinuz-*)" "$cache/guest.cpio"
