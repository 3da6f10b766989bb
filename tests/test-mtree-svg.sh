#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Pictures of the map: see mtree-svg.py. Prints TAP.
#
# Needs FLATVIEW and SRC_PATH, which make check sets.

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
    echo "1..0 # SKIP there is no Python of 3.9 or later"
    exit 0
fi
exec timeout 280 python3 "$SRC_PATH/tests/mtree-svg.py" "$SRC_PATH/scripts/mtree-svg" \
    "$FLATVIEW"
