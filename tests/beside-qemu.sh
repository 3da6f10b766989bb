#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: beside-qemu.sh NAME
#
# Runs compare-NAME.py, which compares this program with QEMU 7.2, where there is
# that. Prints TAP. Needs FLATVIEW and SRC_PATH, which make check sets.

if ! command -v qemu-system-x86_64 >/dev/null; then
    echo "1..0 # SKIP qemu-system-x86_64 is not installed to compare with"
    exit 0
fi
case $(qemu-system-x86_64 --version) in
    *"version 7.2."*) ;;
    *)
        echo "1..0 # SKIP qemu-system-x86_64 is not of version 7.2"
        exit 0
        ;;
esac
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    echo "1..0 # SKIP there is no Python of 3.10 or later"
    exit 0
fi
PYTHONDONTWRITEBYTECODE=1 exec timeout 280 python3 "$SRC_PATH/tests/compare-$1.py" \
    "$FLATVIEW" qemu-system-x86_64
