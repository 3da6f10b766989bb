/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of qtest and QMP.
 */
#include "tests/qtest/qvm.h"

#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/device-util.h"

/* ---- start and end ----------------------------------------------------------------- */

static int server_at(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    expect(strlen(path) < sizeof(addr.sun_path), "%s is too long", path);
    strcpy(addr.sun_path, path);
    unlink(path);
    expect(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
           listen(fd, 1) == 0, "%s: %s", path, g_strerror(errno));
    return fd;
}

static void print_errors(QVM *vm)
{
    g_autofree char *text = qvm_errors(vm);

    fprintf(stderr, "the program wrote: %s\n", text);
}

/* Wait until there is something at @fd; the program's end is a failure. */
static void wait_input(QVM *vm, int fd, const char *what)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    int waited;

    for (waited = 0; poll(&p, 1, 100) <= 0; waited++) {
        if (waited >= 10 * QVM_WAIT_S || !qvm_is_alive(vm)) {
            print_errors(vm);
            test_fail("%s: %s", what, vm->pid ? "nothing comes" : "it has ended");
        }
    }
}

static int server_accept(QVM *vm, int server, const char *path)
{
    int fd;

    wait_input(vm, server, path);
    fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    close(server);
    unlink(path);
    return fd;
}

static void child_run(const QVM *vm, char **argv, pid_t parent)
{
    int in = open("/dev/null", O_RDWR);
    int err = open(vm->errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in, 0);
    dup2(in, 1);
    dup2(err, 2);
    if (getppid() == parent) {
        execv(argv[0], argv);
    }
    _exit(127);
}

static const char *program_path(void)
{
    const char *path = g_getenv("FLATVIEW");

    return path ? path : "./flatview-x86_64";
}

QVM *qvm_start_as(const char *program, QVMFlags flags, const char *options)
{
    static unsigned number;
    QVM *vm = g_new0(QVM, 1);
    g_autofree char *name = g_strdup_printf("vm%u", number++);
    g_autofree char *path = g_build_filename(test_folder(), name, NULL);
    char *qtest = g_strconcat(path, ".qtest", NULL);
    g_autofree char *qmp = g_strconcat(path, ".qmp", NULL);
    char *log = g_strconcat(path, ".log", NULL);
    g_autofree char *command = g_strdup_printf(
        "'%s' -qtest unix:'%s'%s -qtest-log '%s' "
        "-chardev socket,path='%s',id=char0 -mon chardev=char0,mode=control "
        "-display none -audio none %s -accel qtest",
        program ? program : program_path(), qtest,
        flags & QVM_SERVER ? ",server=on,wait=off" : "", log, qmp, options);
    g_auto(GStrv) argv = NULL;
    int qtest_server = flags & QVM_SERVER ? -1 : server_at(qtest);
    int qmp_server = server_at(qmp);
    pid_t parent = getpid();
    g_autofree char *greeting = NULL;

    expect(g_shell_parse_argv(command, NULL, &argv, NULL), "%s", command);
    vm->log = log;
    vm->path = qtest;
    vm->errors = g_strconcat(path, ".err", NULL);
    vm->rx = g_string_new(NULL);
    vm->qmp_rx = g_string_new(NULL);
    vm->line = g_string_new(NULL);
    vm->events = g_ptr_array_new_with_free_func(g_free);
    vm->serial_fd = -1;
    vm->pid = fork();
    if (vm->pid == 0) {
        child_run(vm, argv, parent);
    }
    vm->fd = flags & QVM_SERVER ? -1 : server_accept(vm, qtest_server, qtest);
    vm->qmp_fd = server_accept(vm, qmp_server, qmp);
    if (!(flags & QVM_GREETING)) {
        greeting = qvm_qmp_receive(vm);
        expect(strstr(greeting, "\"QMP\""), "the greeting is %s", greeting);
        qvm_qmp_ok(vm, "{'execute': 'qmp_capabilities'}");
    }
    return vm;
}

QVM *qvm_start(const char *fmt, ...)
{
    g_autofree char *options = NULL;
    va_list ap;

    va_start(ap, fmt);
    options = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return qvm_start_as(NULL, 0, options);
}

