#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A stock Debian kernel in the rig hears of the power button and of an NMI, and
# tells of its panic; tests/rig/power-guests says what is checked.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

test_guest

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
busybox_folder "$root" && mkdir "$root/modules" || exit 1
for module in evdev button pvpanic pvpanic-mmio; do
    find "$kernel/lib/modules" -name "$module.ko" -exec cp {} "$root/modules" \;
    [ -f "$root/modules/$module.ko" ] || {
        echo "SKIP: this kernel has no module $module.ko"
        exit 77
    }
done
cp "$source_path/tests/rig/power-init" "$root/init" && chmod +x "$root/init" &&
    make_initramfs "$root" "$cache/power.cpio" || exit 1

"$source_path/scripts/rig" --timeout 600 "$source_path/tests/rig/power-guests" \
    "$bzimage" "$cache/power.cpio"
