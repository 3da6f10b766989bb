# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
#
# What the scripts here share; read with "." after setting source_path.

say() {
    echo "${0##*/}: $*" >&2
}

die() {
    say "$@"
    exit 1
}

# What building takes, what tests talk to, what booting Linux takes, and the rig.
build_packages="gcc libc6-dev make pkg-config libglib2.0-dev liburcu-dev check
libjson-glib-dev libreadline-dev libfdt-dev acpica-tools device-tree-compiler
libpixman-1-dev libpng-dev libxkbcommon-dev xkb-data libvncserver-dev libsdl2-dev
libncurses-dev"
# Programs that tests have sessions with; without one its tests are skipped.
test_packages="socat gdb python3 seabios edid-decode dmidecode xvfb xdotool imagemagick gvncviewer vncsnapshot tigervnc-viewer"
guest_packages="busybox-static xz-utils"
rig_packages="qemu-system-x86 kmod gdb seabios ovmf grub-common grub-pc-bin
python3 $guest_packages"

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# The packages among "$@" that are not installed.
missing_packages() {
    for package do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
        *" installed") ;;
        *) echo "$package" ;;
        esac
    done
}

# Install those of "$@" that are missing. Does nothing, and needs nobody's
# password, when none is.
install_packages() {
    missing=$(missing_packages "$@" | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        say "missing packages; as root: apt-get install $missing"
        return 1
    fi
    say "installing $missing"
    install_log=$(mktemp)
    # shellcheck disable=SC2086
    if as_root apt-get -qq update >"$install_log" 2>&1 &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
            --no-install-recommends $missing >>"$install_log" 2>&1; then
        rm -f "$install_log"
        return 0
    fi
    cat "$install_log" >&2
    rm -f "$install_log"
    say "cannot install $missing"
    return 1
}

# build_program FOLDER [OPTION]...: configure FOLDER, unless that was done the
# same way before, and build there.
build_program() {
    build_folder=$1
    shift
    mkdir -p "$build_folder"
    if [ ! -f "$build_folder/config.mak" ] ||
        [ "$(cat "$build_folder/configured" 2>/dev/null)" != "$*" ] ||
        [ -n "$(find "$source_path/configure" -newer "$build_folder/config.mak")" ]; then
        (cd "$build_folder" && "$source_path/configure" "$@") || return 1
        echo "$*" >"$build_folder/configured"
    fi
    make -C "$build_folder" --no-print-directory -j"$(nproc)"
}

# fetch_kernel META CACHE: print the folder that holds, unpacked and not
# installed, the kernel package that the package META stands for at present.
# What is in the folder CACHE already is used as it is.
fetch_kernel() {
    for kernel in "$2/$1"/boot/vmlinuz-*; do
        if [ -f "$kernel" ]; then
            echo "$2/$1"
            return 0
        fi
    done
    say "fetching the Debian kernel of $1"
    rm -rf "${2:?}/$1" "$2/$1.part"
    mkdir -p "$2/$1.part" || return 1
    package=$(kernel_package "$1")
    if [ -z "$package" ]; then
        # A fresh machine has no lists of packages yet.
        as_root apt-get -qq update >&2
        package=$(kernel_package "$1")
    fi
    if [ -z "$package" ]; then
        say "apt knows no package $1"
        return 1
    fi
    # Lists that are out of date name files that are gone.
    download "$package" "$2/$1.part" ||
        { as_root apt-get -qq update >&2 && package=$(kernel_package "$1") &&
            download "$package" "$2/$1.part"; } || {
        say "cannot download $package"
        return 1
    }
    dpkg -x "$2/$1.part/$package"_*.deb "$2/$1.part" || return 1
    rm -f "$2/$1.part/"*.deb
    mv "$2/$1.part" "$2/$1"
    echo "$2/$1"
}

# What the meta package $1 depends on now: linux-image-VERSION-...
kernel_package() {
    LC_ALL=C apt-cache depends "$1" 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1
}

# A warning about the download's owner is of no use to anybody.
download() {
    (cd "$2" && apt-get -qq download "$1" >download.log 2>&1) || {
        cat "$2/download.log" >&2
        return 1
    }
    rm -f "$2/download.log"
}

# make_initramfs FOLDER FILE: pack FOLDER as an initramfs, uncompressed: to
# unpack it costs the guest more than to read it.
make_initramfs() {
    (cd "$1" && find . | sort | busybox cpio -o -H newc 2>/dev/null) >"$2.part" &&
        mv "$2.part" "$2"
}

# A folder with busybox and its names, for an initramfs.
busybox_folder() {
    mkdir -p "$1/bin" "$1/dev" "$1/proc" "$1/sys" "$1/tmp" "$1/run" &&
        cp "$(command -v busybox)" "$1/bin/busybox" &&
        for name in sh mount umount mkdir ls cat echo head tail grep uname insmod \
            poweroff reboot sleep cp sed dmesg stty chroot setsid wc free sync cut tr; do
            ln -sf busybox "$1/bin/$name" || return 1
        done
}

# The file of module $2 of the folder $1, lib/modules/VERSION of an unpacked kernel;
# prints nothing for one that is built in.
module_file() {
    pattern=$(echo "$2" | sed 's/[-_]/[-_]/g')
    find "$1/kernel" -name "$pattern.ko*" | head -n 1
}

# Module $2 of the folder $1 after all that it needs; an unpacked kernel has no list of
# these.
module_order() {
    for dependency in $(modinfo -F depends "$(module_file "$1" "$2")" | tr ',' ' '); do
        (module_order "$1" "$dependency")
    done
    echo "$2"
}

# copy_modules FROM TO NAME...: the modules of the folder FROM and what they need as
# TO/MODULE.ko, and TO/order, the order in which they are loaded.
copy_modules() {
    from=$1 to=$2
    shift 2
    mkdir -p "$to" || return 1
    for module do
        [ -n "$(module_file "$from" "$module")" ] || continue
        module_order "$from" "$module"
    done | awk '!seen[$0]++' >"$to/order"
    while read -r module; do
        file=$(module_file "$from" "$module")
        case $file in
        *.xz) xz -dc "$file" >"$to/$module.ko" ;;
        *) cp "$file" "$to/$module.ko" ;;
        esac || return 1
    done <"$to/order"
}

