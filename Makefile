# SPDX-License-Identifier: GPL-2.0-or-later
#
# flatview. Run ./configure first, here or in another folder. `make help` lists
# what can be made. A new source file, test or benchmark is one line in a list.

ifneq ($(wildcard config.mak),)
include config.mak
else ifeq ($(filter help,$(MAKECMDGOALS)),)
$(error Run configure first)
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
vpath %.c $(SRC_PATH)
vpath %.S $(SRC_PATH)
vpath %.dsl $(SRC_PATH)
vpath %.ld $(SRC_PATH)

# ---- what there is -----------------------------------------------------------

# The memory core: needs glib and liburcu only, knows no device and no KVM.
CORE_OBJS = \
	memory.o \
	memory-index.o \
	memory-render.o \
	memory-map.o \
	memory-topology.o \
	memory-lock.o \
	memory-doorbell.o \
	memory-listener.o \
	flatview.o \
	rcu.o \
	mtree.o \
	mtree-text.o \
	exec.o \
	exec-map.o \
	ram.o \
	access.o \
	ioport.o \
	event-notifier.o \

# The accelerator.
ifeq ($(CONFIG_KVM),yes)
KVM_OBJS = \
	kvm-all.o \
	kvm-slots.o \
	kvm-dirty.o \
	kvm-doorbell.o \
	kvm-run.o \
	target-i386/chips.o \
	target-i386/cpuid.o \
	target-i386/kvm.o \

else
KVM_OBJS = \
	kvm-stub.o \

endif

# vCPU threads, devices, boards.
HW_OBJS = \
	cpus.o \
	cpu-debug.o \
	runstate.o \
	vm-event.o \
	target-i386/debug.o \
	target-i386/topology.o \
	opts.o \
	hw/core/object.o \
	hw/core/object-types.o \
	hw/core/user-object.o \
	hw/core/memory-backend.o \
	hw/core/iothread.o \
	hw/core/device.o \
	hw/core/device-table.o \
	hw/core/properties.o \
	hw/char/debugcon.o \
	hw/char/serial.o \
	hw/display/edid.o \
	hw/display/bochs-vbe.o \
	hw/display/framebuffer.o \
	hw/display/bochs-display.o \
	hw/display/ramfb.o \
	hw/display/vga.o \
	hw/display/vga-memory.o \
	hw/display/vga-pci.o \
	hw/display/vga-draw.o \
	hw/display/vga-text.o \
	hw/misc/debug-exit.o \
	hw/misc/pvpanic.o \
	hw/misc/edu.o \
	hw/misc/pci-testdev.o \
	hw/misc/pc-testdev.o \
	hw/pci/pci.o \
	hw/pci/pci-config.o \
	hw/pci/pci-bus.o \
	hw/pci/pci-rom.o \
	hw/pci/pci-host.o \
	hw/pci/msi.o \
	hw/pci/msix.o \
	hw/pci/pci-bridge.o \
	hw/nvram/fw_cfg.o \
	hw/block/pflash_cfi01.o \
	hw/acpi/pm.o \
	hw/acpi/fixed.o \
	hw/acpi/pcihp.o \
	hw/acpi/smbus.o \
	hw/acpi/piix4.o \
	hw/input/i8042.o \
	hw/rtc/mc146818.o \
	hw/timer/i8254.o \
	hw/timer/hpet.o \
	hw/input/input.o \
	hw/input/key-sequence.o \
	hw/input/ps2.o \
	hw/input/ps2-keyboard.o \
	hw/input/ps2-mouse.o \
	hw/rtc/rtc-options.o \
	hw/core/machine.o \
	hw/core/machine-table.o \
	hw/core/plug.o \
	hw/core/cpu-object.o \
	hw/core/null-machine.o \
	hw/core/loader.o \
	hw/core/data-file.o \
	hw/i386/ioapic.o \
	hw/i386/microvm.o \
	hw/i386/pc.o \
	hw/i386/pc-memory.o \
	hw/i386/pc-cmos.o \
	hw/i386/pc-fw-cfg.o \
	hw/i386/pc-firmware.o \
	hw/i386/apic-msi.o \
	hw/isa/isa-irqs.o \
	hw/isa/piix3.o \
	hw/isa/port92.o \
	hw/pci-host/i440fx.o \
	hw/pci-host/pam.o \
	hw/i386/x86-boot.o \
	hw/i386/linux.o \
	hw/i386/elf-kernel.o \
	hw/i386/pvh.o \
	hw/i386/multiboot.o \
	hw/i386/linuxboot.o \
	hw/i386/pc-boot.o \
	hw/i386/pc-setup.o \
	hw/i386/e820.o \
	hw/i386/acpi-table.o \
	hw/i386/acpi-loader.o \
	hw/i386/acpi.o \
	hw/i386/pc-acpi.o \
	hw/i386/pc-acpi-slots.o \
	hw/i386/pc-smbios.o \
	hw/smbios/smbios.o \
	hw/smbios/smbios-settings.o \
	hw/i386/fdt.o \
	hw/core/chardev.o \
	hw/core/chardev-mux.o \
	hw/core/chardev-open.o \
	hw/core/chardev-fd.o \
	hw/core/chardev-null.o \
	hw/core/chardev-file.o \
	hw/core/chardev-stdio.o \
	hw/core/chardev-pty.o \
	hw/core/chardev-socket.o \
	hw/core/chardev-address.o \
	hw/core/chardev-ringbuf.o \
	hw/core/terminal.o \
	hw/core/timer.o \
	options.o \
	options-boot.o \
	options-display.o \
	readconfig.o \
	trace.o \

