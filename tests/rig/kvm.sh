#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tests that use /dev/kvm, once more on the complete KVM of the rig. TESTS_KVM
# in the environment lists them.

# shellcheck disable=SC2086 # a list
exec "$SRC_PATH/scripts/rig" --timeout 840 \
    "$SRC_PATH/tests/run-tests" --timeout 400 $TESTS_KVM
