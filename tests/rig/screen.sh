#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Screens of SeaBIOS, GRUB and a stock kernel, on bochs-drm and in text mode, in the rig,
# beside QEMU 7.2's: tests/rig/screens says what is compared. GRUB comes by -kernel, as an
# image that passes for Linux.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

grub=/usr/lib/grub/i386-pc
test_needs /usr/share/seabios/vgabios-stdvga.bin:seabios grub-mkimage:grub-common \
    $grub/lnxboot.img:grub-pc-bin /usr/share/grub/ascii.pf2:grub-common \
    python3:python3 qemu-system-x86_64:qemu-system-x86 modinfo:kmod
case $(qemu-system-x86_64 --version) in
*"version 7.2."*) ;;
*)
    echo "SKIP: qemu-system-x86_64 is not of version 7.2"
    exit 77
    ;;
esac
test_guest

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# make_grub NAME COMMANDS: GRUB's image of that name, which runs these commands, says GRUB
# on the debug console, and shows a menu.
make_grub() {
    {
        echo "$2"
        cat <<'END'
set timeout=-1
set default=1
menuentry "One" { true }
menuentry "Two, which is chosen" { true }
submenu "Three" { menuentry "Four" { true } }
outb 0x402 0x47
outb 0x402 0x52
outb 0x402 0x55
outb 0x402 0x42
END
    } >"$scratch/grub.cfg"
    cat >"$scratch/early.cfg" <<'END'
set root=(memdisk)
set prefix=(memdisk)
normal (memdisk)/grub.cfg
END
    tar -C "$scratch" -cf "$scratch/memdisk" grub.cfg -C /usr/share/grub ascii.pf2 &&
        grub-mkimage -O i386-pc -p '(memdisk)/' -c "$scratch/early.cfg" \
            -m "$scratch/memdisk" -o "$scratch/core" memdisk tar normal minicmd test \
            true gfxterm vbe font video_fb iorw &&
        cat $grub/lnxboot.img "$scratch/core" >"$cache/$1"
}

make_grub grub-text "" &&
    make_grub grub-graphics "loadfont (memdisk)/ascii.pf2
set gfxmode=800x600x32
terminal_output gfxterm
set menu_color_normal=cyan/blue
set menu_color_highlight=white/red" || exit 1

# The cloud flavour of the kernel has no driver for it; the rig's has.
full=$(fetch_kernel linux-image-amd64 "$cache") || {
    echo "SKIP: no kernel with bochs-drm"
    exit 77
}
busybox_folder "$scratch/initramfs" &&
    copy_modules "$(echo "$full"/lib/modules/*)" "$scratch/initramfs/modules" bochs &&
    cp "$source_path/tests/rig/screen-init" "$scratch/initramfs/init" &&
    cp "$source_path/tests/rig/text-init" "$scratch/initramfs" &&
    chmod +x "$scratch/initramfs/init" "$scratch/initramfs/text-init" &&
    make_initramfs "$scratch/initramfs" "$cache/screen.cpio" || exit 1

"$source_path/scripts/rig" --timeout 850 "$source_path/tests/rig/screens" kvm \
    "$cache/grub-text" "$cache/grub-graphics" "$(echo "$full"/boot/vmlinuz-*)" \
    "$cache/screen.cpio"