# Consoles, and what all displays share.
UI_OBJS = \
	ui/console.o \
	ui/display.o \
	ui/image.o \
	ui/keys.o \
	ui/keymap.o \

# Displays, each a module of its own: ui-NAME.so, of the objects it has here.
MODULES = $(DISPLAYS:%=ui-%.so)
ui-vnc.so: ui/vnc.o ui/vnc-client.o ui/vnc-listen.o ui/vnc-shadow.o
ui-sdl.so: ui/sdl.o ui/sdl-event-fd.o ui/sdl-keys.o
ui-curses.so: ui/curses.o ui/curses-keys.o

# Control from outside: QMP, its commands, the human monitor, qtest, gdb.
QMP_OBJS = \
	monitor/monitor.o \
	monitor/json-stream.o \
	monitor/json-text.o \
	monitor/qapi.o \
	monitor/qapi-doc.o \
	monitor/qmp.o \
	monitor/qmp-core.o \
	monitor/qmp-event.o \
	monitor/qmp-table.o \

QMP_COMMAND_OBJS = \
	monitor/qmp-types.o \
	monitor/qmp-run.o \
	monitor/qmp-machine.o \
	monitor/qmp-cpu.o \
	monitor/qmp-memory.o \
	monitor/qmp-pci.o \
	monitor/qmp-qom.o \
	monitor/qmp-device.o \
	monitor/qmp-chardev.o \
	monitor/qmp-screen.o \
	monitor/qmp-display.o \
	monitor/qmp-input.o \
	monitor/qmp-misc.o \
	monitor/qmp-hmp.o \

HMP_OBJS = \
	monitor/hmp.o \
	monitor/hmp-table.o \
	monitor/hmp-session.o \
	monitor/hmp-help.o \
	monitor/hmp-info.o \
	monitor/hmp-pci.o \
	monitor/hmp-display.o \
	monitor/hmp-machine.o \
	monitor/hmp-input.o \
	monitor/hmp-memory.o \
	monitor/hmp-complete.o \
	monitor/expression.o \
	monitor/editor.o \
	monitor/qmp-mtree.o \

QTEST_OBJS = \
	qtest.o \
	qtest-commands.o \
	qtest-wires.o \

GDB_OBJS = \
	gdbstub.o \
	gdbstub-packets.o \
	gdbstub-wire.o \
	gdbstub-break.o \
	target-i386/gdb.o \

# The command line and main().
MAIN_OBJS = \
	vl.o \
	daemon.o \

# What tests share; needs the core only, but for device-util,
# chardev-util, countdown, pci-copier and screen-util.
TEST_LIB_OBJS = \
	tests/test-util.o \
	tests/device-util.o \
	tests/chardev-util.o \
	tests/countdown.o \
	tests/pci-copier.o \
	tests/screen-util.o \
	tests/kernel-image.o \
	tests/model.o \
	tests/random-graph.o \
	tests/baseline.o \
	tests/field.o \

# Unit tests of the core: linked with libmemory-core.a alone, and Check.
TESTS_CORE = \
	tests/test-access \
	tests/test-access-rules \
	tests/test-event-notifier \
	tests/test-ioport \
	tests/test-mtree \
	tests/test-ram \
	tests/test-ram-dirty \
	tests/test-memory \
	tests/test-rom \
	tests/test-errors \
	tests/test-listener \
	tests/test-address-space \
	tests/test-map \
	tests/test-limits \
	tests/test-core-corners \
	tests/test-compat-2013 \
	tests/test-threads \
	tests/test-locks \
	tests/test-flat-ranges \
	tests/test-flatview \
	tests/test-index \
	tests/test-graph \
	tests/test-incremental \
	tests/test-scale \
	tests/test-vga-example \
	tests/test-random \

