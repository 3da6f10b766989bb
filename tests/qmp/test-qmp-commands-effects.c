/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What commands do to a machine that runs no CPUs, seen by other commands and
 * from outside: objects, devices, character devices, memory in files.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "target-i386/cpu.h"
#include "tests/qmp/qmp-client.h"

#define RAM_SIZE 0x400000

static QMPClient *client;
static char *dir;
static char *ram_path, *saved_path, *socket_path;

static void setup(void)
{
    g_autofree char *backend = NULL;

    dir = g_dir_make_tmp("flatview-qmp-XXXXXX", NULL);
    expect(dir, "no folder for temporary files");
    ram_path = g_build_filename(dir, "ram", NULL);
    saved_path = g_build_filename(dir, "saved", NULL);
    socket_path = g_build_filename(dir, "socket", NULL);
    backend = g_strdup_printf("memory-backend-file,id=mem,share=on,size=4M,"
                              "mem-path=%s", ram_path);
    client = qmp_client_spawn("-M", "microvm,memory-backend=mem", "-object",
                              backend, "-accel", "qtest", "-display", "none",
                              "-nodefaults", "-name", "guest=a b", "-uuid",
                              "12345678-9abc-def0-1234-56789abcdef0", NULL);
}

static void teardown(void)
{
    qmp_client_free(client);
    remove(ram_path);
    remove(saved_path);
    remove(socket_path);
    expect(rmdir(dir) == 0, "%s: %m", dir);
    g_clear_pointer(&ram_path, g_free);
    g_clear_pointer(&saved_path, g_free);
    g_clear_pointer(&socket_path, g_free);
    g_clear_pointer(&dir, g_free);
}

static JsonNode *list(const char *path)
{
    return qmp_run(client, "qom-list", "{\"path\":\"%s\"}", path);
}

static JsonNode *get(const char *path, const char *property)
{
    return qmp_run(client, "qom-get", "{\"path\":\"%s\",\"property\":\"%s\"}",
                   path, property);
}

START_TEST(facts)
{
    JsonNode *result;

    setup();
    ck_assert_str_eq(json_string_at(qmp_run(client, "query-name", NULL), "name"),
                     "a b");
    ck_assert_str_eq(json_string_at(qmp_run(client, "query-uuid", NULL), "UUID"),
                     "12345678-9abc-def0-1234-56789abcdef0");
    ck_assert(!json_bool_at(qmp_run(client, "query-kvm", NULL), "enabled"));
    result = qmp_run(client, "query-memory-size-summary", NULL);
    ck_assert_int_eq(json_int_at(result, "base-memory"), RAM_SIZE);
    result = qmp_run(client, "query-memdev", NULL);
    ck_assert_uint_eq(json_array_get_length(json_node_get_array(result)), 1);
    ck_assert_str_eq(json_string_at(result, "[0].id"), "mem");
    ck_assert_int_eq(json_int_at(result, "[0].size"), RAM_SIZE);
    ck_assert(json_bool_at(result, "[0].share"));
    result = qmp_run(client, "query-machines", NULL);
    ck_assert(json_object_get_boolean_member(
        json_find(result, "name", "microvm"), "is-default"));
    ck_assert(!json_object_has_member(json_find(result, "name", "none"),
                                      "is-default"));
    result = qmp_run(client, "query-cpu-definitions", NULL);
    ck_assert(!json_find(result, "name", "host") == !x86_cpu_models()[0]);
    result = qmp_run(client, "query-command-line-options",
                     "{\"option\":\"memory\"}");
    ck_assert_str_eq(json_string_at(result, "[0].parameters[0].name"), "size");
    ck_assert_str_eq(json_string_at(result, "[0].parameters[0].type"), "size");
    teardown();
}
END_TEST

/* Objects are where other commands say that they are. */
START_TEST(paths_lead_to_objects)
{
    g_autofree char *path = NULL;

    setup();
    path = g_strdup(json_string_at(qmp_run(client, "query-cpus-fast", NULL),
                                   "[0].qom-path"));
    ck_assert_str_eq(json_node_get_string(get(path, "type")), "x86_64-cpu");
    ck_assert_int_eq(json_node_get_int(get(path, "cpu-index")), 0);
    ck_assert_str_eq(json_string_at(
        qmp_run(client, "query-hotpluggable-cpus", NULL), "[0].qom-path"), path);
    ck_assert_str_eq(json_node_get_string(get("/", "machine")), "/machine");
    ck_assert(json_find(list("/"), "type", "child<microvm-machine>"));
    teardown();
}
END_TEST

