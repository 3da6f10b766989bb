/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every command in its good forms and in its bad ones, by one client of a
 * machine that runs no CPUs. Each result agrees with the schema, or the client
 * says so. What commands do is looked at in the other tests of commands.
 *
 * From each good form bad ones are made: without a member that must be there,
 * with one that must not, with values of another type.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/qmp/qmp-client.h"

typedef struct Form {
    const char *command;
    const char *args;  /* NULL: none. DIR/ is a folder for this test */
    const char *error; /* NULL: a good form; "...": whatever error */
} Form;

#define NULL_DATA "{'type':'null','data':{}}"
#define SOCKET(addr, rest) \
    "{'type':'socket','data':{'addr':" addr rest "}}"
#define UNIX(path) "{'type':'unix','data':{'path':'" path "'}}"
#define G "GenericError: "

/* In this order. */
static const Form forms[] = {
    /* ---- the protocol */
    { "query-commands", NULL, NULL },
    { "query-events", NULL, NULL },
    { "query-version", NULL, NULL },
    { "query-qmp-schema", NULL, NULL },
    { "qmp_capabilities", NULL, "CommandNotFound: Capabilities negotiation is "
      "already complete, command ignored" },
    { "no-such-command", NULL, "CommandNotFound: The command no-such-command "
      "has not been found" },

    /* ---- the machine */
    { "query-name", NULL, NULL },
    { "query-uuid", NULL, NULL },
    { "query-kvm", NULL, NULL },
    { "query-target", NULL, NULL },
    { "query-current-machine", NULL, NULL },
    { "query-machines", NULL, NULL },
    { "query-command-line-options", NULL, NULL },
    { "query-command-line-options", "{'option':'memory'}", NULL },
    { "query-command-line-options", "{'option':'nope'}",
      G "invalid option name: nope" },
    { "query-command-line-options", "{'option':'nodefaults'}",
      G "invalid option name: nodefaults" },
    { "query-cpus-fast", NULL, NULL },
    { "query-hotpluggable-cpus", NULL, NULL },
    { "query-cpu-definitions", NULL, NULL },
    { "query-block", NULL, NULL },
    { "query-tpm-models", NULL, NULL },
    { "query-tpm-types", NULL, NULL },
    { "x-query-mtree", NULL, NULL },
    { "human-monitor-command", "{'command-line':'info status'}", NULL },
    { "human-monitor-command", "{'command-line':'info status','cpu-index':0}",
      NULL },
    { "human-monitor-command", "{'command-line':'nope'}", NULL },
    { "human-monitor-command", "{'command-line':''}", NULL },
    { "human-monitor-command", "{'command-line':'info status','cpu-index':2}",
      G "Parameter 'cpu-index' expects a CPU number" },
    { "human-monitor-command", "{'command-line':'info status','cpu-index':-1}",
      G "Parameter 'cpu-index' expects a CPU number" },

    /* ---- running */
    { "query-status", NULL, NULL },
    { "cont", NULL, NULL },
    { "cont", NULL, NULL },
    { "stop", NULL, NULL },
    { "stop", NULL, NULL },
    { "system_reset", NULL, NULL },
    { "system_powerdown", NULL, NULL },
    { "system_wakeup", NULL,
      G "wake-up from suspend is not supported by this guest" },
    { "inject-nmi", NULL, "..." },

    /* ---- memory */
    { "query-memory-size-summary", NULL, NULL },
    { "query-memory-devices", NULL, NULL },
    { "query-memdev", NULL, NULL },
    { "query-pci", NULL, NULL },
    { "memsave", "{'val':0,'size':100000,'filename':'DIR/m'}", NULL },
    { "memsave", "{'val':4096,'size':1,'filename':'DIR/m','cpu-index':1}", NULL },
    { "memsave", "{'val':0,'size':0,'filename':'DIR/m'}", NULL },
    { "memsave", "{'val':0,'size':1,'filename':'DIR/no/m'}",
      G "Could not open 'DIR/no/m': No such file or directory" },
    { "memsave", "{'val':0,'size':1,'filename':''}",
      G "Could not open '': No such file or directory" },
    { "memsave", "{'val':0,'size':1,'filename':'DIR/m','cpu-index':2}",
      G "Parameter 'cpu-index' expects a CPU number" },
    { "memsave", "{'val':0,'size':1,'filename':'DIR/m','cpu-index':-1}",
      G "Parameter 'cpu-index' expects a CPU number" },
    { "memsave", "{'val':0,'size':-1,'filename':'DIR/m'}",
      G "Parameter 'size' expects a size of at most 9223372036854775807 bytes" },
    { "memsave", "{'val':0,'size':18446744073709551615,'filename':'DIR/m'}",
      G "Parameter 'size' expects a size of at most 9223372036854775807 bytes" },
    { "memsave", "{'val':-1,'size':1,'filename':'DIR/m'}",
      G "Invalid addr 0xffffffffffffffff/size 1 specified: no memory there; "
      "'DIR/m' has the 0 bytes before" },
    { "memsave", "{'val':18446744073709551615,'size':1,'filename':'DIR/m'}",
      G "Invalid addr 0xffffffffffffffff/size 1 specified: no memory there; "
      "'DIR/m' has the 0 bytes before" },
    { "memsave", "{'val':0,'size':16,'filename':'/dev/full'}",
      G "Could not write to '/dev/full': No space left on device" },
    { "pmemsave", "{'val':0,'size':100000,'filename':'DIR/m'}", NULL },
    { "pmemsave", "{'val':0,'size':1,'filename':'DIR/no/m'}",
      G "Could not open 'DIR/no/m': No such file or directory" },
    { "pmemsave", "{'val':0,'size':-9223372036854775808,'filename':'DIR/m'}",
      G "Parameter 'size' expects a size of at most 9223372036854775807 bytes" },
    { "pmemsave", "{'val':16777200,'size':9223372036854775807,"
      "'filename':'DIR/m'}",
      G "Invalid addr 0x0000000001000000/size 9223372036854775791 specified: no "
      "memory there; 'DIR/m' has the 16 bytes before" },
    { "pmemsave", "{'val':0,'size':16,'filename':'/dev/full'}",
      G "Could not write to '/dev/full': No space left on device" },
    { "pmemsave", "{'val':0,'size':16,'filename':'DIR/unread'}",
      G "Could not open 'DIR/unread': it is a FIFO that nobody reads" },
    { "pmemsave", "{'val':0,'size':16,'filename':'DIR'}",
      G "Could not open 'DIR': Is a directory" },

    /* ---- the screen, which there is none of */
    { "screendump", "{'filename':'DIR/s'}", "..." },
    { "screendump", "{'filename':'DIR/s','head':0}",
      G "'head' must be specified together with 'device'" },
    { "screendump", "{'filename':'DIR/s','device':'nope'}",
      "DeviceNotFound: Device 'nope' not found" },
    { "screendump", "{'filename':'DIR/s','device':'rtc','format':'png'}",
      G "device 'rtc' has no console of head 0; consoles: none" },
    { "screendump", "{'filename':'DIR/s','device':'rtc','head':-1}",
      G "device 'rtc' has no console of head 4294967295; consoles: none" },
    { "screendump", "{'filename':'DIR/s','format':'gif'}",
      G "Parameter 'format' does not accept value 'gif'" },

    /* ---- keys and pointers */
    { "send-key", "{'keys':[]}", NULL },
    { "send-key", "{'keys':[{'type':'qcode','data':'a'},{'type':'number','data':30}],"
      "'hold-time':20}", NULL },
    { "send-key", "{'keys':[{'type':'qcode','data':'nope'}]}",
      G "Parameter 'data' does not accept value 'nope'" },
    { "send-key", "{'keys':[{'type':'nope','data':'a'}]}", "..." },
    { "send-key", "{'keys':[{'type':'number','data':'a'}]}", "..." },
    { "send-key", "{'keys':[],'hold-time':-1}",
      G "Parameter 'hold-time' expects milliseconds, 0 to 2147483647" },
    { "input-send-event", "{'events':[]}", G "VM not running" },
    { "query-mice", NULL, NULL },

    /* ---- VNC servers, which there are none of */
    { "query-vnc", "{}", NULL },
    { "query-vnc-servers", "{}", NULL },
    { "set_password", "{'protocol':'vnc','password':'x'}",
      G "no display 'vnc' is open; -display vnc opens one" },
    { "set_password", "{'protocol':'vnc','password':'x','display':'nope'}",
      G "no display 'vnc' with id 'nope' is open" },
    { "set_password", "{'protocol':'spice','password':'x'}",
      "DeviceNotActive: SPICE is not in use" },
    { "set_password", "{'protocol':'vnc','password':'x','connected':'nope'}",
      G "Parameter 'connected' does not accept value 'nope'" },
    { "set_password", "{'protocol':'vnc'}", G "Parameter 'password' is missing" },
    { "expire_password", "{'protocol':'vnc','time':'now'}",
      G "no display 'vnc' is open; -display vnc opens one" },
    { "expire_password", "{'protocol':'spice','time':'now'}",
      "DeviceNotActive: SPICE is not in use" },
    { "change-vnc-password", "{'password':'x'}",
      G "no display 'vnc' is open; -display vnc opens one" },

    /* ---- objects */
    { "qom-list", "{'path':'/'}", NULL },
    { "qom-list", "{'path':'/machine'}", NULL },
    { "qom-list", "{'path':'/nope'}",
      "DeviceNotFound: Device '/nope' not found" },
    { "qom-list", "{'path':''}", "..." },
    { "qom-get", "{'path':'/machine','property':'type'}", NULL },
    { "qom-get", "{'path':'/machine','property':'memory'}", NULL },
    { "qom-get", "{'path':'/machine','property':'nope'}",
      G "Property 'microvm-machine.nope' not found" },
    { "qom-get", "{'path':'/nope','property':'type'}",
      "DeviceNotFound: Device '/nope' not found" },
    { "qom-set", "{'path':'/machine','property':'type','value':'a'}",
      G "Property 'microvm-machine.type' is not writable" },
    { "qom-set", "{'path':'/machine','property':'nope','value':1}",
      G "Property 'microvm-machine.nope' not found" },
    { "qom-set", "{'path':'/nope','property':'type','value':1}",
      "DeviceNotFound: Device '/nope' not found" },
    { "qom-list-types", NULL, NULL },
    { "qom-list-types", "{'implements':'device','abstract':true}", NULL },
    { "qom-list-types", "{'implements':'nope'}", NULL },
    { "qom-list-properties", "{'typename':'isa-serial'}", NULL },
    { "qom-list-properties", "{'typename':'device'}", NULL },
    { "qom-list-properties", "{'typename':'nope'}",
      "DeviceNotFound: Class 'nope' not found" },
    { "device-list-properties", "{'typename':'isa-serial'}", NULL },
    { "device-list-properties", "{'typename':'nope'}",
      "DeviceNotFound: Device 'nope' not found" },
    { "device-list-properties", "{'typename':'device'}",
      G "Parameter 'typename' expects a non-abstract device type" },
    { "device-list-properties", "{'typename':'microvm-machine'}",
      G "Parameter 'typename' expects a non-abstract device type" },

    /* ---- adding and taking away */
    { "device_add", "{'driver':'isa-debug-exit','id':'d','iobase':1281}", NULL },
    { "device_add", "{'driver':'isa-debug-exit','iobase':'0x700'}", NULL },
    { "device_add", "{'driver':'isa-debug-exit','id':'d','iobase':1537}", "..." },
    { "device_add", "{'driver':'isa-debug-exit','id':'e','iobase':1281}", "..." },
    { "device_add", "{'driver':'isa-debug-exit','id':'0'}", "..." },
    { "device_add", "{'driver':'isa-debug-exit','bus':'b'}",
      G "Bus 'b' not found: device 'isa-debug-exit' is on none" },
    { "device_add", "{'driver':'isa-debug-exit','nope':1}", "..." },
    { "device_add", "{'driver':'isa-debug-exit','iobase':-1}", "..." },
    { "device_add", "{'driver':'isa-debug-exit','iobase':1.5}", "..." },
    { "device_add", "{'driver':'isa-debug-exit','iobase':true}", "..." },
    { "device_add", "{'driver':'isa-debug-exit','iobase':{'a':1}}",
      G "Invalid parameter type for 'iobase', expected: string, number or "
      "boolean" },
    { "device_add", "{'driver':'isa-debug-exit','iobase':[1]}",
      G "Invalid parameter type for 'iobase', expected: string, number or "
      "boolean" },
    { "device_add", "{'driver':'isa-debug-exit','iobase':null}",
      G "Invalid parameter type for 'iobase', expected: string, number or "
      "boolean" },
    { "device_add", "{'driver':'nope'}", "..." },
    { "device_add", "{'driver':'mc146818rtc'}", "..." },
    { "qom-list", "{'path':'d'}", NULL },
    { "device_del", "{'id':'d'}", NULL },
    { "device_del", "{'id':'/machine/peripheral-anon/device[0]'}", NULL },
    { "device_del", "{'id':'d'}", "DeviceNotFound: Device 'd' not found" },
    { "device_del", "{'id':'/machine/rtc'}", "..." },
    { "device_del", "{'id':'/machine'}", "..." },
    { "device_del", "{'id':''}", "..." },
    { "object-add", "{'qom-type':'memory-backend-ram','id':'o','size':4096,"
      "'share':true}", NULL },
    { "object-add", "{'qom-type':'iothread','id':'io'}", NULL },
    { "object-add", "{'qom-type':'memory-backend-ram','id':'o','size':4096}",
      G "attempt to add duplicate property 'o' to object (type 'container'): "
      "choose another id" },
    { "object-add", "{'qom-type':'nope','id':'p'}",
      G "Parameter 'qom-type' does not accept value 'nope'" },
    { "object-add", "{'qom-type':'memory-backend-ram','id':'p'}", "..." },
    { "object-add", "{'qom-type':'memory-backend-ram','id':'p/q','size':4096}",
      "..." },
    { "object-add", "{'qom-type':'memory-backend-ram','id':'p','size':'x'}",
      "..." },
    { "object-add", "{'qom-type':'memory-backend-ram','id':'p','size':4096,"
      "'nope':1}", "..." },
    { "object-add", "{'qom-type':'memory-backend-ram','id':'p',"
      "'size':{'a':4096}}", G "Invalid parameter type for 'size', expected: "
      "string, number or boolean" },
    { "query-iothreads", NULL, NULL },
    { "query-memdev", NULL, NULL },
    { "qom-set", "{'path':'o','property':'dump','value':false}", NULL },
    { "qom-set", "{'path':'o','property':'dump','value':'x'}", "..." },
    { "qom-set", "{'path':'o','property':'dump','value':{'a':[]}}",
      G "Invalid parameter type for 'a', expected: string, number or boolean" },
    { "qom-set", "{'path':'o','property':'dump','value':{'a':1}}", "..." },
    { "qom-set", "{'path':'o','property':'dump','value':null}",
      G "Invalid parameter type for 'dump', expected: string, number or "
      "boolean" },
    { "object-del", "{'id':'o'}", NULL },
    { "object-del", "{'id':'o'}", G "object 'o' not found" },
    { "object-del", "{'id':'machine-ram'}",
      G "object 'machine-ram' is in use, can not be deleted" },

    /* ---- character devices */
    { "query-chardev", NULL, NULL },
    { "query-chardev-backends", NULL, NULL },
    { "chardev-add", "{'id':'n','backend':" NULL_DATA "}", NULL },
    { "chardev-add", "{'id':'n','backend':" NULL_DATA "}",
      G "Chardev with id 'n' already exists" },
    { "chardev-add", "{'id':'0 n','backend':" NULL_DATA "}", "..." },
    { "chardev-add", "{'id':'p','backend':{'type':'nope','data':{}}}",
      G "Parameter 'type' does not accept value 'nope'" },
    { "chardev-add", "{'id':'p','backend':{'data':{}}}",
      G "Parameter 'backend.type' is missing" },
    { "chardev-add", "{'id':'p','backend':{'type':'null'}}",
      G "Parameter 'backend.data' is missing" },
    { "chardev-add", "{'id':'p','backend':{'type':'null','data':{'x':1}}}",
      G "Parameter 'backend.data.x' is unexpected" },
    { "chardev-add", "{'id':'p','backend':{'type':'null','data':[]}}",
      G "Invalid parameter type for 'backend.data', expected: object" },
    { "chardev-add", "{'id':'t','backend':{'type':'testdev','data':{}}}", NULL },
    { "chardev-add", "{'id':'pty','backend':{'type':'pty','data':"
      "{'logfile':'DIR/log'}}}", NULL },
    { "chardev-add", "{'id':'f','backend':{'type':'file','data':"
      "{'out':'DIR/out','append':true}}}", NULL },
    { "chardev-add", "{'id':'p','backend':{'type':'file','data':"
      "{'out':'DIR/no/out'}}}",
      G "Failed to add chardev 'p': cannot open DIR/no/out: No such file or "
      "directory" },
    { "chardev-add", "{'id':'p','backend':{'type':'file','data':"
      "{'out':'DIR/out','in':'DIR/nothing'}}}", "..." },
    { "chardev-add", "{'id':'r','backend':{'type':'ringbuf','data':{}}}", NULL },
    { "chardev-add", "{'id':'m','backend':{'type':'memory','data':{'size':8}}}",
      NULL },
    { "chardev-add", "{'id':'p','backend':{'type':'ringbuf','data':{'size':9}}}",
      "..." },
    { "chardev-add", "{'id':'p','backend':{'type':'ringbuf','data':"
      "{'size':-1}}}", "..." },
    { "chardev-add", "{'id':'s','backend':"
      SOCKET(UNIX("DIR/s"), ",'wait':false") "}", NULL },
    { "chardev-add", "{'id':'c','backend':"
      SOCKET(UNIX("DIR/s"), ",'server':false") "}", NULL },
    { "chardev-add", "{'id':'p','backend':"
      SOCKET(UNIX("DIR/p"), ",'server':true,'wait':true") "}",
      G "this command does not wait for a connection: leave 'wait' out" },
    { "chardev-add", "{'id':'p','backend':"
      SOCKET(UNIX("DIR/nobody"), ",'server':false,'wait':true") "}",
      G "Failed to add chardev 'p': cannot connect to DIR/nobody: No such file "
      "or directory" },
    { "chardev-add", "{'id':'p','backend':"
      SOCKET(UNIX("DIR/p"), ",'telnet':true") "}", "..." },
    { "chardev-add", "{'id':'p','backend':"
      SOCKET(UNIX("DIR/p"), ",'reconnect':1") "}", "..." },
    { "chardev-add", "{'id':'p','backend':"
      SOCKET("{'type':'fd','data':{'str':'1000'}}", "") "}",
      G "File descriptor named '1000' has not been found" },
    { "chardev-add", "{'id':'p','backend':"
      SOCKET("{'type':'fd','data':{'str':'x'}}", "") "}",
      G "File descriptor named 'x' has not been found" },
    { "chardev-add", "{'id':'tcp','backend':"
      SOCKET("{'type':'inet','data':{'host':'127.0.0.1','port':'0',"
             "'ipv4':true}}", ",'nodelay':true") "}", NULL },
    { "chardev-add", "{'id':'p','backend':"
      SOCKET("{'type':'inet','data':{'host':'127.0.0.1','port':'0',"
             "'to':100000}}", "") "}", "..." },
    { "chardev-add", "{'id':'p','backend':"
      SOCKET("{'type':'inet','data':{'host':'127.0.0.1'}}", "") "}",
      G "Parameter 'backend.data.addr.data.port' is missing" },
    { "chardev-add", "{'id':'p','backend':"
      SOCKET("{'type':'vsock','data':{'cid':'1','port':'1'}}", "") "}",
      G "Parameter 'type' does not accept value 'vsock'" },
    { "chardev-add", "{'id':'io','backend':{'type':'stdio','data':"
      "{'signal':false}}}", NULL },
    { "chardev-add", "{'id':'p','backend':{'type':'stdio','data':{}}}", "..." },
    { "chardev-send-break", "{'id':'n'}", NULL },
    { "chardev-send-break", "{'id':'nope'}", G "Chardev 'nope' not found" },
    { "ringbuf-read", "{'device':'r','size':2}", NULL },
    { "ringbuf-read", "{'device':'r','size':2,'format':'base64'}", NULL },
    { "ringbuf-write", "{'device':'r','data':'abc'}", NULL },
    { "ringbuf-write", "{'device':'r','data':'','format':'utf8'}", NULL },
    { "ringbuf-write", "{'device':'r','data':'/w==','format':'base64'}", NULL },
    { "ringbuf-write", "{'device':'r','data':'/w=','format':'base64'}",
      G "Parameter 'data' is no base64" },
    { "ringbuf-write", "{'device':'r','data':'a===','format':'base64'}",
      G "Parameter 'data' is no base64" },
    { "ringbuf-write", "{'device':'r','data':'ab c','format':'base64'}",
      G "Parameter 'data' is no base64" },
    { "ringbuf-write", "{'device':'r','data':'a','format':'hex'}",
      G "Parameter 'format' does not accept value 'hex'" },
    { "ringbuf-write", "{'device':'n','data':'a'}",
      G "n is not a ringbuf device" },
    { "ringbuf-write", "{'device':'nope','data':'a'}",
      G "Device 'nope' not found" },
    { "ringbuf-read", "{'device':'r','size':2}", NULL },
    { "ringbuf-read", "{'device':'r','size':9223372036854775807,"
      "'format':'base64'}", NULL },
    { "ringbuf-read", "{'device':'r','size':0}",
      G "size must be greater than zero" },
    { "ringbuf-read", "{'device':'r','size':-1}",
      G "size must be greater than zero" },
    { "ringbuf-read", "{'device':'r','size':1,'format':'hex'}",
      G "Parameter 'format' does not accept value 'hex'" },
    { "ringbuf-read", "{'device':'n','size':1}",
      G "n is not a ringbuf device" },
    { "ringbuf-read", "{'device':'nope','size':1}",
      G "Device 'nope' not found" },
    { "chardev-remove", "{'id':'n'}", NULL },
    { "chardev-remove", "{'id':'n'}", G "Chardev 'n' not found" },
    { "chardev-remove", "{'id':'qmp-client'}",
      G "Chardev 'qmp-client' is busy" },
    { "query-chardev", NULL, NULL },
};