# Unit tests of devices and boards: linked with everything but vl.o.
TESTS_HW = \
	tests/test-readconfig \
	tests/test-device \
	tests/test-object \
	tests/test-user-object \
	tests/test-hotplug \
	tests/test-chardev \
	tests/test-chardev-socket \
	tests/test-chardev-options \
	tests/test-stdio \
	tests/test-serial \
	tests/test-i8042 \
	tests/test-pit \
	tests/test-ps2 \
	tests/test-keys \
	tests/test-hpet \
	tests/test-clock \
	tests/test-rtc \
	tests/test-misc-devices \
	tests/test-fw-cfg \
	tests/test-pflash \
	tests/test-edid \
	tests/test-bochs-vbe \
	tests/test-framebuffer \
	tests/test-display-devices \
	tests/test-countdown \
	tests/test-pci \
	tests/test-pci-bus \
	tests/test-pcihp \
	tests/test-pci-monitor \
	tests/test-console \
	tests/test-image \
	tests/test-displays \
	tests/test-pci-copier \
	tests/test-pci-random \
	tests/test-msi \
	tests/test-pci-bridge \
	tests/test-loader \
	tests/test-multiboot \
	tests/test-pc-boot \
	tests/test-acpi \
	tests/test-acpi-pc \
	tests/test-smbios \
	tests/test-vga \
	tests/test-vga-draw \
	tests/test-microvm \
	tests/test-pc \
	tests/qtest/test-qtest-wires \

# Tests of displays, each with that display's objects in it.
ifneq ($(filter sdl,$(DISPLAYS)),)
TESTS_HW += tests/test-display-sdl
endif
ifneq ($(filter curses,$(DISPLAYS)),)
TESTS_HW += tests/test-display-curses
endif
ifneq ($(filter vnc,$(DISPLAYS)),)
TESTS_VNC = tests/test-vnc tests/test-vnc-clients
TESTS_HW += $(TESTS_VNC)
endif

# Tests of a whole machine through qtest, each linked with tests/qtest/qvm.o,
# and through monitors; the program is started by them.
TESTS_QTEST = \
	tests/qtest/test-clients \
	tests/qtest/test-qtest-protocol \
	tests/qtest/test-qtest-serial \
	tests/qtest/test-qtest-rtc \
	tests/qtest/test-qtest-i8042 \
	tests/qtest/test-qtest-cmos \
	tests/qtest/test-qtest-hpet \
	tests/qtest/test-qtest-isa \
	tests/qtest/test-qtest-pit \
	tests/qtest/test-qtest-ps2 \
	tests/qtest/test-qtest-resets \
	tests/qtest/test-qtest-input \
	tests/qtest/test-qtest-misc \
	tests/qtest/test-qtest-fw-cfg \
	tests/qtest/test-qtest-pflash \
	tests/qtest/test-qtest-map \
	tests/qtest/test-qtest-i440fx \
	tests/qtest/test-qtest-piix4 \
	tests/qtest/test-qtest-suspend \
	tests/qtest/test-qtest-pcihp \
	tests/qtest/test-qtest-random \
	tests/qtest/test-qtest-pci \
	tests/qtest/test-qtest-edu \
	tests/qtest/test-qtest-testdevs \
	tests/qtest/test-qtest-bridge \
	tests/qtest/test-qtest-display \
	tests/qtest/test-qtest-vga \

TESTS_QMP = \
	tests/qmp/test-qmp-commands-forms \
	tests/qmp/test-qmp-commands-effects \
	tests/qmp/test-qmp-commands-kvm \
	tests/qmp/test-json-stream \
	tests/qmp/test-qmp-protocol \
	tests/qmp/test-qmp-table \
	tests/qmp/test-qmp-mutations \
	tests/qmp/test-qmp-program \

TESTS_HMP = \
	tests/hmp/test-hmp \
	tests/hmp/test-query-mtree \
	tests/hmp/test-editor \

# Over a stand-in for KVM.
ifeq ($(CONFIG_KVM),yes)
TESTS_GDB = \
	tests/gdb/test-gdb-protocol \
	tests/gdb/test-gdb-run \

endif

# Fuzzers, for `make fuzz`: clang's libFuzzer.
FUZZERS = \
	tests/fuzz/fuzz-kernel \
	tests/fuzz/fuzz-qmp \
	tests/fuzz/fuzz-qtest \

TESTS_MACHINE = $(TESTS_QTEST) $(TESTS_QMP) $(TESTS_HMP) $(TESTS_GDB)

# Tests in a guest: each has the robot, tests/guest/robot.h, built in.
ROBOT_TESTS = \
	tests/test-kvm-access \
	tests/test-kvm-doorbell \
	tests/test-kvm-move \
	tests/test-kvm-dirty \
	tests/test-kvm-cpus \
	tests/test-kvm-exits \
	tests/test-kvm-guest-pc \
	tests/test-kvm-romd \
	tests/test-kvm-smm \
	tests/test-kvm-pc-map \
	tests/test-kvm-vga \
	tests/test-kvm-redraw \