static void expect_types(const char *ancestor, const char *command,
                         const char *enum_name)
{
    g_autoptr(JsonArray) types = json_array_ref(json_node_get_array(
        qmp_run(client, "qom-list-types", "{\"implements\":\"%s\"}", ancestor)));
    JsonArray *values = json_object_get_array_member(
        qmp_schema_find(client, enum_name), "values");

    ck_assert_uint_eq(json_array_get_length(types),
                      json_array_get_length(values));
    for (guint i = 0; i < json_array_get_length(types); i++) {
        const char *name = json_object_get_string_member(
            json_array_get_object_element(types, i), "name");
        bool found = false;

        for (guint j = 0; j < json_array_get_length(values); j++) {
            found |= strcmp(json_array_get_string_element(values, j), name) == 0;
        }
        expect(found, "%s does not take %s", command, name);
    }
}

START_TEST(types)
{
    JsonNode *result;

    setup();
    expect_types("user-creatable", "object-add", "ObjectType");
    result = qmp_run(client, "qom-list-types", "{\"abstract\":true}");
    ck_assert(json_object_get_boolean_member(json_find(result, "name", "device"),
                                             "abstract"));
    result = qmp_run(client, "qom-list-types", NULL);
    ck_assert(!json_find(result, "name", "device"));
    ck_assert_str_eq(json_object_get_string_member(
        json_find(result, "name", "isa-serial"), "parent"), "device");
    result = qmp_run(client, "device-list-properties",
                     "{\"typename\":\"isa-debug-exit\"}");
    ck_assert_int_eq(json_object_get_int_member(
        json_find(result, "name", "iobase"), "default-value"), 0x501);
    ck_assert(!json_find(result, "name", "type"));
    ck_assert(!json_find(result, "name", "realized"));
    result = qmp_run(client, "qom-list-properties",
                     "{\"typename\":\"isa-debug-exit\"}");
    ck_assert(json_find(result, "name", "realized"));
    teardown();
}
END_TEST

START_TEST(devices_come_and_go)
{
    JsonObject *data;

    setup();
    qmp_run(client, "device_add", "{\"driver\":\"isa-debug-exit\",\"id\":\"e\","
            "\"iobase\":1792,\"iosize\":\"4\"}");
    ck_assert(json_find(list("/machine/peripheral"), "type",
                        "child<isa-debug-exit>"));
    ck_assert_int_eq(json_node_get_int(get("/machine/peripheral/e", "iobase")),
                     1792);
    ck_assert_int_eq(json_node_get_int(get("e", "iosize")), 4);
    ck_assert(json_node_get_boolean(get("e", "hotplugged")));
    qmp_run(client, "device_del", "{\"id\":\"e\"}");
    data = qmp_wait_event(client, "DEVICE_DELETED");
    ck_assert_str_eq(json_object_get_string_member(data, "device"), "e");
    ck_assert_str_eq(json_object_get_string_member(data, "path"),
                     "/machine/peripheral/e");
    ck_assert(!json_find(list("/machine/peripheral"), "name", "e"));

    /* A truth value, and the use of a character device. */
    qmp_run(client, "chardev-add", "{\"id\":\"r\",\"backend\":{\"type\":"
            "\"ringbuf\",\"data\":{}}}");
    qmp_run(client, "device_add", "{\"driver\":\"isa-debugcon\",\"id\":\"c\","
            "\"chardev\":\"r\"}");
    ck_assert_str_eq(json_node_get_string(get("c", "chardev")), "r");
    qmp_expect_error(client, "chardev-remove", "{\"id\":\"r\"}",
                     "GenericError: Chardev 'r' is busy");
    qmp_run(client, "device_del", "{\"id\":\"/machine/peripheral/c\"}");
    qmp_run(client, "chardev-remove", "{\"id\":\"r\"}");
    teardown();
}
END_TEST

