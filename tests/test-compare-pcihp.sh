#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Hot plug beside that of QEMU 7.2: see compare-pcihp.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" pcihp
