# SPDX-License-Identifier: GPL-2.0-or-later
"""
The map of the board pc beside that of QEMU's pc: both programs are started with the
same options and get the same writes through qtest; after each step the flat view of
what the processor sees has the same ranges of RAM, ROM and registers, names apart. RAM
is the same byte of all RAM, too. Prints TAP. See test-compare-mtree.sh.

Three things differ, and are looked for:
- 0xfeffc000 to 0xfeffffff is kept free for KVM, which here is in the map;
- where a PAM segment is read from PCI and written to RAM, QEMU shows RAM, here what is
  read is what PCI shows;
- QEMU's host bridge keeps PAM and SMRAM over a reset, which the chip does not.
"""
import os
import re
import sys
import tempfile

import peer

RANGE = re.compile(r'^\s+([0-9a-f]{16})-([0-9a-f]{16}) \((?:prio -?\d+, )?([a-z/]+)\): '
                   r'(\S+)(?: @([0-9a-f]+))?')
KVM_PAGES = (0xfeffc000, 0xfeffffff)
SEGMENTS = [(0xf0000, 0xfffff)] + [(0xc0000 + n * 0x4000, 0xc3fff + n * 0x4000)
                                   for n in range(12)]


def ranges_of(vm):
    """(first, last, kind, offset) of the memory, in order."""
    found = []
    ours = False
    text = vm.hmp('info mtree -f')
    for line in text.splitlines():
        match = RANGE.match(line)
        if line.startswith(('FlatView', 'flat-view:')):
            ours = line == 'flat-view: memory'
        elif line.startswith(' AS "memory"'):
            ours = True
        elif ours and match:
            first, last = int(match[1], 16), int(match[2], 16)
            if (first, last) == KVM_PAGES:
                assert match[3] == 'reservation', line
                continue
            kind = {'romd': 'rom', 'reservation': 'i/o'}.get(match[3], match[3])
            offset = int(match[5] or '0', 16) if kind == 'ram' else None
            found.append((first, last, kind, offset))
    return found


def merged(ranges):
    """Neighbours of one kind as one; RAM if it goes on."""
    result = []
    for first, last, kind, offset in ranges:
        if result:
            first0, last0, kind0, offset0 = result[-1]
            if last0 + 1 == first and kind0 == kind and \
                    (offset is None or offset0 + first - first0 == offset):
                result[-1] = (first0, last, kind, offset0)
                continue
        result.append((first, last, kind, offset))
    return result


def without(ranges, holes):
    """The ranges but for what lies in @holes; and the kinds that are there."""
    kinds = set()
    for hole_first, hole_last in holes:
        rest = []
        for first, last, kind, offset in ranges:
            if last < hole_first or first > hole_last:
                rest.append((first, last, kind, offset))
                continue
            kinds.add(kind)
            if first < hole_first:
                rest.append((first, hole_first - 1, kind, offset))
            if last > hole_last:
                rest.append((hole_last + 1, last, kind,
                             None if offset is None else offset + hole_last + 1 - first))
        ranges = rest
    return ranges, kinds


def text_of(ranges):
    return '\n'.join(f'#   {first:016x}-{last:016x} {kind}'
                     + (f' @{offset:x}' if offset is not None else '')
                     for first, last, kind, offset in ranges)


