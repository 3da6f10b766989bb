#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Starting kernels beside QEMU 7.2: see compare-kernels.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" kernels
