# SPDX-License-Identifier: GPL-2.0-or-later
"""
bochs-display, ramfb, Bochs' registers of VGA and EDID beside QEMU's: both programs get
the same writes through qtest, and what is read and what is seen is the same. Prints TAP.
See test-compare-display.sh.

What differs, and is not looked for:

- What QEMU 7.2 cannot show leaves the picture before it there; here it is black. Modes
  below 64x64 are among that, and bochs-display's of 15 and 24 bits.
- A stride that is no multiple of 4 ends QEMU. In QEMU, lines of ramfb may overlap.
- EDID: maker and name; the extension of CTA, which says more here; modes of more than
  655 MHz, of which QEMU's VGA tells as DisplayID and which are slower here; modes within
  limits that QEMU leaves out, and preferred ones beyond them.
"""
import base64
import struct
import sys

import peer

VRAM, MMIO = 0xe0000000, 0xf0000000
VBE, ORDER = MMIO + 0x500, MMIO + 0x604
DEVFN = 0x28  # 05.0
REGISTERS = 11
ID, XRES, YRES, BPP, ENABLE, BANK, VIRT_WIDTH, VIRT_HEIGHT, X_OFFSET, Y_OFFSET = range(10)
EDID_SIZE = 384
ESTABLISHED_III = b'\0\0\0\xf7\0'
MAKER, NAME = slice(8, 10), b'\0\0\0\xfc\0'