class Pair(peer.Pair):
    def __init__(self, programs, options, scratch):
        super().__init__(programs, options, scratch)
        self.pam = [0] * 7
        self.what = ' '.join(options)

    def config_set(self, devfn, reg, value, width='b', bus=0):
        super().config_set(devfn, reg, value, width, bus)
        if (bus, devfn) == (0, 0) and 0x59 <= reg <= 0x5f:
            self.pam[reg - 0x59] = value
        self.what += f'; {bus:02x}:{devfn:02x}.{reg:02x}={value:x}'

    def reset(self):
        super().reset()
        for vm in self.vms:
            if vm.is_qemu:
                for reg in range(0x59, 0x60):
                    vm.config_set(0, reg, 0)
                vm.config_set(0, 0x72, 2)
        self.pam = [0] * 7
        self.what += '; reset'

    def reverse(self):
        """Segments that are read from PCI and written to RAM."""
        nibbles = [n for value in self.pam for n in (value & 3, value >> 4 & 3)][1:]
        return [segment for segment, n in zip(SEGMENTS, nibbles) if n == 2]

    def check(self):
        ours, qemus = [merged(ranges_of(vm)) for vm in self.vms]
        holes = self.reverse()
        ours_left, kinds = without(ours, holes)
        qemus_left, qemus_kinds = without(qemus, holes)
        # Pieces on both sides of a hole that was RAM in one of them only.
        if merged(ours_left) != merged(qemus_left):
            self.differences.append(f'# {self.what}\n# here:\n{text_of(ours)}\n'
                                    f'# QEMU:\n{text_of(qemus)}')
        elif holes and ('ram' in kinds or qemus_kinds != {'ram'}):
            self.differences.append(f'# {self.what}\n# read from PCI, written to RAM: '
                                    f'{kinds} here, {qemus_kinds} there')


def sizes(pair_of, rng):
    """RAM of many sizes, and firmware of many"""
    scratch = tempfile.TemporaryDirectory()

    def bios(kib):
        path = os.path.join(scratch.name, f'bios{kib}')
        with open(path, 'wb') as file:
            file.write(os.urandom(1024) * kib)
        return path

    for options in (['-m', '128'], ['-m', '1'], ['-m', '3G'], ['-m', '3583M'],
                    ['-m', '3584M'], ['-m', '4G'], ['-m', '6G'],
                    ['-m', '6G', '-M', 'max-ram-below-4g=2G'],
                    ['-m', '2G', '-M', 'max-ram-below-4g=2G'],
                    ['-m', '3400M', '-M', 'max-ram-below-4g=3400M'],
                    ['-m', '1G', '-device', 'edu', '-device', 'pci-testdev'],
                    ['-m', '64', '-M', 'hpet=off'],
                    ['-m', '64', '-bios', bios(64)], ['-m', '64', '-bios', bios(128)],
                    ['-m', '64', '-bios', bios(1024)],
                    ['-m', '64', '-bios', bios(16384)]):
        pair = pair_of(options)
        pair.check()
        pair.reset()
        pair.check()
        pair.end()
    scratch.cleanup()


def pam(pair_of, rng):
    """every state of each PAM register"""
    pair = pair_of(['-m', '128'])
    for reg in range(7):
        for value in (range(0, 0x40, 0x10) if reg == 0 else
                      [low | high << 4 for low in range(4) for high in range(4)]):
            pair.config_set(0, 0x59 + reg, value)
            pair.check()
    for reg in range(7):
        pair.config_set(0, 0x59 + reg, 0x10 if reg == 0 else 0x11)
    pair.check()
    pair.reset()
    pair.check()


def smram(pair_of, rng):
    """SMRAM over a BAR in the place of a screen; not locked: in QEMU that has no effect"""
    pair = pair_of(['-m', '128', '-device', 'pci-testdev,addr=4'])
    pair.config_set(0x20, 0x10, 0xa0000, 'l')
    pair.config_set(0x20, 0x04, 2, 'w')
    for value in (0x02, 0x4a, 0x0a, 0x42, 0x02, 0x48):
        pair.config_set(0, 0x72, value)
        pair.check()
    pair.reset()
    pair.check()


def bars(pair_of, rng):
    """BARs anywhere below 4 GiB"""
    for size in ('128', '3584M'):
        pair = pair_of(['-m', size, '-device', 'edu,addr=4',
                        '-device', 'pci-testdev,addr=5'])
        for addr in (0x100000, 0x8000000, 0xbff00000, 0xc0000000, 0xe0000000,
                     0xfea00000, 0xfeb00000, 0xfec00000, 0xfed00000, 0xfee00000,
                     0xfef00000, 0xff000000, 0xfff00000):
            for slot in (4, 5):
                pair.config_set(slot << 3, 0x10, addr, 'l')
                pair.config_set(slot << 3, 0x04, 2, 'w')
                # What KVM's pages hide here: compare around them.
                if addr != 0xfef00000 or slot == 5:
                    pair.check()
                pair.config_set(slot << 3, 0x04, 0, 'w')
            pair.check()
        pair.end()


