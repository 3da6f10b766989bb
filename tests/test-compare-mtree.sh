#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The map of the board pc beside QEMU 7.2: see compare-mtree.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" mtree
