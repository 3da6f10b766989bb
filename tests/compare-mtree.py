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
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile

RANGE = re.compile(r'^\s+([0-9a-f]{16})-([0-9a-f]{16}) \((?:prio -?\d+, )?([a-z/]+)\): '
                   r'(\S+)(?: @([0-9a-f]+))?')
KVM_PAGES = (0xfeffc000, 0xfeffffff)
SEGMENTS = [(0xf0000, 0xfffff)] + [(0xc0000 + n * 0x4000, 0xc3fff + n * 0x4000)
                                   for n in range(12)]


class VM:
    """One program, with both of its connections."""

    def __init__(self, program, options, scratch):
        self.is_qemu = 'qemu' in os.path.basename(program)
        listeners = []
        for name in ('qtest', 'qmp'):
            path = os.path.join(scratch, name)
            if os.path.exists(path):
                os.unlink(path)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            listener.listen(1)
            listener.settimeout(60)
            listeners.append(listener)
        options = ['-M', 'pc', '-nodefaults', '-display', 'none', '-S',
                   '-qtest', f'unix:{scratch}/qtest', '-qtest-log', '/dev/null',
                   '-chardev', f'socket,id=mon,path={scratch}/qmp',
                   '-mon', 'chardev=mon,mode=control'] + options
        options += ['-accel', 'tcg', '-vga', 'none'] if self.is_qemu else \
                   ['-accel', 'qtest']
        self.child = subprocess.Popen([program] + options)
        self.files = []
        for listener in listeners:
            connection = listener.accept()[0]
            listener.close()
            connection.settimeout(60)
            self.files.append(connection.makefile('rw'))
            connection.close()
        self.files[1].readline()
        self.events = []
        self.qmp('qmp_capabilities')

    def qmp(self, command, **arguments):
        self.files[1].write(json.dumps({'execute': command,
                                        'arguments': arguments}) + '\n')
        self.files[1].flush()
        while True:
            reply = json.loads(self.files[1].readline())
            if 'event' not in reply:
                return reply['return']
            self.events.append(reply['event'])

    def reset(self):
        self.events = []
        self.qmp('system_reset')
        while 'RESET' not in self.events:
            reply = json.loads(self.files[1].readline())
            self.events.append(reply['event'])

    def qtest(self, line):
        self.files[0].write(line + '\n')
        self.files[0].flush()
        while True:
            reply = self.files[0].readline().split()
            if reply[0] != 'IRQ':
                assert reply[0] == 'OK', (line, reply)
                return int(reply[1], 0) if len(reply) > 1 else None

    def screen(self, scratch):
        """The size of the first screen, and its pixels of 3 bytes."""
        path = os.path.join(scratch, 'screen.ppm')
        self.qmp('screendump', filename=path)
        with open(path, 'rb') as file:
            kind, size, most, pixels = file.read().split(b'\n', 3)
        os.unlink(path)
        assert kind == b'P6' and most == b'255', (kind, most)
        return tuple(int(word) for word in size.split()), pixels

    def config_get(self, devfn, reg):
        self.qtest(f'outl 0xcf8 {0x80000000 | devfn << 8 | (reg & ~3)}')
        return self.qtest(f'inb {0xcfc + reg % 4}')

    def config_set(self, devfn, reg, value, width='b'):
        self.qtest(f'outl 0xcf8 {0x80000000 | devfn << 8 | (reg & ~3)}')
        self.qtest(f'out{width} {0xcfc + reg % 4} {value}')

    def ranges(self):
        """(first, last, kind, offset) of the memory, in order."""
        found = []
        ours = False
        text = self.qmp('human-monitor-command', **{'command-line': 'info mtree -f'})
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

    def end(self):
        self.child.kill()
        self.child.wait()
        for file in self.files:
            file.close()


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


class Pair:
    """Both programs with the same options."""

    def __init__(self, programs, options, scratch):
        self.vms = [VM(program, options, scratch) for program in programs]
        self.pam = [0] * 7
        self.what = ' '.join(options)
        self.differences = []

    def config_set(self, devfn, reg, value, width='b'):
        for vm in self.vms:
            vm.config_set(devfn, reg, value, width)
        if devfn == 0 and 0x59 <= reg <= 0x5f:
            self.pam[reg - 0x59] = value
        self.what += f'; {devfn:02x}.{reg:02x}={value:x}'

    def reset(self):
        for vm in self.vms:
            vm.reset()
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
        ours, qemus = [merged(vm.ranges()) for vm in self.vms]
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

    def end(self):
        for vm in self.vms:
            vm.end()
        return self.differences


def sizes(pair_of, bios):
    differences = []
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
        differences += pair.end()
    return differences


def pam(pair_of, bios):
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
    return pair.end()