# Tests of KVM, linked like those of devices, where it is built in; they skip
# where /dev/kvm is missing.
TESTS_KVM = \
	tests/test-kvm-slots \
	tests/test-kvm-calls \
	tests/test-kvm-failures \
	tests/test-kvm-run \
	tests/test-kvm-pc \
	tests/test-runstate \
	tests/test-runstate-sleep \
	tests/test-cpu-model \
	$(ROBOT_TESTS) \
	tests/test-kvm-program \
	tests/test-kvm-pci \
	tests/test-kvm-screen \
	tests/test-terminal \

# Shell scripts that print TAP. In the environment: SRC_PATH, BUILD_PATH,
# FLATVIEW (the program), CC and CFLAGS.
TESTS_SH = \
	tests/test-runner.sh \
	tests/test-headers.sh \
	tests/test-docs.sh \
	tests/test-device-docs.sh \
	tests/test-firmware-docs.sh \
	tests/test-seabios.sh \
	tests/test-pc-docs.sh \
	tests/test-options.sh \
	tests/test-display-docs.sh \
	tests/test-display-window.sh \
	tests/test-vnc-viewers.sh \
	tests/test-fdt.sh \
	tests/test-kvm-multiboot.sh \
	tests/test-kvm-linux.sh \
	tests/test-kvm-suspend.sh \
	tests/test-kernel-docs.sh \
	tests/test-peer.sh \
	tests/test-compare-i8042.sh \
	tests/test-compare-serial.sh \
	tests/test-compare-testdevs.sh \
	tests/test-compare-mtree.sh \
	tests/test-mtree-svg.sh \
	tests/test-compare-hpet.sh \
	tests/test-compare-pit.sh \
	tests/test-compare-rtc.sh \
	tests/test-compare-pci.sh \
	tests/test-compare-edu.sh \
	tests/test-compare-bridge.sh \
	tests/test-compare-kernels.sh \
	tests/test-compare-msix.sh \
	tests/test-compare-pcihp.sh \
	tests/test-compare-flash.sh \
	tests/test-compare-chipset.sh \
	tests/test-compare-suspend.sh \
	tests/test-compare-fwcfg.sh \
	tests/test-compare-display.sh \
	tests/test-compare-screen.sh \
	tests/test-compare-vga.sh \
	tests/gdb/session.sh \
	tests/qmp/schema.sh \
	tests/qmp/socat.sh \
	tests/qmp/python.sh \

# Scripts for `make check-rig`, in a complete KVM; see scripts/rig.
TESTS_RIG = \
	tests/rig/boot.sh \
	tests/rig/kvm.sh \
	tests/rig/ovmf.sh \
	tests/rig/power.sh \
	tests/rig/topology.sh \
	tests/rig/pc-boot.sh \
	tests/rig/pc-dmesg.sh \
	tests/rig/gdb.sh \
	tests/rig/pc-devices.sh \
	tests/rig/screen.sh \
	tests/rig/programs.sh \
	tests/rig/suspend.sh \

# Guest programs of our own: tests/guest/NAME.S -> NAME.bin, images for -bios.
GUESTS = \
	tests/guest/hello.bin \
	tests/guest/exit-at-once.bin \
	tests/guest/serial.bin \
	tests/guest/reset.bin \
	tests/guest/cannot-emulate.bin \
	tests/guest/monitor.bin \
	tests/guest/multiboot.bin \
	tests/guest/linux32.bin \
	tests/guest/linux64.bin \
	tests/guest/pci-driver.bin \
	tests/guest/screen.bin \
	tests/guest/suspend.bin \

# Benchmarks: each prints its lines of the table, or JSON with --json.
BENCHES = \
	tests/bench/bench \

# ---- how it is built ---------------------------------------------------------

PROGRAM = flatview-x86_64
# The same under the form of name from which clients take the architecture.
ALIAS = flatview-system-x86_64

# unused-parameter: a callback has the parameters of its type, used or not.
FLAGS = -std=gnu11 $(OPTIMISE) -g -Wall -Wextra -Wno-unused-parameter \
	-D_GNU_SOURCE -pthread \
	-iquote . -iquote $(SRC_PATH) \
	$(if $(filter yes,$(WERROR)),-Werror) $(SANITIZER_FLAGS)
SANITIZER_FLAGS = $(if $(SANITIZERS),-fsanitize=$(SANITIZERS) \
	-fno-sanitize-recover=all -fno-omit-frame-pointer -DRCU_CALLS)
LINK = $(CC) $(FLAGS) $(EXTRA_CFLAGS) -o $@

LIBS = $(FDT_LIBS) $(MONITOR_LIBS) $(UI_LIBS) $(CORE_LIBS)

ifneq ($(V),1)
Q = @
say = @printf '  %-8s %s\n' $(1) $@
endif

all: $(PROGRAM) $(ALIAS) $(MODULES) $(GUESTS)

$(ALIAS): $(PROGRAM)
	$(Q)ln -sf $< $@