class Pair(peer.Pair):
    def map(self):
        for vm in self.vms:
            for bar, address in ((0x10, VRAM), (0x18, MMIO)):
                vm.config_set(DEVFN, bar, address, 'l')
            vm.config_set(DEVFN, 4, 2, 'w')

    def set(self, index, value):
        self.both(f'writew {VBE + 2 * index} {value}')

    def registers(self):
        return [[vm.qtest(f'readw {VBE + 2 * index}') for index in range(REGISTERS)]
                for vm in self.vms]

    def look(self, what):
        ours, qemus = [vm.screen() for vm in self.vms]
        self.same(what, (ours[0], qemus[0]))
        if ours[0] == qemus[0]:
            wrong = [at for at in range(0, len(qemus[1]), 3)
                     if ours[1][at:at + 3] != qemus[1][at:at + 3]]
            for at in wrong[:1]:
                y, x = divmod(at // 3, ours[0][0])
                self.same(f'{what}: {len(wrong)} pixels, the first at {x},{y}',
                          [screen[1][at:at + 3].hex() for screen in (ours, qemus)])


def random_write(rng):
    """Index and value: of those that matter, and any."""
    index = rng.choice((ID, XRES, XRES, YRES, YRES, BPP, BPP, BPP, ENABLE, ENABLE, ENABLE,
                        BANK, VIRT_WIDTH, VIRT_WIDTH, VIRT_HEIGHT, X_OFFSET, X_OFFSET,
                        Y_OFFSET, Y_OFFSET, 10))
    values = {ID: (0xb0bf, 0xb0c0, 0xb0c5, 0xb0c6), XRES: (0, 640, 1024),
              YRES: (0, 480, 768), BPP: (0, 4, 8, 15, 16, 24, 32),
              ENABLE: (0, 1, 2, 0x41, 0xc1)}.get(index, (0, 100, 1600))
    return index, rng.choice((rng.choice(values), rng.randrange(2048),
                              rng.randrange(65536)))


def registers(pair_of, rng):
    """the registers, after any writes to them"""
    for device in [f'VGA,vgamem_mb={mb}' for mb in (1, 2, 16, 64, 512)] + \
                  ['bochs-display,vgamem=4M', 'bochs-display']:
        pair = pair_of(['-m', '64', '-device', f'{device},addr=5'])
        pair.map()
        pair.same(f'{device} at reset', pair.registers())
        done = []
        for _ in range(150):
            index, value = random_write(rng)
            done.append((index, value))
            pair.set(index, value)
            pair.same(f'{device} after {done[-20:]}', pair.registers())
            pair.same('order', pair.both(f'readl {ORDER}'))
            if pair.differences:
                break
        pair.end()


def comparable(block):
    """All but maker, name, modes of 1.4, and sums; and DisplayID's clock, which QEMU
    makes 10 kHz too fast."""
    assert sum(block[:128]) % 256 == 0
    assert sum(block[128:256]) % 256 == 0
    block = bytearray(block)
    block[MAKER] = bytes(2)
    for tag in NAME, ESTABLISHED_III:
        at = block.index(tag)
        block[at + 5:at + 18] = bytes(13)
    block[264:267] = bytes(3)
    block[284] = 0
    return block[:127].hex() + block[256:].hex()


def edid(pair_of, rng):
    """EDID, for many settings"""
    for setting in ('', 'xres=1024,yres=768', 'xres=640,yres=480', 'xres=1920,yres=1080',
                    'xres=1920,yres=1200,refresh_rate=60000', 'xres=1366,yres=768',
                    'xres=2560,yres=1440', 'xres=4096,yres=2160', 'xres=5120,yres=2880',
                    'xres=8000,yres=6000', 'xmax=1920,ymax=1080', 'xmax=3840',
                    'xres=640,yres=480,xmax=640,ymax=480', 'xres=1280,yres=600,ymax=600',
                    'xres=1280,yres=4000,refresh_rate=20000', 'refresh_rate=300000',
                    'xres=0,yres=0,refresh_rate=0', 'edid=off'):
        pair = pair_of(['-m', '64', '-device', f'VGA,addr=5,{setting}'])
        pair.map()
        edids = [bytes(vm.qtest(f'readb {MMIO + at}') for at in range(EDID_SIZE))
                 for vm in pair.vms]
        pair.same(setting, edids if 'off' in setting else [comparable(e) for e in edids])
        pair.end()


def bochs_display(pair_of, rng):
    """what bochs-display shows"""
    pair = pair_of(['-m', '64', '-device', 'bochs-display,addr=5,vgamem=4M'])
    pair.map()
    pair.write(VRAM, rng.randbytes(0x100000) * 4)
    for step in range(60):
        bpp = (16, 32)[step % 2]
        width, height = 4 * rng.randrange(16, 220), rng.randrange(64, 600)
        virtual = rng.choice((0, width // 2 & ~1, width, 2 * rng.randrange(400, 900)))
        left = rng.choice((0, rng.randrange(900)))
        top = rng.choice((0, rng.randrange(300)))
        line = max(width, virtual) * bpp // 8
        if left * bpp // 8 + (top + height) * line > 4 << 20:
            top = 0
            height = min(height, (4 << 20) // line - 1)
        for index, value in ((ENABLE, rng.choice((0, 0x41))), (XRES, width),
                             (YRES, height), (BPP, bpp), (VIRT_WIDTH, virtual),
                             (X_OFFSET, left), (Y_OFFSET, top),
                             (ENABLE, rng.choice((1, 0x41, 0xc1)))):
            pair.set(index, value)
        pair.look(f'{width}x{height}x{bpp} of {virtual} at {left},{top}')
    pair.both(f'writel {ORDER} {0xbebebebe}')
    for index, value in ((BPP, 32), (XRES, 640), (YRES, 480), (VIRT_WIDTH, 0),
                         (X_OFFSET, 0), (Y_OFFSET, 0)):
        pair.set(index, value)
    pair.look('high byte first')


class FWCfg:
    """fw_cfg by DMA, whose request is at 0x1000 and whose buffer at 0x2000."""

    def __init__(self, vm):
        self.vm = vm
        self.dma(0x19 << 16 | 8 | 2, 4)
        count = struct.unpack('>I', self.read(4))[0]
        self.dma(2, count * 64)
        self.keys = {}
        for entry in struct.iter_unpack('>IHH56s', self.read(count * 64)):
            self.keys[entry[3].rstrip(b'\0').decode()] = entry[1], entry[0]

    def read(self, size):
        return bytes(self.vm.qtest(f'readb {0x2000 + at}') for at in range(size))

    def dma(self, control, size):
        request = struct.pack('>IIQ', control, size, 0x2000)
        self.vm.qtest(f'write 0x1000 16 0x{request.hex()}')
        self.vm.qtest('outl 0x514 0')
        self.vm.qtest(f'outl 0x518 {struct.unpack("<I", struct.pack(">I", 0x1000))[0]}')

    def write(self, name, data):
        self.vm.qtest(f'write 0x2000 {len(data)} 0x{data.hex()}')
        self.dma(self.keys[name][0] << 16 | 8 | 0x10, len(data))


def ramfb(pair_of, rng):
    """what ramfb shows, and its files"""
    pair = pair_of(['-m', '64', '-device', 'ramfb'])
    fw_cfgs = [FWCfg(vm) for vm in pair.vms]
    for name in 'etc/ramfb', 'vgaroms/vgabios-ramfb.bin':
        pair.same(f'size of {name}', [fw_cfg.keys[name][1] for fw_cfg in fw_cfgs])
    pair.write(0x1000000, rng.randbytes(0x100000) * 4)
    for step in range(40):
        kind, size = ((b'XR24', 4), (b'AR24', 4), (b'RG24', 3))[step % 3]
        width, height = 4 * rng.randrange(4, 220), rng.randrange(16, 600)
        stride = rng.choice((0, width * size, width * size + 4 * rng.randrange(1000)))
        address = 0x1000000 + rng.choice((0, 4 * rng.randrange(0x40000)))
        if step == 39:  # up to the last byte
            address = (64 << 20) - (stride or width * size) * (height - 1) - width * size
            address &= ~3
        config = struct.pack('>QIIIII', address, struct.unpack('<I', kind)[0], 0, width,
                             height, stride)
        for fw_cfg in fw_cfgs:
            fw_cfg.write('etc/ramfb', config)
        pair.look(f'{width}x{height} of {kind.decode()} at 0x{address:x}, {stride}')


if __name__ == '__main__':
    sys.exit(peer.main((registers, edid, bochs_display, ramfb), Pair))
