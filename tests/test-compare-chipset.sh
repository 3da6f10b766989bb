#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The chipset beside QEMU 7.2: see compare-chipset.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" chipset