$(PROGRAM): $(MAIN_OBJS) libflatview.a libmemory-core.a
	$(call say,LINK)
	$(Q)$(LINK) -rdynamic $(MAIN_OBJS) -Wl,--whole-archive libflatview.a \
		-Wl,--no-whole-archive libmemory-core.a $(EXTRA_LDFLAGS) $(LIBS)

# Modules find what they use of the program in the program that loads them.
$(MODULES): ui-%.so:
	$(call say,MODULE)
	$(Q)$(LINK) -shared $(filter %.o,$^) $(EXTRA_LDFLAGS) $(LIBS_$*)

# A display for tests/test-displays.
tests/ui-probe.so: tests/ui-probe.o
	$(call say,MODULE)
	$(Q)$(LINK) -shared $< $(EXTRA_LDFLAGS)

tests/ui-probe.o: PACKAGE_CFLAGS += -fPIC
tests/test-displays: | tests/ui-probe.so

libmemory-core.a: $(CORE_OBJS)
libflatview.a: $(HW_OBJS) $(UI_OBJS) $(KVM_OBJS) $(QMP_OBJS) $(QMP_COMMAND_OBJS) \
	$(HMP_OBJS) $(QTEST_OBJS) $(GDB_OBJS)
libtest.a: $(TEST_LIB_OBJS)
libmemory-core.a libflatview.a libtest.a:
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(TESTS_CORE): %: %.o libtest.a libmemory-core.a
	$(call say,LINK)
	$(Q)$(LINK) $(filter %.o,$^) libtest.a libmemory-core.a $(TEST_LDFLAGS) \
		$(EXTRA_LDFLAGS) $(CHECK_LIBS) $(CORE_LIBS)

# Tests of devices stand in for the machine, tests in a guest have a real one.
$(TESTS_KVM): TEST_ARCHIVES = libflatview.a libtest.a libmemory-core.a
$(TESTS_HW) $(TESTS_MACHINE) $(BENCHES): TEST_ARCHIVES = libtest.a libflatview.a libmemory-core.a
$(TESTS_GDB): TEST_ARCHIVES = libflatview.a libtest.a libmemory-core.a
$(TESTS_MACHINE): | $(PROGRAM) $(ALIAS)
$(TESTS_QTEST): tests/qtest/qvm.o
tests/qtest/test-qtest-pci tests/qtest/test-qtest-edu tests/qtest/test-qtest-testdevs \
tests/qtest/test-qtest-bridge tests/qtest/test-qtest-vga tests/qtest/test-qtest-display \
tests/qtest/test-qtest-resets: tests/qtest/qpci.o
# A machine inside the test, with the program's own run state.
tests/qtest/test-qtest-wires: TEST_ARCHIVES = libflatview.a libtest.a libmemory-core.a
$(TESTS_HW) $(TESTS_MACHINE) $(TESTS_KVM) $(BENCHES): %: %.o libtest.a libflatview.a libmemory-core.a
	$(call say,LINK)
	$(Q)$(LINK) $(filter %.o,$^) $(TEST_ARCHIVES) \
		$(TEST_LDFLAGS) $(EXTRA_LDFLAGS) $(CHECK_LIBS) $(LIBS)

# Tests over a stand-in for KVM, which need no /dev/kvm.
tests/test-kvm-slots tests/test-kvm-calls tests/test-kvm-failures \
tests/test-kvm-run tests/test-kvm-pc tests/test-runstate tests/test-runstate-sleep \
tests/test-cpu-model: tests/kvm-fake.o
tests/test-kvm-slots tests/test-kvm-calls tests/test-kvm-pc tests/test-runstate \
tests/test-runstate-sleep: tests/kvm-world.o
tests/test-runstate tests/test-runstate-sleep: tests/run-story.o

# The same calls to KVM as the program's, and nothing else: what benchmarks
# compare with. Linked alone.
tests/bench/bare-kvm: tests/bench/bare-kvm.o
	$(call say,LINK)
	$(Q)$(LINK) $^ $(EXTRA_LDFLAGS)

tests/bench/bench: tests/bench/bench-core.o tests/bench/bench-start.o \
	tests/bench/bench-topology.o tests/bench/bench-dirty.o \
	tests/bench/bench-firmware.o \
	tests/bench/bench-control.o tests/bench/bench-display.o tests/kvm-robot.o
# With a guest in it.
tests/bench/bench: TEST_ARCHIVES = libflatview.a libtest.a libmemory-core.a

# A VNC client is part of it where there is a server.
ifneq ($(filter vnc,$(DISPLAYS)),)
tests/bench/bench: tests/bench/bench-vnc.o
tests/bench/bench: TEST_LDFLAGS = -lvncclient
tests/bench/bench.o: PACKAGE_CFLAGS += -DBENCH_VNC
endif

