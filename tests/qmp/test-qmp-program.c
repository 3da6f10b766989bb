/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program as existing clients of the protocol use it: they listen, start it,
 * and count on the order of what they hear.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/qmp/qmp-client.h"

typedef struct Program {
    pid_t pid;
    int listener;
    char *folder, *path;
    FILE *in; /* lines from the program */
    int fd;
    char *line;
    size_t size;
} Program;

/* Listen, start the program, accept. */
static void program_start(Program *p)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    const char *program = getenv("FLATVIEW");
    g_autofree char *chardev = NULL;
    struct pollfd wait;

    expect(program, "the environment has no FLATVIEW");
    *p = (Program){ .folder = g_dir_make_tmp("flatview-qmp-XXXXXX", NULL) };
    p->path = g_build_filename(p->folder, "monitor.sock", NULL);
    chardev = g_strdup_printf("socket,id=mon,path=%s", p->path);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(addr.sun_path, p->path, sizeof(addr.sun_path));
    expect(bind(p->listener, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
           listen(p->listener, 1) == 0, "%s: %m", p->path);
    wait = (struct pollfd){ .fd = p->listener, .events = POLLIN };
    p->pid = fork();
    if (p->pid == 0) {
        execl(program, "flatview-x86_64", "-display", "none", "-vga",
              "none", "-chardev", chardev, "-mon", "chardev=mon,mode=control",
              "-machine", "microvm", "-accel", "qtest", "-nodefaults", "-S", NULL);
        _exit(127);
    }
    /* It comes, or ends without. */
    while (poll(&wait, 1, 100) == 0) {
        expect(waitpid(p->pid, NULL, WNOHANG) == 0, "the program has ended");
    }
    p->fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    expect(p->fd >= 0, "accept: %m");
    p->in = fdopen(dup(p->fd), "r");
}

static void program_end(Program *p)
{
    int status;

    expect(waitpid(p->pid, &status, 0) == p->pid && status == 0, "status 0x%x",
           status);
    unlink(p->path);
    rmdir(p->folder);
    fclose(p->in);
    close(p->fd);
    close(p->listener);
    free(p->line);
    g_free(p->path);
    g_free(p->folder);
}

static void say(Program *p, const char *text)
{
    expect(write(p->fd, text, strlen(text)) == (ssize_t)strlen(text), "%m");
}

/* The next message, which is one line; NULL: the end. To be freed. */
static JsonNode *hear(Program *p)
{
    ssize_t len = getline(&p->line, &p->size, p->in);
    GError *err = NULL;
    JsonNode *node;

    if (len < 0) {
        return NULL;
    }
    expect(len > 2 && strcmp(p->line + len - 2, "\r\n") == 0, "%s", p->line);
    node = json_from_string(p->line, &err);
    expect(node, "%s: %s", p->line, err ? err->message : "");
    return node;
}

static void hear_exactly(Program *p, const char *wanted)
{
    JsonNode *node = hear(p);

    expect(node, "the end, not %s", wanted);
    expect(g_str_has_prefix(p->line, wanted), "%s is not %s", p->line, wanted);
    json_node_unref(node);
}

static void hear_greeting(Program *p)
{
    JsonNode *greeting = hear(p);

    expect(greeting, "no greeting");
    expect(JSON_NODE_HOLDS_ARRAY(json_at(greeting, "QMP.capabilities")), "a list");
    ck_assert_str_eq(json_string_at(greeting, "QMP.capabilities[0]"), "oob");
    json_int_at(greeting, "QMP.version.qemu.major");
    json_int_at(greeting, "QMP.version.qemu.minor");
    json_int_at(greeting, "QMP.version.qemu.micro");
    expect(*json_string_at(greeting, "QMP.version.package"), "no package");
    json_node_unref(greeting);
}

static void hear_event(Program *p, const char *name)
{
    JsonNode *node = hear(p);

    expect(node, "the end, not %s", name);
    expect(strstr(p->line, "\"event\""), "%s, not %s", p->line, name);
    ck_assert_str_eq(json_string_at(node, "event"), name);
    expect(json_int_at(node, "timestamp.seconds") > 0, "no time");
    json_node_unref(node);
}