/* What is not in the table: good at the start or the end of each test here, or
 * in test-qmp-commands-kvm, or never. */
static const char *const good_elsewhere[] = {
    "qmp_capabilities", "quit", "inject-nmi", "system_wakeup", "screendump",
    "set_password", "expire_password", "change-vnc-password", "input-send-event", NULL,
};

static char *dir;

/* " for ', and the folder. */
static char *expand(const char *text)
{
    g_autoptr(GString) string = g_string_new(text);

    g_string_replace(string, "DIR", dir, 0);
    return g_strdup(string->str);
}

static char *json(const char *args)
{
    return g_strdelimit(expand(args ? args : "{}"), "'", '"');
}

static void expect_failure(QMPClient *client, const char *command,
                           const char *args, const char *error)
{
    const char *got = qmp_run_error(client, command, "%s", args);

    expect(strcmp(error, "...") == 0 || strcmp(got, error) == 0,
           "%s %s: %s, not %s", command, args, got, error);
}

/* A copy of @args without @name, or with @value there. */
static char *changed(const char *args, const char *name, const char *value)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object;

    expect(json_parser_load_from_data(parser, args, -1, NULL), "no JSON: %s",
           args);
    object = json_node_get_object(json_parser_get_root(parser));
    json_object_remove_member(object, name);
    if (value) {
        json_object_set_member(object, name, json_from_string(value, NULL));
    }
    return json_to_string(json_parser_get_root(parser), FALSE);
}

