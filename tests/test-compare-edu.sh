#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# edu and pci-testdev beside those of QEMU 7.2: see compare-edu.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" edu