/* One that enables all capabilities, numbers its commands, and takes the
 * first message after the negotiation as the reply. */
START_TEST(asynchronous_client)
{
    Program p;

    program_start(&p);
    hear_greeting(&p);
    say(&p, "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": "
        "[\"oob\"]}}");
    hear_exactly(&p, "{\"return\": {}}");
    say(&p, "{\"execute\": \"query-status\", \"id\": \"__qmp#00001\"}");
    hear_exactly(&p, "{\"return\": {\"status\": \"prelaunch\", ");
    expect(strstr(p.line, "\"running\": false"), "%s", p.line);
    expect(strstr(p.line, "\"id\": \"__qmp#00001\"}"), "%s", p.line);
    say(&p, "{\"execute\": \"cont\", \"id\": \"__qmp#00002\"}");
    hear_event(&p, "RESUME");
    hear_exactly(&p, "{\"return\": {}, \"id\": \"__qmp#00002\"}");
    say(&p, "{\"execute\": \"system_reset\", \"id\": \"__qmp#00003\"}");
    hear_event(&p, "RESET");
    hear_exactly(&p, "{\"return\": {}, \"id\": \"__qmp#00003\"}");
    say(&p, "{\"execute\": \"stop\", \"id\": \"__qmp#00004\"}");
    hear_event(&p, "STOP");
    hear_exactly(&p, "{\"return\": {}, \"id\": \"__qmp#00004\"}");
    say(&p, "{\"execute\": \"quit\", \"id\": \"__qmp#00005\"}");
    hear_event(&p, "SHUTDOWN");
    expect(strstr(p.line, "\"data\": {\"guest\": false, \"reason\": "
                  "\"host-qmp-quit\"}"), "%s", p.line);
    hear_exactly(&p, "{\"return\": {}, \"id\": \"__qmp#00005\"}");
    expect(!hear(&p), "more than the end: %s", p.line);
    program_end(&p);
}
END_TEST

/* One without capabilities and ids. */
START_TEST(plain_client)
{
    Program p;

    program_start(&p);
    hear_greeting(&p);
    say(&p, "{\"execute\": \"qmp_capabilities\"}\r\n");
    hear_exactly(&p, "{\"return\": {}}");
    say(&p, "{\"execute\": \"human-monitor-command\", \"arguments\": "
        "{\"command-line\": \"info status\"}}\r\n");
    hear_exactly(&p, "{\"return\": \"VM status: paused (prelaunch)\\r\\n\"}");
    say(&p, "{\"execute\": \"no-such-command\"}\r\n");
    hear_exactly(&p, "{\"error\": {\"class\": \"CommandNotFound\", ");
    say(&p, "{\"execute\": \"quit\"}\r\n");
    hear_event(&p, "SHUTDOWN");
    hear_exactly(&p, "{\"return\": {}}");
    expect(!hear(&p), "more than the end: %s", p.line);
    program_end(&p);
}
END_TEST

/* The tests' own client, with the schema: see qmp-client.h. */
START_TEST(own_client)
{
    QMPClient *client = qmp_client_spawn("-M", "microvm", "-accel", "qtest",
                                         "-nodefaults", "-display", "none", NULL);
    JsonNode *result = qmp_run(client, "query-version", NULL);

    expect(*json_string_at(result, "package"), "no package");
    result = qmp_run(client, "query-commands", NULL);
    expect(json_find(result, "name", "quit") && !json_find(result, "name", "x"),
           "commands");
    result = qmp_run(client, "query-events", NULL);
    expect(json_find(result, "name", "SHUTDOWN"), "events");
    qmp_expect_error(client, "query-version", "{\"a\": 1}",
                     "GenericError: Parameter 'a' is unexpected");
    qmp_client_free(client);
}
END_TEST

TEST_MAIN("qmp-program", asynchronous_client, plain_client, own_client)