static bool takes_more(const char *command)
{
    return strcmp(command, "device_add") == 0 ||
           strcmp(command, "object-add") == 0;
}

static bool is_any(JsonObject *member)
{
    return strcmp(json_object_get_string_member(member, "type"), "any") == 0;
}

static bool is_array(QMPClient *client, JsonObject *member)
{
    JsonObject *type =
        qmp_schema_find(client, json_object_get_string_member(member, "type"));

    return strcmp(json_object_get_string_member(type, "meta-type"), "array") == 0;
}

/* The bad forms that follow from the schema. */
static void spoil(QMPClient *client, const char *command, const char *args)
{
    const char *type = json_object_get_string_member(
        qmp_schema_find(client, command), "arg-type");
    JsonArray *members = json_object_get_array_member(
        qmp_schema_find(client, type), "members");

    for (guint i = 0; i < json_array_get_length(members); i++) {
        JsonObject *member = json_array_get_object_element(members, i);
        const char *name = json_object_get_string_member(member, "name");
        g_autofree char *missing = changed(args, name, NULL);
        g_autofree char *wrong = changed(args, name, is_array(client, member) ? "{}"
                                                                              : "[]");
        g_autofree char *null = changed(args, name, "null");
        g_autofree char *start =
            g_strdup_printf(G "Invalid parameter type for '%s', expected: ",
                            name);
        g_autofree char *error =
            g_strdup_printf(G "Parameter '%s' is missing", name);

        if (!json_object_has_member(member, "default")) {
            expect_failure(client, command, missing, error);
        }
        if (!is_any(member)) {
            const char *got = qmp_run_error(client, command, "%s", wrong);

            expect(g_str_has_prefix(got, start), "%s %s: %s", command, wrong,
                   got);
            got = qmp_run_error(client, command, "%s", null);
            expect(g_str_has_prefix(got, start), "%s %s: %s", command, null,
                   got);
        }
    }
    if (!takes_more(command)) {
        g_autofree char *more = changed(args, "no-such", "1");

        expect_failure(client, command, more,
                       G "Parameter 'no-such' is unexpected");
    }
}

