/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine that anything is sent to. See qmp-world.h.
 */
#include "tests/qmp/qmp-world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "monitor/monitor.h"

#define NOBODY 65534

const char *const qmp_corpus[] = {
    "{'execute':'qmp_capabilities','arguments':{'enable':['oob']}}",
    "{\"execute\":\"query-commands\",\"id\":1}",
    "{'execute':'query-events'}",
    "{'execute':'query-qmp-schema'}",
    "{'execute':'query-version','id':[1,{'a':null,'b':-1.5e3}]}",
    "{'execute':'query-status','id':\"\\u00e7\\ud83d\\ude00\\n\"}",
    "{'exec-oob':'query-status','id':18446744073709551615}",
    "{'execute':'stop'}{'execute':'cont'}",
    "{'execute':'cont'}",
    "{'execute':'system_reset'}",
    "{'execute':'system_powerdown'}",
    "{'execute':'system_wakeup'}",
    "{'execute':'quit'}",
    "{'execute':'inject-nmi'}",
    "{'execute':'query-name'}",
    "{'execute':'query-uuid'}",
    "{'execute':'query-kvm'}",
    "{'execute':'query-target'}",
    "{'execute':'query-machines'}",
    "{'execute':'query-current-machine'}",
    "{'execute':'query-cpus-fast'}",
    "{'execute':'query-cpu-definitions'}",
    "{'execute':'query-hotpluggable-cpus'}",
    "{'execute':'query-chardev'}",
    "{'execute':'query-chardev-backends'}",
    "{'execute':'query-iothreads'}",
    "{'execute':'query-memory-size-summary'}",
    "{'execute':'query-memory-devices'}",
    "{'execute':'query-memdev'}",
    "{'execute':'query-pci'}",
    "{'execute':'query-command-line-options'}",
    "{'execute':'query-command-line-options','arguments':{'option':'machine'}}",
    "{'execute':'query-block'}",
    "{'execute':'query-tpm-models'}{'execute':'query-tpm-types'}",
    "{'execute':'query-tpm-types'}",
    "{'execute':'qom-list','arguments':{'path':'/machine'}}",
    "{'execute':'qom-list','arguments':{'path':'rtc'}}",
    "{'execute':'qom-list-types','arguments':{'implements':'device','abstract':true}}",
    "{'execute':'qom-list-types'}",
    "{'execute':'qom-list-properties','arguments':{'typename':'isa-serial'}}",
    "{'execute':'qom-get','arguments':{'path':'/machine','property':'type'}}",
    "{'execute':'qom-get','arguments':{'path':'/machine','property':'memory-size'}}",
    "{'execute':'qom-set','arguments':{'path':'/machine','property':'x','value':1}}",
    "{'execute':'device-list-properties','arguments':{'typename':'isa-debugcon'}}",
    "{'execute':'device_add','arguments':{'driver':'isa-debug-exit','id':'d0',"
    "'iobase':1280,'iosize':4}}",
    "{'execute':'device_add','arguments':{'driver':'isa-debugcon','id':'d1',"
    "'iobase':'0x402','chardev':'c0'}}",
    "{'execute':'device_del','arguments':{'id':'d0'}}",
    "{'execute':'object-add','arguments':{'qom-type':'memory-backend-ram',"
    "'id':'m0','size':65536}}",
    "{'execute':'object-del','arguments':{'id':'m0'}}",
    "{'execute':'memsave','arguments':{'val':0,'size':16,'filename':'a','cpu-index':0}}",
    "{'execute':'pmemsave','arguments':{'val':4096,'size':16,'filename':'b'}}",
    "{'execute':'chardev-add','arguments':{'id':'c0','backend':{'type':'ringbuf',"
    "'data':{'size':1024}}}}",
    "{'execute':'chardev-add','arguments':{'id':'c1','backend':{'type':'null',"
    "'data':{}}}}",
    "{'execute':'chardev-add','arguments':{'id':'c2','backend':{'type':'file',"
    "'data':{'out':'c','append':true}}}}",
    "{'execute':'chardev-add','arguments':{'id':'c3','backend':{'type':'socket',"
    "'data':{'addr':{'type':'unix','data':{'path':'s'}},'server':true,"
    "'wait':false}}}}",
    "{'execute':'chardev-remove','arguments':{'id':'c0'}}",
    "{'execute':'chardev-send-break','arguments':{'id':'c1'}}",
    "{'execute':'ringbuf-write','arguments':{'device':'c0','data':'YWJj',"
    "'format':'base64'}}",
    "{'execute':'ringbuf-read','arguments':{'device':'c0','size':100}}",
    "{'execute':'screendump','arguments':{'filename':'d','format':'png'}}",
    "{'execute':'query-vnc'}",
    "{'execute':'query-vnc-servers'}",
    "{'execute':'set_password','arguments':{'protocol':'vnc','password':'x',"
    "'connected':'keep','display':'default'}}",
    "{'execute':'expire_password','arguments':{'protocol':'vnc','time':'+60'}}",
    "{'execute':'change-vnc-password','arguments':{'password':'x'}}",
    "{'execute':'send-key','arguments':{'keys':[{'type':'qcode','data':'ctrl'},"
    "{'type':'number','data':83}],'hold-time':20}}",
    "{'execute':'input-send-event','arguments':{'device':'video0','head':0,'events':["
    "{'type':'key','data':{'down':true,'key':{'type':'qcode','data':'a'}}},"
    "{'type':'btn','data':{'down':false,'button':'left'}},"
    "{'type':'rel','data':{'axis':'x','value':-3}},"
    "{'type':'abs','data':{'axis':'y','value':20000}}]}}",
    "{'execute':'query-mice'}",
    "{'execute':'x-query-mtree'}",
    "{'execute':'human-monitor-command','arguments':{'command-line':'info mtree -f'}}",
    "{'execute':'human-monitor-command','arguments':{'command-line':'xp /4xw 0x1000',"
    "'cpu-index':0}}",
    "{'execute':'human-monitor-command','arguments':{'command-line':'info qtree'}}",
    "{'execute':'human-monitor-command','arguments':{'command-line':'sum 0 64'}}",
    "{'execute':'human-monitor-command','arguments':{'command-line':'p 1+(2*3)'}}",
    "{'execute':'human-monitor-command','arguments':{'command-line':'help info'}}",
    "{'execute':'human-monitor-command','arguments':{'command-line':"
    "'sendkey ctrl-alt-delete 50'}}",
    "{'execute':'human-monitor-command','arguments':{'command-line':"
    "'mouse_move -5 7 1'}}",
    "{'execute':'human-monitor-command','arguments':{'command-line':'o/b 0x80 1'}}",
    "{'execute':'human-monitor-command','arguments':{'command-line':"
    "'device_add isa-debug-exit,id=d3,iobase=0x600'}}",
    "{\r\n    \"execute\": \"query-name\",\r\n    \"arguments\": {\r\n    }\r\n}\r\n",
    "[{},[],true,false,null,0,-0,1e-9,'\\\\\\/\\b\\f\\r\\t\\'']",
    NULL,
};