QVM *qvm_start_serial(const char *fmt, ...)
{
    g_autofree char *path = g_build_filename(test_folder(), "line", NULL);
    g_autofree char *more = NULL, *options = NULL;
    int server = server_at(path);
    va_list ap;
    QVM *vm;

    va_start(ap, fmt);
    more = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    options = g_strdup_printf("-chardev socket,id=s0,path='%s' "
                              "-serial chardev:s0 %s", path, more);
    vm = qvm_start_as(NULL, 0, options);
    vm->serial_fd = server_accept(vm, server, path);
    return vm;
}

void qvm_connect(QVM *vm)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    if (vm->fd >= 0) {
        close(vm->fd);
    }
    g_string_truncate(vm->rx, 0);
    vm->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(addr.sun_path, vm->path);
    expect(connect(vm->fd, (struct sockaddr *)&addr, sizeof(addr)) == 0,
           "%s: %s", vm->path, g_strerror(errno));
}

void qvm_refused(const char *words, const char *fmt, ...)
{
    g_autofree char *options = NULL, *line = NULL, *errors = NULL;
    int status = 0;
    va_list args;

    va_start(args, fmt);
    options = g_strdup_vprintf(fmt, args);
    va_end(args);
    line = g_strdup_printf("'%s' -M pc -accel qtest -nodefaults -display none -m 64 %s",
                           g_getenv("FLATVIEW"), options);
    expect(g_spawn_command_line_sync(line, NULL, &errors, &status, NULL), "%s", line);
    expect(status != 0, "%s: it starts", options);
    expect(strstr(errors, words), "%s: no '%s' in: %s", options, words, errors);
}

bool qvm_is_alive(QVM *vm)
{
    int status;

    if (vm->pid && waitpid(vm->pid, &status, WNOHANG) == vm->pid) {
        vm->pid = 0;
        fprintf(stderr, "the program ended with wait status 0x%x\n", status);
    }
    return vm->pid != 0;
}

int qvm_wait(QVM *vm)
{
    int status = 0;

    for (unsigned i = 0; waitpid(vm->pid, &status, WNOHANG) == 0; i++) {
        if (i == 100 * QVM_WAIT_S) {
            kill(vm->pid, SIGKILL);
            test_fail("the program does not end");
        }
        g_usleep(10000);
    }
    vm->pid = 0;
    if (WIFSIGNALED(status)) {
        print_errors(vm);
        test_fail("the program ended by signal %d", WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}

char *qvm_errors(QVM *vm)
{
    char *text = NULL;

    g_file_get_contents(vm->errors, &text, NULL, NULL);
    return text ? text : g_strdup("");
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void qvm_free(QVM *vm)
{
    close_fd(&vm->fd);
    close_fd(&vm->qmp_fd);
    close_fd(&vm->serial_fd);
    g_string_free(vm->rx, TRUE);
    g_string_free(vm->qmp_rx, TRUE);
    g_string_free(vm->line, TRUE);
    g_ptr_array_free(vm->events, TRUE);
    g_free(vm->errors);
    g_free(vm->log);
    g_free(vm->path);
    g_free(vm);
}

void qvm_end(QVM *vm)
{
    int status;

    expect(qvm_is_alive(vm), "it has ended before");
    kill(vm->pid, SIGTERM);
    status = qvm_wait(vm);
    if (status != 0) {
        print_errors(vm);
        test_fail("the program ended with status %d", status);
    }
    qvm_free(vm);
}

/* ---- lines --------------------------------------------------------------------------- */

static void send_all(QVM *vm, int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n < 0) {
            print_errors(vm);
            test_fail("send: %s", g_strerror(errno));
        }
        data += n;
        len -= n;
    }
}

/* Move the next line from @fd, of which @rx is what came too early, to @line. */
static void receive_line(QVM *vm, int fd, GString *rx, GString *line)
{
    static char buf[65536];
    size_t scanned = 0;
    const char *end;

    while (!(end = memchr(rx->str + scanned, '\n', rx->len - scanned))) {
        ssize_t n;

        scanned = rx->len;
        n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            wait_input(vm, fd, "a line");
            continue;
        }
        if (n <= 0) {
            print_errors(vm);
            test_fail("the program hung up");
        }
        g_string_append_len(rx, buf, n);
    }
    g_string_truncate(line, 0);
    g_string_append_len(line, rx->str, end - rx->str);
    g_string_erase(rx, 0, end + 1 - rx->str);
}