static void run_form(QMPClient *client, const Form *form)
{
    g_autofree char *args = json(form->args);
    g_autofree char *error = form->error ? expand(form->error) : NULL;

    if (error) {
        expect_failure(client, form->command, args, error);
    } else {
        spoil(client, form->command, args);
        qmp_run(client, form->command, "%s", args);
    }
}

static QMPClient *start(const char *cpus)
{
    return qmp_client_spawn("-M", "microvm,memory-backend=machine-ram",
                            "-object",
                            "memory-backend-ram,id=machine-ram,size=16M",
                            "-smp", cpus, "-accel", "qtest", "-S", "-nodefaults",
                            "-display", "none", NULL);
}

static void setup(void)
{
    g_autofree char *fifo = NULL;

    dir = g_dir_make_tmp("flatview-qmp-XXXXXX", NULL);
    expect(dir, "no folder for temporary files");
    fifo = g_build_filename(dir, "unread", NULL);
    expect(mkfifo(fifo, 0600) == 0, "mkfifo: %m");
}

static void teardown(void)
{
    const char *name;
    GDir *folder = g_dir_open(dir, 0, NULL);

    while ((name = g_dir_read_name(folder))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        remove(path);
    }
    g_dir_close(folder);
    remove(dir);
    g_clear_pointer(&dir, g_free);
}

