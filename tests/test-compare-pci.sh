#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# PCI on the board pc beside QEMU 7.2: see compare-pci.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" pci