# Built by `make fuzz` only, with clang, in a folder of its own: fuzz/.
$(FUZZERS): %: %.o libflatview.a libmemory-core.a
	$(call say,LINK)
	$(Q)$(LINK) -fsanitize=fuzzer $(filter %.o,$^) libflatview.a \
		libmemory-core.a $(EXTRA_LDFLAGS) $(LIBS)

tests/fuzz/fuzz-qmp: tests/qmp/qmp-world.o

# A test of one's own objects or flags has a line such as
#	tests/test-x: tests/model.o
#	tests/test-x: TEST_LDFLAGS = -Wl,--wrap=ioctl
tests/test-pci tests/test-pci-bus tests/test-pci-random tests/test-pci-monitor \
tests/test-pci-copier tests/test-msi tests/test-pci-bridge tests/test-pcihp: tests/pci-world.o
tests/test-clock: TEST_LDFLAGS = -Wl,--wrap=timerfd_create
tests/test-user-object: TEST_LDFLAGS = -Wl,--wrap=madvise
tests/test-vga-draw: tests/vga-model.o
tests/test-console: TEST_LDFLAGS = -Wl,--wrap=pixman_image_create_bits
tests/test-ram: TEST_LDFLAGS = -Wl,--wrap=mmap,--wrap=munmap,--wrap=ftruncate,--wrap=fstat,--wrap=fstatfs,--wrap=memfd_create,--wrap=fcntl

$(TESTS_VNC): tests/vnc-client.o ui/vnc.o ui/vnc-client.o ui/vnc-listen.o ui/vnc-shadow.o
$(TESTS_VNC): TEST_LDFLAGS = $(LIBS_vnc)

tests/test-display-sdl tests/test-display-curses: tests/display-world.o
tests/test-display-sdl: ui/sdl.o ui/sdl-event-fd.o ui/sdl-keys.o
tests/test-display-sdl: TEST_LDFLAGS = $(LIBS_sdl) \
	-Wl,--wrap=SDL_CreateRenderer,--wrap=SDL_CreateTexture \
	-Wl,--wrap=vm_request_shutdown,--wrap=vm_is_running
tests/test-display-sdl.o: PACKAGE_CFLAGS += $(CFLAGS_sdl)
tests/test-display-curses: ui/curses.o ui/curses-keys.o
tests/test-display-curses: TEST_LDFLAGS = $(LIBS_curses) -lutil

$(ROBOT_TESTS): tests/kvm-robot.o
$(TESTS_QMP): tests/qmp/qmp-client.o
tests/hmp/test-query-mtree: tests/qmp/qmp-client.o
tests/qmp/test-qmp-mutations: tests/qmp/qmp-world.o
$(TESTS_GDB): tests/gdb/gdb-client.o tests/gdb/gdb-world.o tests/kvm-fake.o
tests/test-kvm-move: TEST_LDFLAGS = -Wl,--wrap=kvm_cpu_handle_exit
tests/test-kvm-program tests/test-terminal tests/test-kvm-screen \
tests/qmp/test-qmp-commands-kvm: | $(PROGRAM) $(GUESTS)
tests/test-kvm-screen: tests/qmp/qmp-client.o
tests/test-terminal: TEST_LDFLAGS = -lutil
tests/hmp/test-editor: TEST_LDFLAGS = -lutil
tests/hmp/test-editor: | $(GUESTS)
tests/hmp/test-query-mtree: tests/qmp/qmp-client.o
tests/kvm-robot.o: tests/guest/robot.bin

# Only the core's flags for the core's objects: nothing else is needed there.
$(CORE_OBJS): PACKAGE_CFLAGS = $(CORE_CFLAGS)
hw/core/data-file.o: PACKAGE_CFLAGS += -DFIRMWARE_PATH='"$(FIRMWARE_PATH)"'
ui/display.o: PACKAGE_CFLAGS += -DPREFIX='"$(PREFIX)"'
# ui/vnc.o, ui/vnc-auth.o and so on.
$(foreach display,$(DISPLAYS),$(eval ui/$(display)%o: PACKAGE_CFLAGS += \
	$(CFLAGS_$(display)) -fPIC))
PACKAGE_CFLAGS = $(CORE_CFLAGS) $(FDT_CFLAGS) $(MONITOR_CFLAGS) $(UI_CFLAGS) $(CHECK_CFLAGS)

%.o: %.c config.mak
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(FLAGS) $(PACKAGE_CFLAGS) $(EXTRA_CFLAGS) -MMD -MP -c -o $@ $<

# ACPI source, after the C preprocessor, to a C array, NAME_aml_code, in NAME.hex.h.
%.hex.h: %.dsl config.mak
	@mkdir -p $(@D)
	$(call say,IASL)
	$(Q)$(CC) -E -P -undef -DACPI_COMPILER -x c -iquote $(SRC_PATH) \
		-MMD -MP -MT $@ -MF $(@:.h=.d) -o $(@:.hex.h=.asl) $<
	$(Q)$(IASL) -ve -Pn -tc -p $(@:.hex.h=) $(@:.hex.h=.asl) \
		>$(@:.hex.h=.log) 2>&1 || { cat $(@:.hex.h=.log) >&2; exit 1; }
	$(Q)mv $(@:.hex.h=.hex) $@

