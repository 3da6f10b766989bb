#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bochs-display, ramfb and EDID beside QEMU 7.2: see compare-display.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" display