static char *folder; /* NULL: not there yet */

static void folder_remove(void)
{
    GDir *dir = g_dir_open(".", 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        unlink(name);
    }
    if (dir) {
        g_dir_close(dir);
    }
    rmdir(folder);
    g_free(folder);
}

/* Commands write files: nowhere but there, and small ones. */
static void protect_host(void)
{
    struct rlimit files = { 16 << 20, 16 << 20 };

    if (folder) {
        return;
    }
    folder = g_dir_make_tmp("flatview-qmp-XXXXXX", NULL);
    if (!folder || chdir(folder) < 0) {
        abort();
    }
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &files);
    if (geteuid() == 0) {
        if (chown(folder, NOBODY, NOBODY) < 0 ||
            setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
            setresuid(NOBODY, NOBODY, NOBODY) < 0) {
            abort();
        }
        prctl(PR_SET_DUMPABLE, 1); /* a sanitizer looks at its own process */
    }
    atexit(folder_remove);
}

Machine *qmp_world_new(void)
{
    Machine *machine = machine_new(machine_type_find("microvm", NULL));
    GError *err = NULL;

    protect_host();
    machine->ram_size = 2 << 20;
    machine_set(machine, "accel", "qtest", NULL);
    if (!machine_init(machine, &err) || !machine_prepare(machine, &err)) {
        fprintf(stderr, "%s\n", err->message);
        abort();
    }
    monitor_set_machine(machine);
    return machine;
}

void qmp_world_free(Machine *machine)
{
    monitor_set_machine(NULL);
    machine_free(machine);
    user_objects_free();
    chardev_close_all();
}
