# SPDX-License-Identifier: GPL-2.0-or-later
"""
Parallel flash beside that of QEMU 7.2: two units each, which get the same programs of
commands made by chance through qtest. What is read in every mode is the same, which
accesses memory answers and which the chip, and in the end both files. Prints TAP. See
test-compare-flash.sh.

What differs, and is left out:
- QEMU sets bits when it programs, which flash cannot: here none are set;
- QEMU erases at the first of the two cycles, whatever the second is, and forgets errors
  of the sequence (the chip says them in its status);
- QEMU leaves the query for nothing but the array, and takes 0x28 for an erase;
- a buffer of QEMU is in the array before it is confirmed, wherever its bytes go, and
  one for flash that is not written has no end that it tells;
- an access wider than the bank is several here, one there; so in other modes than that
  of the array, only bytes are read and written;
- below 1 MiB QEMU has a copy, which shows no commands and no changes.
"""
import os
import sys

import peer

UNIT0, UNIT1 = 0x40000, 0x20000
BASE0 = 0x100000000 - UNIT0
BASE1 = BASE0 - UNIT1
BLOCK, BUFFER = 0x1000, 256
WIDTHS = {'b': 1, 'w': 2, 'l': 4, 'q': 8}
QUERY_SIZE = 0x34 # what QEMU says after it has no order

PROGRAMS = int(os.environ.get('FLATVIEW_SEQUENCES', '15'))
STEPS = 200


class Flash:
    """Lines for one unit, and what its array has after them."""

    def __init__(self, base, content):
        self.base = base
        self.array = bytearray(content)
        self.refuses = False
        self.rng = None
        self.lines = []
        self.near = 0

    def address(self):
        if self.rng.random() < 0.2:
            self.near = self.rng.randrange(len(self.array))
        return min(self.near + self.rng.randrange(BUFFER), len(self.array) - 1)

    def put(self, at, value):
        self.lines.append(f'writeb {self.base + at:#x} {value:#x}')

    def look(self, times):
        """Reads of bytes, where the mode can be any."""
        for _ in range(self.rng.randrange(times)):
            self.lines.append(f'readb {self.base + self.address():#x}')

    def to_array(self):
        self.put(self.address(), self.rng.choice((0xff, 0xff, 0x00, 0xf0, 0x50)))

    def read_array(self):
        self.to_array()
        for _ in range(self.rng.randrange(6)):
            name, width = self.rng.choice(list(WIDTHS.items()))
            at = min(self.address(), len(self.array) - width)
            self.lines.append(f'read{name} {self.base + at:#x}')

    def status(self):
        self.put(self.address(), 0x70)
        self.look(3)

    def identity(self):
        self.put(self.address(), 0x90)
        for _ in range(self.rng.randrange(4)):
            at = self.rng.choice((0, 0x100, 0x700)) + self.rng.randrange(4)
            self.lines.append(f'readb {self.base + at:#x}')

    def query(self):
        self.put(self.address(), 0x98)
        for _ in range(self.rng.randrange(8)):
            at = self.rng.choice((0, 0, 0x100, 0xf00)) + self.rng.randrange(QUERY_SIZE)
            self.lines.append(f'readb {self.base + at:#x}')
        self.put(self.address(), 0xff)

    def nonsense(self):
        """What begins nothing."""
        value = self.rng.randrange(256)
        if value not in (0x10, 0x20, 0x28, 0x40, 0x60, 0x98, 0xe8):
            self.put(self.address(), value)
            self.look(3)

    def program(self):
        at = self.address()
        value = self.array[at] & self.rng.choice((0xff, 0, self.rng.randrange(256)))
        self.put(self.address(), self.rng.choice((0x10, 0x40)))
        self.look(2)
        self.put(at, value)
        self.look(3)
        if not self.refuses:
            self.array[at] = value

    def erase(self):
        at = self.address()
        self.put(at, 0x20)
        self.put(at, 0xd0)
        self.look(3)
        if not self.refuses:
            start = at - at % BLOCK
            self.array[start:start + BLOCK] = bytes([0xff]) * BLOCK

    def lock(self):
        self.put(self.address(), 0x60)
        self.look(2)
        self.put(self.address(), self.rng.choice((0x01, 0xd0, 0xff)))
        self.look(3)

    def buffer(self):
        if self.refuses:
            return
        at = self.address()
        count = self.rng.choice((1, 2, 16, BUFFER, self.rng.randrange(1, BUFFER + 1)))
        count = min(count, BUFFER - at % BUFFER, len(self.array) - at)
        self.put(at, 0xe8)
        self.look(2)
        self.put(at, count - 1)
        self.look(2)
        for n in range(count):
            value = self.array[at + n] & self.rng.randrange(256)
            self.put(at + n, value)
            if not self.refuses:
                self.array[at + n] = value
        self.look(2)
        self.put(at, 0xd0)
        self.look(3)

    def step(self, rng):
        """Lines of one operation."""
        self.rng = rng
        self.lines = []
        self.rng.choices((self.read_array, self.status, self.identity, self.query,
                          self.nonsense, self.program, self.erase, self.lock, self.buffer),
                         (3, 1, 1, 1, 1, 4, 0.5, 0.5, 0.5))[0]()
        return self.lines