hw/i386/microvm.o tests/test-acpi.o: hw/i386/microvm.hex.h
hw/i386/pc-acpi.o tests/test-acpi-pc.o: hw/i386/pc.hex.h

# Code of an option ROM to what a C array is made of.
%.rom.elf: %.S config.mak
	@mkdir -p $(@D)
	$(call say,ROM)
	$(Q)$(GUEST_CC) -m64 -nostdlib -static -no-pie -Wl,--build-id=none -MMD -MP \
		-iquote $(SRC_PATH) -Wl,-Ttext=0,-e,0 -o $@ $<

%.rom.h: %.rom.elf
	$(call say,HEX)
	$(Q)objcopy -O binary -j .text $< $(@:.h=.bin)
	$(Q)od -An -v -t x1 $(@:.h=.bin) | sed 's/ \(..\)/0x\1,/g' >$@

hw/i386/linuxboot.o: hw/i386/linuxboot.rom.h

# A guest program: raw bytes, linked at the address its script says.
GUEST_CC = gcc
tests/guest/%.elf: tests/guest/%.S tests/guest/firmware.ld config.mak
	@mkdir -p $(@D)
	$(call say,GUEST)
	$(Q)$(GUEST_CC) -m64 -nostdlib -static -no-pie -Wl,--build-id=none -MMD -MP \
		-iquote $(SRC_PATH) -Wl,-T,$(SRC_PATH)/tests/guest/firmware.ld -o $@ $<

tests/guest/robot.elf: tests/guest/robot-start.S tests/guest/robot.c \
		$(SRC_PATH)/tests/guest/robot.h tests/guest/robot.ld config.mak
	@mkdir -p $(@D)
	$(call say,GUEST)
	$(Q)$(GUEST_CC) -m64 -std=gnu11 -O1 -Wall -Wextra -ffreestanding -nostdlib \
		-static -no-pie -fno-pic -mno-red-zone -mgeneral-regs-only \
		-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
		-Wl,--build-id=none,-z,noexecstack -iquote $(SRC_PATH) \
		-Wl,-T,$(SRC_PATH)/tests/guest/robot.ld -o $@ $(filter %.S %.c,$^)

tests/guest/multiboot.elf: tests/guest/multiboot.S tests/guest/multiboot.ld config.mak
	@mkdir -p $(@D)
	$(call say,GUEST)
	$(Q)$(GUEST_CC) -m64 -nostdlib -static -no-pie \
		-Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments,-e,0 \
		-Wl,-T,$(SRC_PATH)/tests/guest/multiboot.ld -o $@ $(filter %.S,$^)

tests/guest/linux32.elf: GUEST_XLOADFLAGS = 0
tests/guest/linux64.elf: GUEST_XLOADFLAGS = 1
tests/guest/linux32.elf tests/guest/linux64.elf: tests/guest/linux.S \
		tests/guest/linux.ld config.mak
	@mkdir -p $(@D)
	$(call say,GUEST)
	$(Q)$(GUEST_CC) -m64 -nostdlib -static -no-pie -DXLOADFLAGS=$(GUEST_XLOADFLAGS) \
		-Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments,-e,0 \
		-Wl,-T,$(SRC_PATH)/tests/guest/linux.ld -o $@ $(filter %.S,$^)

tests/guest/pci-driver.elf tests/guest/screen.elf tests/guest/suspend.elf: \
		tests/guest/%.elf: tests/guest/%.c \
		tests/guest/pci-driver.ld config.mak
	@mkdir -p $(@D)
	$(call say,GUEST)
	$(Q)$(GUEST_CC) -m32 -std=gnu11 -O1 -Wall -Wextra -Wno-unused-parameter \
		-ffreestanding -nostdlib -static -no-pie -fno-pic -mgeneral-regs-only \
		-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
		-Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments,-e,0 -MMD -MP \
		-iquote $(SRC_PATH) \
		-Wl,-T,$(SRC_PATH)/tests/guest/pci-driver.ld -o $@ $(filter %.c,$^)

.PRECIOUS: tests/guest/%.elf %.rom.elf
tests/guest/%.bin: tests/guest/%.elf
	$(call say,OBJCOPY)
	$(Q)objcopy -O binary $< $@

# ---- what is made ------------------------------------------------------------

CHECK_PROGRAMS = $(TESTS_CORE) $(TESTS_HW) $(TESTS_MACHINE) \
	$(if $(filter yes,$(CONFIG_KVM)),$(TESTS_KVM))