def by_chance(pair_of, rng):
    """PAM, SMRAM and a BAR of 4 KiB wherever PCI can be seen below 1 MiB, by chance"""
    pair = pair_of(['-m', '16', '-device', 'pci-testdev,addr=4'])
    for _ in range(int(os.environ.get('FLATVIEW_STEPS', '300'))):
        match rng.randrange(5):
            case 0 | 1:
                reg = rng.randrange(7)
                pair.config_set(0, 0x59 + reg, rng.randrange(4) << 4 |
                                (rng.randrange(4) if reg else 0))
            case 2:
                pair.config_set(0, 0x72, rng.choice((0x02, 0x0a, 0x4a)))
            case 3:
                pair.config_set(0x20, 0x10, rng.randrange(0x90, 0x110) << 12, 'l')
                pair.config_set(0x20, 0x04, 2, 'w')
            case 4:
                pair.config_set(0x20, 0x04, rng.choice((0, 2, 2)), 'w')
        if not pair.differences:
            pair.check()
        if rng.randrange(50) == 0:
            pair.reset()


def bridges(pair_of, rng):
    """a BAR behind two bridges, windows anywhere around it, video memory passed on"""
    pair = pair_of(['-m', '128',
                    '-device', 'pci-bridge,id=a,addr=4,chassis_nr=1,shpc=off',
                    '-device', 'pci-bridge,id=b,bus=a,addr=5,chassis_nr=2,shpc=off',
                    '-device', 'edu,bus=b,addr=6'])
    outer, inner, edu = 0x20, 0x128, 0x230
    shown = 0
    places = [0xe0000000, 0xe0100000, 0xe0200000, 0xe0300000]

    def window(bridge, reg):
        """Mostly all of the places, with one end anywhere."""
        ends = [0xe0000000, 0xe0300000]
        ends[rng.randrange(2)] = rng.choice(places + [0, 0xa0000, 0xc000000])
        pair.config_set(bridge, reg, ends[0] >> 16, 'w')
        pair.config_set(bridge, reg + 2, ends[1] >> 16, 'w')

    for bridge, numbers in ((outer, 0x020100), (inner, 0x020201)):
        pair.config_set(bridge, 0x18, numbers, 'l')
        pair.config_set(bridge, 0x04, 3, 'w')
    for _ in range(int(os.environ.get('FLATVIEW_STEPS', '200'))):
        bridge = rng.choice((outer, inner))
        match rng.randrange(6):
            case 0:
                pair.config_set(edu, 0x10, rng.choice(places), 'l')
                pair.config_set(edu, 0x04, rng.choice((2, 2, 2, 0)), 'w')
            case 1 | 2:
                window(bridge, 0x20)
            case 3:
                window(bridge, 0x24)
                pair.config_set(bridge, 0x28, rng.choice((0, 0, 0, 1)), 'l')
                pair.config_set(bridge, 0x2c, rng.choice((0, 0, 0, 1)), 'l')
            case 4:
                pair.config_set(bridge, 0x3e, rng.choice((0, 8)), 'w')
            case 5:
                pair.config_set(bridge, 0x04, rng.choice((0, 3, 3, 3)), 'w')
        if not pair.differences:
            pair.check()
        shown += any(first >= places[0] and last < 0xe0400000
                     for first, last, _, _ in ranges_of(pair.vms[0]))
    if shown < 10:
        pair.differences.append(f'# the BAR was seen {shown} times: this is no test')


def registers(pair_of, rng):
    """all 256 bytes of the bridges' configuration space at reset"""
    for size in ('16', '1020', '6G'):
        pair = pair_of(['-m', size])
        for devfn in (0x00, 0x08):
            for reg in range(256):
                pair.same(f'-m {size}: {devfn:02x}.{reg:02x}', pair.config_get(devfn, reg))
        pair.end()


if __name__ == '__main__':
    sys.exit(peer.main((sizes, pam, smram, bars, by_chance, bridges, registers), Pair))
