# SPDX-License-Identifier: GPL-2.0-or-later
"""
PCI on the board pc beside QEMU's pc: both programs are started with the same functions,
and get the same writes through qtest. Configuration space at reset, the bits of headers
that can be written, and what query-pci and info pci say are the same. Prints TAP. See
test-compare-pci.sh.

What differs, and is left out: QEMU's board has an IDE controller (01.1), its functions
cannot switch the answer to parity errors on, and it has ports above 0xffff, where
nobody gets.
"""
import re
import sys
import tempfile

import peer

BOARD = (0x00, 0x08, 0x0b)
BRIDGE = 0x30
OURS = (0x28, BRIDGE, 0x38, 0x40, 0x41)
IDE = (0, 1, 1)
PARITY = 0x40


def options(rom):
    devices = ('edu,addr=5,id=e', 'pci-bridge,addr=6,id=b,chassis_nr=1,shpc=off',
               'pci-testdev,addr=7,membar=8G', f'edu,addr=8,multifunction=on,romfile={rom}',
               'edu,addr=8.1', 'edu,bus=b,addr=3', 'pci-testdev,bus=b,addr=1f.7')
    return ['-m', '64'] + [word for device in devices for word in ('-device', device)]


def reachable(devices):
    """Functions as query-pci lists them, but for the IDE controller and high ports."""
    for dev in devices:
        for region in dev['regions']:
            if region['type'] == 'io' and region['address'] > 0xffff:
                region['address'] = -1
        reachable(dev.get('pci_bridge', {}).get('devices', []))
    return [dev for dev in devices if (dev['bus'], dev['slot'], dev['function']) != IDE]


def reachable_text(text):
    text = re.sub(r'  Bus  0, device   1, function 1:\n(    .*\n)*', '',
                  text.replace('\r', ''))
    return re.sub(r'I/O at 0x[0-9a-f]{5,} .*', 'I/O nowhere', text)


def first_difference(ours, qemus, path=''):
    """Where two values of JSON differ, and what is there; None: nowhere."""
    if isinstance(ours, dict) and isinstance(qemus, dict):
        keys = sorted(set(ours) | set(qemus))
        pairs = [(key, ours.get(key), qemus.get(key)) for key in keys]
    elif isinstance(ours, list) and isinstance(qemus, list) and len(ours) == len(qemus):
        pairs = [(n, *pair) for n, pair in enumerate(zip(ours, qemus))]
    else:
        return None if ours == qemus else (path, ours, qemus)
    found = (first_difference(a, b, f'{path}.{key}') for key, a, b in pairs)
    return next((difference for difference in found if difference), None)


class Pair(peer.Pair):
    def info(self, what):
        """query-pci and info pci of both."""
        queries, texts = [], []
        for vm in self.vms:
            queries.append([dict(bus, devices=reachable(bus['devices']))
                            for bus in vm.qmp('query-pci')])
            texts.append(reachable_text(vm.hmp('info pci')).splitlines())
        for kind, pair in (('query-pci', queries), ('info pci', texts)):
            difference = first_difference(*pair)
            if difference:
                self.same(f'{what}: {kind}{difference[0]}', difference[1:])


def pair_with_all(pair_of):
    with tempfile.NamedTemporaryFile() as rom:
        rom.write(b'\x55\xaa\x80' + bytes(65533))
        rom.flush()
        return pair_of(options(rom.name))


def at_reset(pair_of, rng):
    """all 256 bytes at reset, query-pci and info pci"""
    pair = pair_with_all(pair_of)
    for devfn in BOARD + OURS:
        for reg in range(256):
            pair.same(f'{devfn:02x}.{reg:02x}', pair.config_get(devfn, reg))
    pair.info('at reset')


def what_can_be_written(pair_of, rng):
    """every byte of a header, after ones and then zeros"""
    pair = pair_with_all(pair_of)
    for devfn in BOARD + OURS:
        for reg in range(64):
            for value in (0xff, 0):
                pair.config_set(devfn, reg, value)
                values = pair.config_get(devfn, reg)
                if reg == 4:
                    values = [value & ~PARITY for value in values]
                pair.same(f'{devfn:02x}.{reg:02x} after {value:02x}', values)
            pair.config_set(devfn, 4, 0)


def set_up(pair_of, rng):
    """what firmware sets up, behind a bridge, too"""
    pair = pair_with_all(pair_of)
    pair.config_set(0x28, 0x10, 0xf0000000, 'l')
    pair.config_set(0x28, 0x3c, 11)
    pair.config_set(0x38, 0x10, 0xf0100000, 'l')
    pair.config_set(0x38, 0x14, 0xc000, 'l')
    pair.config_set(0x38, 0x18, 0, 'l')
    pair.config_set(0x38, 0x1c, 4, 'l')
    pair.config_set(0x40, 0x30, 0xf0200001, 'l')
    pair.config_set(BRIDGE, 0x18, 0x010100, 'l')
    pair.config_set(BRIDGE, 0x1c, 0xd0d0, 'w')
    pair.config_set(BRIDGE, 0x20, 0xf0f0f040, 'l')
    pair.config_set(BRIDGE, 0x24, 0xf100f110, 'l')
    for devfn in OURS:
        pair.config_set(devfn, 4, 7, 'w')
    pair.info('set up')
    pair.config_set(0x18, 0x10, 0xf0400000, 'l', 1)
    pair.config_set(0x18, 4, 2, 'w', 1)
    pair.config_set(0xff, 0x14, 0xd000, 'l', 1)
    pair.config_set(0xff, 4, 1, 'w', 1)
    pair.info('set up behind the bridge')
    pair.config_set(0x28, 4, 0, 'w')
    pair.info('switched off')
    for vm in pair.vms:
        vm.reset()
    pair.info('after a reset')


def by_chance(pair_of, rng):
    """whatever a guest writes to BARs, ROMs, commands and windows"""
    pair = pair_with_all(pair_of)
    often = (0, 0xffffffff, 0xfffff000, 0xf0000000, 0xfffe0001, 0x1000, 0xc000, 0xff00,
             0x10000, 0xf0000001, 0x80000000, 0xfff00000, 0xffefffff, 1, 4, 5)
    for _ in range(1500):
        devfn = rng.choice(OURS)
        reg = rng.choice((0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x2c, 0x30, 0x38))
        pair.config_set(devfn, reg, rng.choice(often) if rng.randrange(3) else
                 rng.randrange(1 << 32), 'l')
        if rng.randrange(2):
            pair.config_set(rng.choice(OURS), 4, rng.randrange(8), 'w')
        if not pair.differences:
            pair.info(f'{devfn:02x}.{reg:02x}')


if __name__ == '__main__':
    sys.exit(peer.main((at_reset, what_can_be_written, set_up, by_chance), Pair))
