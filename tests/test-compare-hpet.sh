#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The HPET beside QEMU 7.2: see compare-hpet.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" hpet