test_environment = SRC_PATH=$(SRC_PATH) BUILD_PATH=$(CURDIR) \
	FLATVIEW=$(CURDIR)/$(PROGRAM) CC="$(CC)" \
	CFLAGS="$(FLAGS) $(PACKAGE_CFLAGS) $(EXTRA_CFLAGS)" SANITIZERS=$(SANITIZERS) \
	DISPLAYS="$(DISPLAYS)" \
	DISPLAY_CFLAGS="$(foreach display,$(DISPLAYS),$(CFLAGS_$(display)))" \
	TESTS_KVM="$(TESTS_KVM)"

# TESTS="tests/test-a tests/test-b" runs only these.
check: all $(CHECK_PROGRAMS)
	@$(test_environment) $(SRC_PATH)/tests/run-tests \
		$(or $(TESTS),$(CHECK_PROGRAMS) $(TESTS_SH))

# More random sequences than anybody waits for; FLATVIEW_SEQUENCES=N for others.
check-slow: tests/test-random
	FLATVIEW_SEQUENCES=$${FLATVIEW_SEQUENCES:-100000} ./tests/test-random

check-rig: all $(CHECK_PROGRAMS)
	@$(test_environment) RIG_AGAIN=yes $(SRC_PATH)/tests/run-tests --timeout 900 \
		$(or $(TESTS),$(TESTS_RIG))

bench: all $(BENCHES) tests/bench/bare-kvm
	@for bench in $(BENCHES); do \
		$(test_environment) ./$$bench $(BENCH_ARGS) || exit; \
	done

# FUZZ_ARGS: more of libFuzzer's options, such as -max_total_time=600. Words that
# a fuzzer knows are in NAME.dict.
FUZZ_CC = clang
FUZZ_RUNS = 1000000
fuzz:
	mkdir -p fuzz
	cd fuzz && $(SRC_PATH)/configure --cc="$(FUZZ_CC)" \
		--enable-sanitizers=address,undefined \
		--extra-cflags=-fsanitize=fuzzer-no-link
	$(MAKE) -C fuzz $(FUZZERS)
	@for fuzzer in $(FUZZERS); do \
		words=$(SRC_PATH)/$$fuzzer.dict; \
		[ -e $$words ] && words=-dict=$$words || words=; \
		./fuzz/$$fuzzer -runs=$(FUZZ_RUNS) -detect_leaks=0 $$words $(FUZZ_ARGS) || \
			exit; \
	done

# Boots of a stock kernel beside QEMU's, in the rig. Takes minutes.
bench-rig: all
	@$(test_environment) $(SRC_PATH)/tests/bench/boot-peers $(BENCH_ARGS)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install $(PROGRAM) $(DESTDIR)$(PREFIX)/bin
	install -d $(DESTDIR)$(PREFIX)/lib/flatview
	rm -f $(DESTDIR)$(PREFIX)/lib/flatview/ui-*.so
	for module in $(MODULES); do \
		install -m 644 $$module $(DESTDIR)$(PREFIX)/lib/flatview || exit; \
	done
	ln -sf $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/$(ALIAS)
	install -m 644 $(SRC_PATH)/docs/flatview.1 \
		$(DESTDIR)$(PREFIX)/share/man/man1/$(PROGRAM).1

BUILD_DIRS = . hw/* ui monitor target-i386 tests tests/guest tests/bench tests/qtest \
	tests/qmp tests/hmp tests/gdb tests/fuzz
clean:
	rm -f $(PROGRAM) $(ALIAS) ui-*.so $(TESTS_CORE) $(TESTS_HW) $(TESTS_MACHINE) $(TESTS_KVM) \
		$(BENCHES) $(FUZZERS) tests/bench/bare-kvm
	rm -f $(foreach dir,$(BUILD_DIRS),$(addprefix $(dir)/,*.o *.d *.a *.hex.h *.rom.h \
		*.asl *.aml *.log *.elf *.bin))

distclean: clean
	rm -f config.mak configured
	rm -rf cache fuzz

help:
	@echo 'all              the program, $(PROGRAM), and guests (default)'
	@echo 'libmemory-core.a the memory core, to link with glib and liburcu'
	@echo 'check            the tests; TESTS="tests/test-x ..." for some of them'
	@echo 'check-slow       100,000 random graphs against the classic way; minutes'
	@echo 'check-rig        tests that boot Linux, in an emulated machine with KVM'
	@echo 'bench            figures of speed and size; BENCH_ARGS=--json'
	@echo 'bench-rig        boots of a stock kernel beside those of QEMU, in the rig'
	@echo 'fuzz             a million inputs for each fuzzer; FUZZ_RUNS=, FUZZ_ARGS='
	@echo 'install          the program and its man page; DESTDIR= is honoured'
	@echo 'clean, distclean remove what make, or configure as well, has made'
	@echo 'V=1              show the commands'

.PHONY: all check check-slow check-rig bench bench-rig fuzz install clean distclean help

-include $(foreach dir,$(BUILD_DIRS),$(wildcard $(dir)/*.d))