void qvm_send(QVM *vm, const void *data, size_t len)
{
    send_all(vm, vm->fd, data, len);
}

const char *qvm_receive(QVM *vm)
{
    receive_line(vm, vm->fd, vm->rx, vm->line);
    return vm->line->str;
}

static bool note_irq(QVM *vm, const char *line)
{
    char word[8];
    unsigned n;

    if (sscanf(line, "IRQ %7s %u", word, &n) != 2) {
        return false;
    }
    expect(n < QVM_IRQS, "%s", line);
    vm->irqs[n] = strcmp(word, "raise") == 0;
    vm->raises[n] += vm->irqs[n];
    return true;
}

const char *qvm_reply(QVM *vm)
{
    while (note_irq(vm, qvm_receive(vm))) {
    }
    return vm->line->str;
}

const char *qvm_command(QVM *vm, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    qvm_send(vm, text, strlen(text));
    qvm_send(vm, "\n", 1);
    return qvm_reply(vm);
}

/* ---- accesses -------------------------------------------------------------------------- */

static char width(unsigned size)
{
    return size == 1 ? 'b' : size == 2 ? 'w' : size == 4 ? 'l' : 'q';
}

static uint64_t reply_number(QVM *vm, const char *reply)
{
    char *end;
    uint64_t value;

    expect(g_str_has_prefix(reply, "OK "), "the reply is '%s'", reply);
    value = g_ascii_strtoull(reply + 3, &end, 0);
    expect(end > reply + 3 && !*end, "the reply is '%s'", reply);
    return value;
}

uint32_t qvm_in(QVM *vm, unsigned port, unsigned size)
{
    return reply_number(vm, qvm_command(vm, "in%c 0x%x", width(size), port));
}

void qvm_out(QVM *vm, unsigned port, uint32_t value, unsigned size)
{
    qvm_expect(vm, "OK", "out%c 0x%x 0x%x", width(size), port, value);
}

uint64_t qvm_load(QVM *vm, uint64_t addr, unsigned size)
{
    return reply_number(vm, qvm_command(vm, "read%c 0x%" PRIx64, width(size),
                                        addr));
}

void qvm_store(QVM *vm, uint64_t addr, uint64_t value, unsigned size)
{
    qvm_expect(vm, "OK", "write%c 0x%" PRIx64 " 0x%" PRIx64, width(size), addr,
               value);
}

void qvm_read(QVM *vm, uint64_t addr, void *data, size_t size)
{
    const char *reply = qvm_command(vm, "read 0x%" PRIx64 " 0x%zx", addr, size);

    expect(g_str_has_prefix(reply, "OK 0x") && strlen(reply) == 5 + 2 * size,
           "the reply to a read of %zu bytes is '%.80s'", size, reply);
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)data)[i] = g_ascii_xdigit_value(reply[5 + 2 * i]) << 4 |
                               g_ascii_xdigit_value(reply[6 + 2 * i]);
    }
}

void qvm_write(QVM *vm, uint64_t addr, const void *data, size_t size)
{
    g_autofree char *text = g_malloc(2 * size + 1);

    for (size_t i = 0; i < size; i++) {
        sprintf(text + 2 * i, "%02x", ((const uint8_t *)data)[i]);
    }
    qvm_expect(vm, "OK", "write 0x%" PRIx64 " 0x%zx 0x%s", addr, size, text);
}

int64_t qvm_clock_step(QVM *vm, int64_t ns)
{
    return reply_number(vm, qvm_command(vm, "clock_step %" PRId64, ns));
}

int64_t qvm_clock_next(QVM *vm)
{
    return reply_number(vm, qvm_command(vm, "clock_step"));
}

bool qvm_irq(QVM *vm, unsigned n)
{
    qvm_command(vm, "endianness"); /* what was said before has been read then */
    return vm->irqs[n];
}

/* ---- texts with examples ---------------------------------------------------------- */

/* The machine that a line of the text starts. */
static QVM *start_as_told(const char *command)
{
    g_auto(GStrv) words = g_strsplit(command, " ", 0);
    g_autoptr(GString) options = g_string_new(NULL);

    ck_assert_str_eq(words[0], "flatview-x86_64");
    for (char **word = words + 1; *word; word++) {
        if (strcmp(*word, "-accel") == 0 || strcmp(*word, "-qtest") == 0 ||
            strcmp(*word, "-display") == 0) {
            word++; /* the client has these itself */
        } else {
            g_string_append_printf(options, " %s", *word);
        }
    }
    return qvm_start("%s", options->str);
}