def smram(pair_of, bios):
    """Over a BAR in the place of a screen. Not locked: in QEMU that has no effect."""
    pair = pair_of(['-m', '128', '-device', 'pci-testdev,addr=4'])
    pair.config_set(0x20, 0x10, 0xa0000, 'l')
    pair.config_set(0x20, 0x04, 2, 'w')
    for value in (0x02, 0x4a, 0x0a, 0x42, 0x02, 0x48):
        pair.config_set(0, 0x72, value)
        pair.check()
    pair.reset()
    pair.check()
    return pair.end()


def bars(pair_of, bios):
    differences = []
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
        differences += pair.end()
    return differences


def by_chance(pair_of, bios):
    """PAM, SMRAM and a BAR of 4 KiB wherever PCI can be seen below 1 MiB."""
    seed = int(os.environ.get('FLATVIEW_SEED', '1996'))
    chance = random.Random(seed)
    pair = pair_of(['-m', '16', '-device', 'pci-testdev,addr=4'])
    for _ in range(int(os.environ.get('FLATVIEW_STEPS', '300'))):
        match chance.randrange(5):
            case 0 | 1:
                reg = chance.randrange(7)
                pair.config_set(0, 0x59 + reg, chance.randrange(4) << 4 |
                                (chance.randrange(4) if reg else 0))
            case 2:
                pair.config_set(0, 0x72, chance.choice((0x02, 0x0a, 0x4a)))
            case 3:
                pair.config_set(0x20, 0x10, chance.randrange(0x90, 0x110) << 12, 'l')
                pair.config_set(0x20, 0x04, 2, 'w')
            case 4:
                pair.config_set(0x20, 0x04, chance.choice((0, 2, 2)), 'w')
        if not pair.differences:
            pair.check()
        if chance.randrange(50) == 0:
            pair.reset()
    differences = pair.end()
    return [f'# FLATVIEW_SEED={seed}\n{text}' for text in differences]


def bridges(pair_of, bios):
    """A BAR behind two bridges, windows anywhere around it, video memory passed on."""
    seed = int(os.environ.get('FLATVIEW_SEED', '2004'))
    chance = random.Random(seed)
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
        ends[chance.randrange(2)] = chance.choice(places + [0, 0xa0000, 0xc000000])
        pair.config_set(bridge, reg, ends[0] >> 16, 'w')
        pair.config_set(bridge, reg + 2, ends[1] >> 16, 'w')

    for bridge, numbers in ((outer, 0x020100), (inner, 0x020201)):
        pair.config_set(bridge, 0x18, numbers, 'l')
        pair.config_set(bridge, 0x04, 3, 'w')
    for _ in range(int(os.environ.get('FLATVIEW_STEPS', '200'))):
        bridge = chance.choice((outer, inner))
        match chance.randrange(6):
            case 0:
                pair.config_set(edu, 0x10, chance.choice(places), 'l')
                pair.config_set(edu, 0x04, chance.choice((2, 2, 2, 0)), 'w')
            case 1 | 2:
                window(bridge, 0x20)
            case 3:
                window(bridge, 0x24)
                pair.config_set(bridge, 0x28, chance.choice((0, 0, 0, 1)), 'l')
                pair.config_set(bridge, 0x2c, chance.choice((0, 0, 0, 1)), 'l')
            case 4:
                pair.config_set(bridge, 0x3e, chance.choice((0, 8)), 'w')
            case 5:
                pair.config_set(bridge, 0x04, chance.choice((0, 3, 3, 3)), 'w')
        if not pair.differences:
            pair.check()
        shown += any(first >= places[0] and last < 0xe0400000
                     for first, last, _, _ in pair.vms[0].ranges())
    differences = pair.end()
    if shown < 10:
        differences.append(f'# the BAR was seen {shown} times: this is no test')
    return [f'# FLATVIEW_SEED={seed}\n{text}' for text in differences]


def registers(pair_of, bios):
    """All 256 bytes of the bridges' configuration space at reset."""
    differences = []
    for size in ('16', '1020', '6G'):
        pair = pair_of(['-m', size])
        for devfn in (0x00, 0x08):
            for reg in range(256):
                ours, qemus = [vm.config_get(devfn, reg) for vm in pair.vms]
                if ours != qemus:
                    differences.append(f'# -m {size}: {devfn:02x}.{reg:02x}: '
                                       f'{ours:02x} here, {qemus:02x} in QEMU')
        differences += pair.end()
    return differences


def main():
    programs = sys.argv[1:3]
    tests = (sizes, pam, smram, bars, by_chance, bridges, registers)
    with tempfile.TemporaryDirectory() as scratch:
        def bios(kib):
            path = os.path.join(scratch, f'bios{kib}')
            with open(path, 'wb') as file:
                file.write(os.urandom(1024) * kib)
            return path

        print(f'1..{len(tests)}')
        for n, test in enumerate(tests, 1):
            differences = test(lambda options: Pair(programs, options, scratch), bios)
            print('not ok' if differences else 'ok', n, '-', test.__name__)
            for text in differences[:3]:
                print(text)
            sys.stdout.flush()


if __name__ == '__main__':
    main()