START_TEST(all_forms)
{
    QMPClient *client;

    setup();
    client = start("2");
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        run_form(client, &forms[i]);
    }
    qmp_client_free(client);
    teardown();
}
END_TEST

/* The answer to "quit" comes, and then the end. */
START_TEST(quit)
{
    QMPClient *client;
    JsonObject *data;
    int status;

    setup();
    client = start("1");
    qmp_expect_error(client, "quit", "{\"a\":1}",
                     G "Parameter 'a' is unexpected");
    qmp_run(client, "quit", NULL);
    data = qmp_wait_event(client, "SHUTDOWN");
    ck_assert_str_eq(json_object_get_string_member(data, "reason"),
                     "host-qmp-quit");
    ck_assert(!json_object_get_boolean_member(data, "guest"));
    status = qmp_client_wait_exit(client);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    qmp_client_free(client);
    teardown();
}
END_TEST

/* The table has every command there is. */
START_TEST(none_is_missing)
{
    QMPClient *client;
    JsonArray *commands;
    JsonNode *reply;

    setup();
    client = start("1");
    reply = json_node_copy(qmp_run(client, "query-commands", NULL));
    commands = json_node_get_array(reply);
    ck_assert_uint_gt(json_array_get_length(commands), 40);
    for (guint i = 0; i < json_array_get_length(commands); i++) {
        const char *name = json_object_get_string_member(
            json_array_get_object_element(commands, i), "name");
        bool good = g_strv_contains(good_elsewhere, name);

        for (size_t j = 0; j < G_N_ELEMENTS(forms); j++) {
            good |= !forms[j].error && strcmp(forms[j].command, name) == 0;
        }
        expect(good, "no test has a good form of %s", name);
        /* For bad forms of what takes no arguments, too. */
        if (!takes_more(name)) {
            g_autofree char *error = g_strdup(
                qmp_run_error(client, name, "{\"no-such\":1}"));

            expect(strstr(error, "no-such") || strstr(error, "is missing") ||
                   strstr(error, "already complete"),
                   "%s: %s", name, error);
        }
    }
    json_node_unref(reply);
    qmp_client_free(client);
    teardown();
}
END_TEST

TEST_MAIN("qmp-commands-forms", all_forms, quit, none_is_missing)