char *qvm_follow_text(const char *name)
{
    const char *source = g_getenv("SRC_PATH");
    g_autofree char *path = g_build_filename(source ? source : ".", "docs", name, NULL);
    g_auto(GStrv) lines = NULL;
    unsigned sent = 0, received = 0;
    QVM *vm = NULL;
    char *text;

    expect(g_file_get_contents(path, &text, NULL, NULL), "no %s", path);
    lines = g_strsplit(text, "\n", 0);
    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, "    $ ")) {
            if (vm) {
                qvm_end(vm);
            }
            vm = start_as_told(*line + 6);
        } else if (g_str_has_prefix(*line, "    > ")) {
            qvm_send(vm, *line + 6, strlen(*line + 6));
            qvm_send(vm, "\n", 1);
            sent++;
        } else if (g_str_has_prefix(*line, "    < ")) {
            ck_assert_str_eq(qvm_receive(vm), *line + 6);
            received++;
        }
    }
    expect(vm && received >= sent && sent, "%s has no examples", path);
    qvm_end(vm);
    return text;
}

/* ---- QMP -------------------------------------------------------------------------------- */

char *qvm_qmp_receive(QVM *vm)
{
    GString *line = g_string_new(NULL);
    char *text;

    receive_line(vm, vm->qmp_fd, vm->qmp_rx, line);
    text = g_string_free(line, FALSE);
    return g_strchomp(text);
}

static JsonNode *parse(const char *text)
{
    GError *err = NULL;
    JsonNode *node = json_from_string(text, &err);

    expect(node && JSON_NODE_HOLDS_OBJECT(node), "QMP says '%s': %s", text,
           err ? err->message : "no object");
    return node;
}

/* The name of the event in @text, to be freed, or NULL. */
static char *event_name(const char *text)
{
    g_autoptr(JsonNode) node = parse(text);
    JsonObject *object = json_node_get_object(node);

    return g_strdup(json_object_get_string_member_with_default(object, "event",
                                                               NULL));
}

G_GNUC_PRINTF(2, 0)
static char *qmp_execute(QVM *vm, const char *fmt, va_list ap)
{
    g_autofree char *text = g_strdup_vprintf(fmt, ap);
    char *reply, *name;

    g_strdelimit(text, "'", '"');
    send_all(vm, vm->qmp_fd, text, strlen(text));
    send_all(vm, vm->qmp_fd, "\n", 1);
    for (;;) {
        reply = qvm_qmp_receive(vm);
        name = event_name(reply);
        if (!name) {
            return reply;
        }
        g_free(name);
        g_ptr_array_add(vm->events, reply);
    }
}

char *qvm_qmp(QVM *vm, const char *fmt, ...)
{
    va_list ap;
    char *reply;

    va_start(ap, fmt);
    reply = qmp_execute(vm, fmt, ap);
    va_end(ap);
    return reply;
}

void qvm_qmp_ok(QVM *vm, const char *fmt, ...)
{
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *reply = NULL;
    va_list ap;

    va_start(ap, fmt);
    reply = qmp_execute(vm, fmt, ap);
    va_end(ap);
    node = parse(reply);
    expect(json_object_has_member(json_node_get_object(node), "return"),
           "QMP says %s", reply);
}

char *qvm_event(QVM *vm, const char *name)
{
    for (;;) {
        g_autofree char *this = NULL;
        char *text = vm->events->len ? g_ptr_array_steal_index(vm->events, 0)
                                     : qvm_qmp_receive(vm);

        this = event_name(text);
        if (g_strcmp0(this, name) == 0) {
            return text;
        }
        g_free(text);
    }
}

char *qvm_hmp(QVM *vm, const char *line)
{
    g_autofree char *reply =
        qvm_qmp(vm, "{'execute': 'human-monitor-command', "
                "'arguments': {'command-line': '%s'}}", line);
    g_autoptr(JsonNode) node = parse(reply);
    const char *text = json_object_get_string_member_with_default(
        json_node_get_object(node), "return", NULL);

    expect(text, "'%s' gives %s", line, reply);
    return g_strdup(text);
}