# extract_kernel BZIMAGE FILE: the kernel proper, an ELF file, that BZIMAGE
# carries compressed. An emulated processor takes seconds to decompress it.
extract_kernel() {
    # Offsets of the x86 boot protocol: setup_sects, payload_offset, _length.
    start=$((($(number_at "$1" 497 1) + 1) * 512 + $(number_at "$1" 584 4)))
    case $(od -An -t x1 -j "$start" -N 2 "$1") in
    " fd 37") unpack="xz -dc --single-stream" ;;
    " 1f 8b") unpack="gzip -dc" ;;
    " 28 b5") unpack="zstd -dc" ;;
    *) return 1 ;;
    esac
    # What follows the compressed stream is its size: not an error.
    tail -c +$((start + 1)) "$1" | head -c "$(number_at "$1" 588 4)" |
        $unpack >"$2.part" 2>/dev/null
    [ "$(head -c 4 "$2.part" | tr -d '\177')" = ELF ] || return 1
    mv "$2.part" "$2"
}

# The number of $3 bytes at offset $2 of the file $1.
number_at() {
    od -An -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# guest_initramfs FILE: an initramfs with busybox, for guests that run what
# guest_run= on the kernel's command line says, then power off.
guest_initramfs() {
    guest_root=$(mktemp -d)
    busybox_folder "$guest_root" && cp "$source_path/scripts/guest-init" "$guest_root/init" &&
        chmod +x "$guest_root/init" && make_initramfs "$guest_root" "$1"
    guest_status=$?
    rm -rf "$guest_root"
    return $guest_status
}

# ---- for tests ---------------------------------------------------------------

# test_needs WHAT:PACKAGE...: WHAT is a program, or the path of a file. Where one is
# missing the test says so, and ends as skipped.
test_needs() {
    for need do
        case $need in
        /*) [ -e "${need%:*}" ] ;;
        *) command -v "${need%:*}" >/dev/null ;;
        esac || {
            echo "SKIP: ${need%:*} is missing: Debian package ${need#*:}"
            exit 77
        }
    done
}

# For a test that boots a stock kernel: sets cache, a folder for what is made, kernel,
# that of the unpacked package, bzimage, and initramfs; see guest_initramfs.
test_guest() {
    test_needs busybox:busybox-static
    cache=$BUILD_PATH/cache
    mkdir -p "$cache"
    kernel=$(fetch_kernel linux-image-cloud-amd64 "$cache") || {
        echo "SKIP: no kernel to boot"
        exit 77
    }
    bzimage=$(echo "$kernel"/boot/vmlinuz-*)
    initramfs=$cache/guest.cpio
    guest_initramfs "$initramfs" || exit 1
}