START_TEST(objects_come_and_go)
{
    g_autofree char *thread = NULL;
    JsonNode *result;

    setup();
    qmp_run(client, "object-add", "{\"qom-type\":\"memory-backend-ram\","
            "\"id\":\"o\",\"size\":8192,\"prealloc\":true}");
    result = qmp_run(client, "query-memdev", NULL);
    ck_assert(json_object_get_boolean_member(json_find(result, "id", "o"),
                                             "prealloc"));
    ck_assert_int_eq(json_node_get_int(get("/objects/o", "size")), 8192);
    qmp_run(client, "qom-set",
            "{\"path\":\"o\",\"property\":\"dump\",\"value\":false}");
    ck_assert(!json_node_get_boolean(get("o", "dump")));
    result = qmp_run(client, "query-memdev", NULL);
    ck_assert(!json_object_get_boolean_member(json_find(result, "id", "o"),
                                              "dump"));
    qmp_run(client, "object-del", "{\"id\":\"o\"}");
    result = qmp_run(client, "query-memdev", NULL);
    ck_assert(!json_find(result, "id", "o"));

    qmp_run(client, "object-add", "{\"qom-type\":\"iothread\",\"id\":\"t\"}");
    result = qmp_run(client, "query-iothreads", NULL);
    thread = g_strdup_printf("/proc/%" PRId64,
                             json_int_at(result, "[0].thread-id"));
    ck_assert(g_file_test(thread, G_FILE_TEST_IS_DIR));
    qmp_run(client, "object-del", "{\"id\":\"t\"}");
    result = qmp_run(client, "query-iothreads", NULL);
    ck_assert_uint_eq(json_array_get_length(json_node_get_array(result)), 0);
    teardown();
}
END_TEST

/* ---- memory in files ----------------------------------------------------------------- */

/* The RAM's file gets content; the same comes out. */
static void fill_ram(uint8_t *content)
{
    int fd = open(ram_path, O_WRONLY | O_CLOEXEC);

    content_fill(content, 1, 0, RAM_SIZE);
    expect(fd >= 0 && pwrite(fd, content, RAM_SIZE, 0) == RAM_SIZE, "%s: %m",
           ram_path);
    close(fd);
}

static void expect_saved(const char *command, unsigned addr, unsigned size,
                         const uint8_t *content)
{
    g_autofree char *got = NULL;
    gsize len;

    qmp_run(client, command, "{\"val\":%u,\"size\":%u,\"filename\":\"%s\"}", addr,
            size, saved_path);
    expect(g_file_get_contents(saved_path, &got, &len, NULL), "no file");
    ck_assert_uint_eq(len, size);
    ck_assert(memcmp(got, content + addr, size) == 0);
}

START_TEST(memory_in_files)
{
    g_autofree uint8_t *content = g_malloc(RAM_SIZE);
    struct stat st;

    setup();
    fill_ram(content);
    expect_saved("pmemsave", 1, 1, content);
    expect_saved("pmemsave", 0x10fff, 0x20002, content);
    expect_saved("memsave", 0, 0x90000, content);
    expect_saved("pmemsave", 0x100000, RAM_SIZE - 0x100000, content);

    /* Beyond the end: an error, and what comes before is in the file. */
    qmp_run_error(client, "pmemsave",
                  "{\"val\":%u,\"size\":1000000000000000,\"filename\":\"%s\"}",
                  RAM_SIZE - 70000, saved_path);
    ck_assert(stat(saved_path, &st) == 0 && st.st_size == 70000);
    teardown();
}
END_TEST

