#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the comparisons with QEMU stand on, peer.py, without QEMU: see peer-test.py. Prints
# TAP. Needs FLATVIEW and SRC_PATH, which make check sets.

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    echo "1..0 # SKIP there is no Python of 3.10 or later"
    exit 0
fi
PYTHONDONTWRITEBYTECODE=1 exec timeout 120 python3 "$SRC_PATH/tests/peer-test.py" "$FLATVIEW"
