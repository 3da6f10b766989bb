#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command line: what is refused, and in which words; what help lists; that
# the man page and the help have the same options; what a run does with them.
# Needs FLATVIEW, SRC_PATH and BUILD_PATH, which make check sets.

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0

point() {
    number=$((number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        sed 's/^/# /' "$scratch/out" "$scratch/err"
    fi
}

run() {
    timeout 60 "$FLATVIEW" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
    status=$?
}

# refused MESSAGE OPTION...: one line on standard error and nothing else, the
# message a regular expression for all of it, status 1.
refused() {
    message=$1
    shift
    run "$@"
    [ "$status" = 1 ] && [ ! -s "$scratch/out" ] &&
        [ "$(wc -l <"$scratch/err")" = 1 ] &&
        grep -q -x -e "flatview-x86_64: $message" "$scratch/err"
    point $? "refused: $*"
}

# printed REGEX OPTION...: a line of standard output, nothing on standard error,
# status 0.
printed() {
    line=$1
    shift
    run "$@"
    [ "$status" = 0 ] && [ ! -s "$scratch/err" ] &&
        grep -q -x -e "$line" "$scratch/out"
    point $? "printed: $*"
}

# ---- wrong words ------------------------------------------------------------------

refused "-kernal: there is no such option; did you mean '-kernel'?" -kernal x
refused "--bois: there is no such option; did you mean '-bios'?" --bois x
refused "-qqqqqqqq: there is no such option; '-help' lists what there is" -qqqqqqqq
refused "'disk.img' is no option; options start with '-'" disk.img
refused "'-' is no option.*" -
refused "'' is no option.*" ""
for option in machine M accel cpu smp m mem-path name kernel initrd append bios \
    serial debugcon device display d D uuid rtc chardev monitor qmp qmp-pretty mon gdb \
    boot fw_cfg option-rom smbios drive pflash qtest qtest-log object global readconfig vga audio pidfile; do
    refused "-$option: what follows is missing: .*" "-$option"
    [ $option = append ] || refused "-$option: what follows is empty: .*" "-$option" ""
done

refused ".*no machine is called 'microvn'; did you mean 'microvm'?" -M microvn
refused ".*machine 'microvm' has no property 'dumpdbt'; did you mean 'dumpdtb'?" \
    -machine microvm,dumpdbt=x
refused ".*no accelerator is called 'tcg'; there are 'kvm' and 'qtest'" -machine accel=tcg
refused "-accel hax: no accelerator is called 'hax'; there are 'kvm' and 'qtest'" -accel hax
refused "-accel qtets: .*; did you mean 'qtest'?" -accel qtets
refused "-accel has no property 'dirty-ring-sise'; did you mean 'dirty-ring-size'?" \
    -accel kvm,dirty-ring-sise=4096
refused ".*'dirty-ring-size' cannot be '65537'.* 65536 .*" -accel kvm,dirty-ring-size=65537
refused "-m: property 'size' cannot be '3X'.*K, M, G or T.*" -m 3X
refused "-m 0: '0' is no size for memory" -m 0
refused "-m has no property 'sise'; did you mean 'size'?" -m sise=4
refused "-smp 0: a machine has at least one vCPU" -smp 0
refused "-smp: property 'cpus' cannot be '-1'.*" -smp -1
refused "-smp: property 'cpus' cannot be '4294967296'.*" -smp 4294967296
refused "-smp has no property 'core'; did you mean 'cores'?" -smp core=4
refused "-smp .*: maxcpus=4 differs from cpus=2.*" -smp 2,maxcpus=4
refused "-smp .*: sockets.* make a number other than cpus=3" -smp 3,sockets=2,cores=2
refused ".*machine 'microvm': property 'dumpdtb' needs a value: dumpdtb=..." \
    -M microvm,dumpdtb
refused "-m: property 'size' needs a value: size=..." -m 1G,size
refused ".*'id' needs a value: id=..." -M "dumpdtb=$scratch/dtb" -device isa-debug-exit,id
refused ".*no machine.*" -M microvm,type
refused "machine 'microvm' has 1 to 64 CPUs, not 65" -M "dumpdtb=$scratch/dtb" -smp 65
for topology in sockets=3 cores=5 threads=8 cores=3,threads=1 sockets=4,dies=2; do
    refused "-smp .*: sockets.* make a number other than cpus=4" -smp 4,$topology
done
refused "-name has no property 'gust'; did you mean 'guest'?" -name gust=x
refused "-display: there is no display 'sld'.*" -M pc -accel qtest -display sld
refused "-vga std: machine 'microvm' has no bus for a display card; machine 'pc' has" -vga std
refused "-vga cirrus: no display card is called 'cirrus' here; .*" -vga cirrus
refused "-nographic and -vnc exclude each other: leave out one" -nographic -vnc :1
refused "-display curses: a process in the background has no terminal; .*" \
    -display curses -daemonize
refused "-display curses: character device 'serial0' is on the terminal that .*" \
    -display curses -serial stdio
refused "-audio alsa: 'alsa' cannot be chosen; there is 'none'" -audio alsa
refused "-boot cdd: order: 'cdd' are not letters from a to p, each once" -boot cdd
refused "-boot once=C: once: 'C' are not letters.*" -boot once=C
refused "-boot has no property 'menue'; did you mean 'menu'?" -boot menue=on
refused "-boot .*: splash-time: '65536' is no number of .* to 65535" -boot splash-time=65536
refused "-boot .*: reboot-timeout: '-2' is no number of .*" -boot reboot-timeout=-2
refused "-fw_cfg opt/a: it wants name=NAME, and one of file=.*" -fw_cfg opt/a
refused "-fw_cfg .*: it wants name=NAME, and one of.*" -fw_cfg opt/a,file=x,string=y
refused "-fw_cfg .*: it wants name=NAME.*" -fw_cfg string=y
refused "-option-rom bootindex=1: romfile=FILE is missing: .*" -option-rom bootindex=1
refused "-option-rom .*: bootindex=1 is that of 'a', too" -option-rom a,bootindex=1 \
    -option-rom b,bootindex=1
refused "-option-rom b/x: without its folder its name is that of 'a/x', .*" -option-rom a/x \
    -option-rom b/x
refused "-option-rom: .*there is no 'nowhere.rom' here or in .*" -M pc -option-rom nowhere.rom
refused "-option-rom: option ROM .*: is larger than 131072 bytes" -M pc \
    -option-rom "$(readlink -f /bin/bash)"
refused "-option-rom: machine 'microvm' has no firmware.*" -M microvm -option-rom a
refused "-machine: machine 'microvm' has no property 'hpet'.*" -M microvm -no-hpet
refused "-smbios x: it wants file=FILE, or type= .*" -smbios x
refused "-smbios type=1,uuid=1: uuid=1: it is no UUID.*" -smbios type=1,uuid=1
refused "-smbios file '/nowhere': .*No such file.*" -M pc -smbios file=/nowhere
refused "-smbios file '/dev/zero': .*" -M pc -smbios file=/dev/zero
printf '\001\004\000\001\000\000' >"$scratch/type1"
refused "-smbios file '.*/type1': it says all of type 1, and so does type=1 .*" -M pc \
    -smbios "file=$scratch/type1" -smbios type=1,serial=2
# One structure that is too large for the tables that firmware gets; one that is for those
# without firmware, which say that; and one with which they have 65535 bytes, which is too
# much for where they are.
size=65500 all=65535
for words in "at most 65535" "at most 65535" "without firmware [0-9]*"; do
    size=$((size - (all - 65535)))
    {
        printf '\200\004\000\200'
        head -c $((size - 6)) /dev/zero | tr '\0' x
        printf '\0\0'
    } >"$scratch/large"
    refused "-smbios: all structures have [0-9]* bytes; $words fit" -M pc \
        -kernel /nowhere -smbios "file=$scratch/large"
    all=$(sed 's/.* have \([0-9]*\) bytes.*/\1/' "$scratch/err")
done
refused "-smbios: machine 'microvm' has no firmware.*" -M microvm -smbios type=1
refused "-fw_cfg: machine 'microvm' has no firmware.*" -M microvm -fw_cfg opt/a,string=y
refused "-drive file=x: if=: only if=pflash is there" -drive file=x
refused "-drive .*: if=ide: only if=pflash is there" -drive if=ide,file=x
refused "-drive .*: format=qcow2: only raw files are known" -drive if=pflash,file=x,format=qcow2
refused "-drive .*: file=FILE is missing: the image" -drive if=pflash
refused "-drive: property 'unit' cannot be '2'.*" -drive if=pflash,unit=2,file=x
refused "-drive: machine 'microvm' has no firmware.*" -M microvm -pflash x
refused "-uuid 1-2: '1-2' is no UUID: .*" -uuid 1-2
refused "-rtc base=then: .*" -rtc base=then
refused "-mon mode=control: chardev=ID is missing.*" -mon mode=control
refused "-mon x,mode=tty: mode is 'readline' or 'control', not 'tty'" -mon x,mode=tty
refused "-mon has no property 'pritty'; did you mean 'pretty'?" -mon x,pritty=on
refused "-object id=a: what it is is missing: 'qom-type=...'.*" -object id=a
refused "-global x: .*" -global x
refused "-readconfig /nonexistent: cannot read '/nonexistent': No such file or directory" \
    -readconfig /nonexistent
refused "-d unasigned: there is no 'unasigned' to trace; did you mean 'unassigned'?" \
    -d unasigned
refused "-d map,zzzzzz: there is no 'zzzzzz' to trace; '-d help' lists what there is" \
    -d map,zzzzzz
refused "-append needs -kernel" -append x
refused "-initrd needs -kernel" -initrd x
refused "-kernel and -bios exclude each other on machine 'microvm'.*" -kernel x -bios x

# ---- what does not fit, without KVM: the device tree is all that is asked for -------

dumpdtb="-M microvm,dumpdtb=$scratch/dtb"
# shellcheck disable=SC2086
{
    refused "-device isa-debug-exiy: .*did you mean 'isa-debug-exit'?" $dumpdtb \
        -device isa-debug-exiy
    refused "-device .*: .*no property 'iobas'; did you mean 'iobase'?" $dumpdtb \
        -device isa-debug-exit,iobas=4
    refused "-device .*: ports 0x3f8 to 0x3f9 are not free.*" $dumpdtb \
        -serial null -device isa-debug-exit,iobase=0x3f8
    refused "-device i8042: .*'i8042' is a part of the board.*" $dumpdtb -device i8042
    refused "-device iobase=4: what it is is missing: 'driver=...'.*" -device iobase=4
    refused "-device .*: Duplicate device ID 'a': it is in use by device 'isa-debug-exit'; choose another" \
        $dumpdtb -device isa-debug-exit,id=a -device isa-debug-exit,iobase=0x700,id=a
    refused "-debugcon floppy: .*there is no kind 'floppy'.*" $dumpdtb -debugcon floppy
    refused "-debugcon chardev:x: .*'x'.*" $dumpdtb -debugcon chardev:x
    refused "-serial chardev:x: .*'x'.*" -accel qtest -serial chardev:x
    refused "-chardev nul,id=x: .*'nul'.*" $dumpdtb -chardev nul,id=x
    refused "-chardev null: .*id.*" $dumpdtb -chardev null
    refused "-chardev null,id=x: .*'x'.*" $dumpdtb -chardev null,id=x -chardev null,id=x
    refused "-mon: there is no character device 'x'; -chardev makes one" $dumpdtb -mon x
    refused "-qmp floppy: .*there is no kind 'floppy'.*" $dumpdtb -qmp floppy
    refused "-monitor unix:/nonexistent/s: .*/nonexistent/s: No such file.*" $dumpdtb \
        -monitor unix:/nonexistent/s
    refused "-gdb floppy: .*there is no kind 'floppy'.*" $dumpdtb -gdb floppy
    refused "-qtest needs -accel qtest" -qtest null
    refused "-qtest-log: cannot write '/nonexistent/log': No such file or directory" \
        -accel qtest -qtest null -qtest-log /nonexistent/log
    refused "-object nothing,id=x: .*nothing.*" $dumpdtb -object nothing,id=x
    refused "-pidfile: cannot write '/nonexistent/pid': No such file or directory" $dumpdtb \
        -pidfile /nonexistent/pid
    refused "-pidfile: cannot write '/dev/null': .*" $dumpdtb -pidfile /dev/null
    refused "-daemonize: character device 'serial0' is on standard input and output.*" \
        -daemonize -accel qtest -serial stdio
    refused "kernel '/nonexistent': cannot be opened: No such file or directory" $dumpdtb \
        -kernel /nonexistent
    refused "kernel '/dev/null': is not a regular file" $dumpdtb -kernel /dev/null
    refused "kernel '.*': neither a Linux bzImage .* nor an ELF file .*" $dumpdtb \
        -kernel "$SRC_PATH/COPYING"
    refused "firmware '/nonexistent': cannot be opened.*" $dumpdtb -bios /nonexistent
    refused "-m: machine 'microvm' has at least 1 MiB of memory" $dumpdtb -m 1020K
    refused "-serial: machine 'microvm' has 4 serial ports, not 5" $dumpdtb \
        -serial null -serial null -serial null -serial null -serial null
    refused "-D: cannot write '/nonexistent/trace': No such file or directory" $dumpdtb \
        -d map -D /nonexistent/trace
    refused ".*'/nonexistent/ram' cannot be opened: No such file or directory.*" $dumpdtb \
        -mem-path /nonexistent/ram
    refused "dumpdtb: cannot write '/nonexistent/dtb': No such file or directory" -M microvm,dumpdtb=/nonexistent/dtb
    mkfifo "$scratch/fifo"
    refused "-D: cannot write '.*/fifo': it is a FIFO that nobody reads" $dumpdtb \
        -d map -D "$scratch/fifo"
    refused "-qtest-log: cannot write '.*/fifo': it is a FIFO that nobody reads" \
        -accel qtest -qtest-log "$scratch/fifo"
    refused "dumpdtb: cannot write '.*/fifo': it is a FIFO that nobody reads" \
        -M "microvm,dumpdtb=$scratch/fifo"
}

# ---- help --------------------------------------------------------------------------------

printed "flatview-x86_64 version [0-9].*" -version
printed "usage: flatview-x86_64 .*" -help
printed "usage: flatview-x86_64 .*" --help
printed "usage: flatview-x86_64 .*" -h
printed "microvm  *[A-Z].*" -machine help
printed " *dumpdtb=<text> .*" -M microvm,help
printed "kvm" -accel help
printed " *dirty-ring-size=<number> .*" -accel kvm,help
printed "qtest" -accel help
printed "none .*" -display help
printed "std .*" -vga help
printed "socket .*" -chardev help
printed "memory-backend-ram .*" -object help
printed " *size=<size> .*" -object memory-backend-ram,help
printed ".*query-status.*" -qmp help
printed ".*clock.*" -rtc help
printed "exit-map  *the.*" -d help
printed "isa-debug-exit  *.*" -device help
printed " *iosize=<number> .*" -device isa-debug-exit,help

# The options of -help, and those that head a paragraph of the man page.
run -help
sed -n 's/^-\([a-zA-Z-]*\).*/\1/p' "$scratch/out" | sort -u >"$scratch/help"
awk '/^\.TP/ { head = 1; next } head { print; head = 0 }' "$SRC_PATH/docs/flatview.1" |
    sed 's/\\f.//g; s/\\-/-/g' | grep -o ' -[a-zA-Z][a-zA-Z-]*' |
    sed 's/^ -//' | sort -u >"$scratch/man"
[ -s "$scratch/help" ] &&
    diff "$scratch/help" "$scratch/man" >"$scratch/out" 2>"$scratch/err"
point $? "the man page has the options that -help has"

# ---- files of settings -------------------------------------------------------------------

cat >"$scratch/config" <<END
# what would be five options
[machine]
  dumpdtb = "$scratch/config-dtb"
[chardev "log"]
  backend = "file"
  path = "$scratch/config-log"
[device "debug"]
  driver = "isa-debugcon"
  chardev = "log"
[memory]
  size = "64M"
[global]
  driver = "isa-debug-exit"
  property = "iobase"
  value = "0x700"
END
run -readconfig "$scratch/config" -serial null -device isa-debug-exit -d map
[ "$status" = 0 ] && [ -s "$scratch/config-dtb" ] && [ -e "$scratch/config-log" ] &&
    grep -q "0x0000000000000000-0x0000000003ffffff ram" "$scratch/err" &&
    grep -q "0x00000000000000e9-0x00000000000000e9 isa-debugcon" "$scratch/err" &&
    grep -q "0x0000000000000700-0x0000000000000701 isa-debug-exit" "$scratch/err"
point $? "-readconfig says what options would"
echo '[device]
driver = "isa-debug-exiy"' >"$scratch/config"
refused ".*isa-debug-exiy.*did you mean 'isa-debug-exit'.*" -readconfig "$scratch/config" \
    -M "dumpdtb=$scratch/dtb"
echo '
[devise]
driver = "x"' >"$scratch/config"
refused "-readconfig .*/config: .*/config:2: \[devise\]: .*did you mean '-device'?" \
    -readconfig "$scratch/config"
(
    sleep 0.3
    echo '[name]'
    sleep 0.3
    echo 'gust = "x"'
) | {
    "$FLATVIEW" -readconfig /dev/stdin 2>"$scratch/err"
    grep -q "did you mean 'guest'" "$scratch/err"
}
point $? "-readconfig waits for what a pipe brings"
echo '[kernel]
path = "x"' >"$scratch/config"
refused ".*/config:1: \[kernel\]: the option '-kernel' has no settings.*" \
    -readconfig "$scratch/config"

# ---- in the background -------------------------------------------------------------------

# Its own process id, a machine that answers, and a file that goes with it.
run -accel qtest -nodefaults -daemonize -pidfile "$scratch/pid" \
    -qmp "unix:$scratch/qmp,server=on,wait=off"
pid=$(cat "$scratch/pid")
[ "$status" = 0 ] && [ ! -s "$scratch/err" ] && kill -0 "$pid" && [ -S "$scratch/qmp" ]
point $? "-daemonize: the command ends, the machine is there"
refused "-pidfile .*/pid: another process that runs keeps this file.*" -accel qtest \
    -pidfile "$scratch/pid" -nodefaults
[ "$(readlink "/proc/$pid/fd/0" "/proc/$pid/fd/1" "/proc/$pid/fd/2" "/proc/$pid/cwd" |
    tr '\n' ' ')" = "/dev/null /dev/null /dev/null / " ]
point $? "-daemonize: no terminal, no directory is held"
kill "$pid"
tries=100
while kill -0 "$pid" 2>/dev/null && [ $tries -gt 0 ]; do
    sleep 0.1
    tries=$((tries - 1))
done
[ $tries -gt 0 ] && [ ! -e "$scratch/pid" ] && [ ! -e "$scratch/qmp" ]
point $? "-daemonize: at its end, the files are gone"
echo 12345678 >"$scratch/pid"
run -accel qtest -nodefaults -daemonize -pidfile "$scratch/pid" -M nosuch
[ "$status" = 1 ] && grep -q "no machine is called 'nosuch'" "$scratch/err"
point $? "-daemonize: what fails before is told in the foreground"
[ ! -e "$scratch/pid" ]
point $? "-pidfile: none is left of a start that failed"
run -daemonize -M "microvm,dumpdtb=$scratch/dtb-daemon"
[ "$status" = 0 ] && [ -s "$scratch/dtb-daemon" ]
point $? "-daemonize: the status of what ends at once"

# gone PID: it ends, within a time that nothing needs. A zombie has ended.
gone() {
    tries=100
    while [ $tries -gt 0 ] && ! grep -qs '^State:.*Z' "/proc/$1/status" &&
        kill -0 "$1" 2>/dev/null; do
        sleep 0.1
        tries=$((tries - 1))
    done
    [ $tries -gt 0 ]
}

# A socket of the directory that it was started in goes, too.
mkdir "$scratch/here"
(cd "$scratch/here" && run -accel qtest -nodefaults -daemonize -pidfile pid \
    -qmp unix:socket,server=on,wait=off)
[ -S "$scratch/here/socket" ] && pid=$(cat "$scratch/here/pid") && kill "$pid" &&
    gone "$pid" && [ ! -e "$scratch/here/socket" ] && [ ! -e "$scratch/here/pid" ]
point $? "-daemonize: at its end, files with a relative path are gone"

# Who interrupts the command gets rid of what waits for a connection.
"$FLATVIEW" -accel qtest -nodefaults -daemonize -pidfile "$scratch/pid" \
    -qmp "unix:$scratch/wait,server=on" 2>/dev/null &
command=$!
tries=100
while [ ! -S "$scratch/wait" ] && [ $tries -gt 0 ]; do
    sleep 0.1
    tries=$((tries - 1))
done
pid=$(cat "$scratch/pid") && kill $command && gone "$pid" && [ ! -e "$scratch/wait" ]
point $? "-daemonize: it ends with a command that is interrupted"

# The first serial port leaves standard input and output to whoever was given them.
echo quit | timeout 60 "$FLATVIEW" -accel qtest -monitor stdio >"$scratch/out" 2>"$scratch/err"
[ $? = 0 ] && [ ! -s "$scratch/err" ]
point $? "-monitor stdio: the serial port is elsewhere"

# The map that docs/microvm.md shows.
run -M "microvm,dumpdtb=$scratch/dtb" -m 6G -serial null -d exit-map -D "$scratch/map"
sed '$d' "$scratch/map" >"$scratch/map-here"
sed -n '/^flat-view: memory/,/^```/p' "$SRC_PATH/docs/microvm.md" | sed '$d' |
    diff - "$scratch/map-here" >"$scratch/out" 2>"$scratch/err" && [ -s "$scratch/map" ]
point $? "docs/microvm.md shows the map that there is"

# ---- a run -------------------------------------------------------------------------------

# Why no guest can run here, if so.
no_kvm=
if "$FLATVIEW" -cpu help 2>&1 | grep -q "built without KVM"; then
    no_kvm="built without KVM"
elif ! [ -r /dev/kvm ] || ! [ -w /dev/kvm ]; then
    no_kvm="no /dev/kvm"
fi

kvm_point() {
    if [ -z "$no_kvm" ]; then
        point "$1" "$2"
    else
        number=$((number + 1))
        echo "ok $number - $2 # SKIP $no_kvm"
    fi
}

run -cpu help
[ "$status" = 0 ] && grep -q '^ *host ' "$scratch/out"
kvm_point $? "-cpu help lists models"

# ran REGEX OPTION...: status 0, and a line of the guest's console.
ran() {
    line=$1
    shift
    run -bios "$BUILD_PATH/tests/guest/hello.bin" "$@"
    [ "$status" = 0 ] && grep -q -e "$line" "$scratch/out"
    kvm_point $? "ran: $*"
}

ran "I see 128 MiB of memory"
ran "I see 32 MiB of memory" -m 32
ran "I see 32 MiB of memory" --m size=32
ran "I see 2 MiB of memory" -m 2048K
ran "I see 3072 MiB of memory" -m 5G
ran "I see 16 MiB of memory" -M microvm,accel=kvm -accel kvm -cpu host -smp 2,sockets=1 \
    -m 16M -nographic -display none -no-user-config -name guest=a,,b,debug-threads=on -no-reboot
ran "I see 16 MiB of memory" -nodefaults -serial stdio -m 16 -m 32 -m 16

# What is there is written to, not replaced: it may be a device.
ln -s dtb-target "$scratch/dtb-link"
run -M "microvm,dumpdtb=$scratch/dtb-link"
[ "$status" = 0 ] && [ -L "$scratch/dtb-link" ] && [ -s "$scratch/dtb-target" ]
point $? "dumpdtb writes through a link"
if [ -c /dev/full ]; then
    refused "dumpdtb: cannot write '/dev/full': No space left on device" \
        -M microvm,dumpdtb=/dev/full
fi

# A second -machine adds to the first; a comma in a value comes in a pair.
run -M microvm -machine "dumpdtb=$scratch/a,,b"
[ "$status" = 0 ] && [ -s "$scratch/a,b" ]
point $? "a comma in a file's name"

run -bios "$BUILD_PATH/tests/guest/hello.bin" -nodefaults
[ "$status" = 0 ] && [ ! -s "$scratch/out" ]
kvm_point $? "-nodefaults: no console"

run -bios "$BUILD_PATH/tests/guest/hello.bin" -serial "file:$scratch/console"
[ "$status" = 0 ] && grep -q "I see 128 MiB" "$scratch/console"
kvm_point $? "-serial file:"

run -bios "$BUILD_PATH/tests/guest/hello.bin" -serial none -d exit-map
[ "$status" = 0 ] && grep -q "00000000ffff0000-00000000ffffffff (rom): bios" "$scratch/err" &&
    ! grep -q isa-serial "$scratch/err"
kvm_point $? "-d exit-map shows a machine without a serial port"

run -bios "$BUILD_PATH/tests/guest/hello.bin" -serial none -d unassigned -D "$scratch/trace"
[ "$status" = 0 ] && [ ! -s "$scratch/err" ] &&
    grep -q -x "unassigned write ports 0x3f. size 1" "$scratch/trace"
kvm_point $? "-d unassigned sees the missing serial port"

run "-M" "microvm,dumpdtb=$scratch/dtb" -m 64 -d map -device isa-debug-exit
[ "$status" = 0 ] &&
    grep -q -x "map add memory 0x0000000000000000-0x0000000003ffffff ram" "$scratch/err" &&
    grep -q -x "map add ports 0x0000000000000501-0x0000000000000502 isa-debug-exit" \
        "$scratch/err"
point $? "-d map sees what joins the map"

echo "1..$number"