/* A FIFO whose reader stops reading ends the command, not the machine. */
START_TEST(reader_that_stops)
{
    const char *error;
    int fd;

    setup();
    ck_assert_int_eq(mkfifo(saved_path, 0600), 0);
    fd = open(saved_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    error = qmp_run_error(client, "pmemsave",
                          "{\"val\":1048576,\"size\":1048576,\"filename\":"
                          "\"%s\"}", saved_path);
    expect(strstr(error, "Could not write to") && strstr(error, "timed out"),
           "%s", error);
    close(fd);
    qmp_run(client, "query-status", NULL);
    teardown();
}
END_TEST

/* ---- character devices ----------------------------------------------------------------- */

static int connect_to(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    expect(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "%s: %m",
           path);
    return fd;
}

static char *filename_of(const char *id)
{
    return g_strdup(json_object_get_string_member(
        json_find(qmp_run(client, "query-chardev", NULL), "label", id),
        "filename"));
}

/* One end listens, the other connects; then both are connected. */
START_TEST(sockets)
{
    g_autofree char *before = NULL, *after = NULL;
    int fd;

    setup();
    qmp_run(client, "chardev-add", "{\"id\":\"s\",\"backend\":{\"type\":"
            "\"socket\",\"data\":{\"addr\":{\"type\":\"unix\",\"data\":{\"path\":"
            "\"%s\"}},\"wait\":false}}}", socket_path);
    before = filename_of("s");
    ck_assert(g_str_has_prefix(before, "disconnected:unix:"));
    fd = connect_to(socket_path);
    do {
        g_clear_pointer(&after, g_free);
        after = filename_of("s");
    } while (g_str_has_prefix(after, "disconnected:"));
    close(fd);
    qmp_run(client, "chardev-remove", "{\"id\":\"s\"}");
    ck_assert(!g_file_test(socket_path, G_FILE_TEST_EXISTS));
    teardown();
}
END_TEST

/* Descriptors of the program's own are not for clients: among them is the socket
 * of this one. */
/* A VNC server, a client that comes and goes, and a password. */
START_TEST(vnc)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    g_autofree char *build = g_strconcat(g_getenv("BUILD_PATH") ?: ".", "/ui-vnc.so", NULL);
    g_autofree char *option = NULL;
    char version[12];
    JsonObject *data;
    JsonNode *result;
    int fd;

    if (!g_file_test(build, G_FILE_TEST_EXISTS)) {
        return;
    }
    dir = g_dir_make_tmp("flatview-qmp-XXXXXX", NULL);
    socket_path = g_build_filename(dir, "vnc", NULL);
    option = g_strdup_printf("unix:%s,password=on,id=screen", socket_path);
    client = qmp_client_spawn("-M", "microvm", "-accel", "qtest", "-display", "none",
                              "-nodefaults", "-vnc", option, NULL);
    result = qmp_run(client, "query-vnc", NULL);
    ck_assert(json_bool_at(result, "enabled"));
    ck_assert_str_eq(json_string_at(result, "service"), socket_path);
    ck_assert_str_eq(json_string_at(result, "family"), "unix");
    ck_assert_str_eq(json_string_at(result, "auth"), "vnc");

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(addr.sun_path, socket_path, sizeof(addr.sun_path));
    ck_assert(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
    ck_assert(recv(fd, version, sizeof(version), MSG_WAITALL) == sizeof(version));
    data = qmp_wait_event(client, "VNC_CONNECTED");
    data = json_object_get_object_member(data, "server");
    ck_assert_str_eq(json_object_get_string_member(data, "service"), socket_path);
    ck_assert_str_eq(json_object_get_string_member(data, "auth"), "vnc");
    result = qmp_run(client, "query-vnc-servers", NULL);
    ck_assert_str_eq(json_string_at(result, "[0].id"), "screen");
    ck_assert_str_eq(json_string_at(result, "[0].server[0].auth"), "vnc");
    ck_assert_str_eq(json_string_at(result, "[0].clients[0].family"), "unix");
    close(fd);
    data = qmp_wait_event(client, "VNC_DISCONNECTED");
    data = json_object_get_object_member(data, "client");
    ck_assert_str_eq(json_object_get_string_member(data, "family"), "unix");
    ck_assert(!json_object_get_boolean_member(data, "websocket"));

    qmp_run(client, "set_password", "{\"protocol\":\"vnc\",\"password\":\"x\"}");
    qmp_run(client, "set_password", "{\"protocol\":\"vnc\",\"password\":\"x\","
            "\"display\":\"screen\",\"connected\":\"keep\"}");
    qmp_run(client, "change-vnc-password", "{\"password\":\"y\"}");
    for (unsigned i = 0; i < 4; i++) {
        static const char *const good[] = { "now", "never", "+60", "1700000000" };

        qmp_run(client, "expire_password", "{\"protocol\":\"vnc\",\"time\":\"%s\"}",
                good[i]);
    }
    for (unsigned i = 0; i < 5; i++) {
        static const char *const bad[] = { "", "+", "soon", "-1", "+9223372036854775807" };
        const char *error = qmp_run_error(client, "expire_password",
                                          "{\"protocol\":\"vnc\",\"time\":\"%s\"}",
                                          bad[i]);

        ck_assert_msg(strstr(error, "GenericError: Parameter 'time' is "), "%s", error);
    }
    qmp_expect_error(client, "set_password",
                     "{\"protocol\":\"vnc\",\"password\":\"x\","
                     "\"connected\":\"disconnect\"}",
                     "GenericError: Parameter 'connected' expects 'keep' where the "
                     "protocol is vnc: clients stay");
    qmp_client_free(client);
    ck_assert_msg(access(socket_path, F_OK) < 0, "%s is left", socket_path);
    expect(rmdir(dir) == 0, "%s: %m", dir);
    g_clear_pointer(&socket_path, g_free);
    g_clear_pointer(&dir, g_free);
}
END_TEST

START_TEST(own_descriptors)
{
    setup();
    for (int fd = 3; fd < 40; fd++) {
        qmp_run_error(client, "chardev-add", "{\"id\":\"s\",\"backend\":{"
                      "\"type\":\"socket\",\"data\":{\"addr\":{\"type\":"
                      "\"fd\",\"data\":{\"str\":\"%d\"}}}}}", fd);
    }
    qmp_run(client, "query-status", NULL);
    teardown();
}
END_TEST

START_TEST(ringbuf)
{
    JsonNode *result;

    setup();
    qmp_run(client, "chardev-add", "{\"id\":\"r\",\"backend\":{\"type\":"
            "\"memory\",\"data\":{\"size\":8}}}");
    qmp_run(client, "ringbuf-write",
            "{\"device\":\"r\",\"data\":\"MDEyMzQ1Njc4OQ==\","
            "\"format\":\"base64\"}");
    result = qmp_run(client, "ringbuf-read", "{\"device\":\"r\",\"size\":3}");
    ck_assert_str_eq(json_node_get_string(result), "234");
    result = qmp_run(client, "ringbuf-read",
                     "{\"device\":\"r\",\"size\":99,\"format\":\"base64\"}");
    ck_assert_str_eq(json_node_get_string(result), "NTY3ODk=");
    result = qmp_run(client, "ringbuf-read", "{\"device\":\"r\",\"size\":99}");
    ck_assert_str_eq(json_node_get_string(result), "");

    /* What is no UTF-8, and a zero. */
    qmp_run(client, "ringbuf-write",
            "{\"device\":\"r\",\"data\":\"Yf8AYg==\",\"format\":\"base64\"}");
    result = qmp_run(client, "ringbuf-read", "{\"device\":\"r\",\"size\":9}");
    ck_assert_str_eq(json_node_get_string(result), "a\xef\xbf\xbd\xef\xbf\xbd"
                     "b");
    teardown();
}
END_TEST

START_TEST(pty_and_log)
{
    g_autofree char *pty = NULL, *filename = NULL, *expected = NULL;

    setup();
    pty = g_strdup(json_string_at(
        qmp_run(client, "chardev-add", "{\"id\":\"p\",\"backend\":{\"type\":"
                "\"pty\",\"data\":{\"logfile\":\"%s\",\"logappend\":true}}}",
                saved_path), "pty"));
    filename = filename_of("p");
    expected = g_strconcat("pty:", pty, NULL);
    ck_assert_str_eq(filename, expected);
    ck_assert(g_file_test(saved_path, G_FILE_TEST_EXISTS));
    qmp_run(client, "chardev-remove", "{\"id\":\"p\"}");
    teardown();
}
END_TEST

TEST_MAIN("qmp-commands-effects", facts, paths_lead_to_objects, types,
          devices_come_and_go, objects_come_and_go, memory_in_files,
          reader_that_stops, sockets, vnc, own_descriptors, ringbuf, pty_and_log)