def direct(vm):
    """Of each unit, whether memory answers reads."""
    text = vm.hmp('info mtree -f')
    return [f'romd): system.flash{unit}' in text for unit in (0, 1)]


class FlashPair(peer.Pair):
    """Each program with its own copies of the units."""

    def __init__(self, programs, contents, scratch, extra=(), readonly=False, refused=0):
        self.paths = [[os.path.join(scratch, f'{program}{unit}') for unit in range(2)]
                      for program in range(2)]
        self.vms = []
        self.differences = []
        self.units = [Flash(base, content) for base, content in zip((BASE0, BASE1), contents)]
        for unit in self.units[:refused]:
            unit.refuses = True
        for program, paths in zip(programs, self.paths):
            words = list(extra)
            for unit, (path, content) in enumerate(zip(paths, contents)):
                with open(path, 'wb') as file:
                    file.write(content)
                words += ['-drive', f'if=pflash,format=raw,unit={unit},file={path}'
                          + (',readonly=on' if readonly and unit == 0 else '')]
            self.vms.append(peer.VM(program, words, scratch))

    def files(self):
        """What each program's files have."""
        found = []
        for paths in self.paths:
            found.append([])
            for path in paths:
                with open(path, 'rb') as file:
                    found[-1].append(file.read())
        return found


def contents_of(rng):
    return [rng.randbytes(UNIT0), rng.randbytes(UNIT1 // 2) + b'\xff' * (UNIT1 // 2)]


def by_chance(pair_of, rng, **others):
    pair = pair_of(contents_of(rng), **others)
    for number in range(PROGRAMS):
        lines = []
        for _ in range(STEPS):
            lines += rng.choice(pair.units).step(rng)
        if not pair.run(lines, f'program {number}'):
            break
        pair.same(f'after program {number}: who shows its array',
                  [direct(vm) for vm in pair.vms])
        if rng.random() < 0.3:
            pair.reset()
            pair.same(f'reset after program {number}: who shows its array',
                      [direct(vm) for vm in pair.vms])
    here, there = pair.files()
    pair.same('files', [hash(tuple(here)), hash(tuple(there))])
    pair.same('first file, and what it should be',
              [hash(here[0]), hash(bytes(pair.units[0].array))])
    pair.same('second file, and what it should be',
              [hash(here[1]), hash(bytes(pair.units[1].array))])


def writable(pair_of, rng):
    """Two units that are written: the same is read in every mode, and the files are the
    same"""
    by_chance(pair_of, rng)


def readonly(pair_of, rng):
    """A unit that is not written"""
    by_chance(pair_of, rng, readonly=True, refused=1)


def secure(pair_of, rng):
    """Units for system management mode, in which a test is not"""
    by_chance(pair_of, rng, refused=2, extra=(
        '-global', 'driver=cfi.pflash01,property=secure,value=on'))


def chips(pair_of, rng):
    """Units that say who they are"""
    by_chance(pair_of, rng, extra=[word for n in range(4) for word in
              ('-global', f'driver=cfi.pflash01,property=id{n},value={0x89 + 0x1711 * n:#x}')])


if __name__ == '__main__':
    sys.exit(peer.main((writable, readonly, secure, chips), FlashPair))
