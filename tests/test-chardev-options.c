/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices by name: -chardev and what monitors ask for, ids, backends
 * without a peer, several frontends on one.
 */
#include "tests/chardev-util.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRONTENDS_MAX 8 /* of one character device */

static Chardev *open_opts(const char *text)
{
    GError *err = NULL;
    Chardev *chr = chardev_open_opts(text, &err);

    expect(chr, "%s: %s", text, err->message);
    return chr;
}

static Chardev *open_opts_with_sink(const char *text, size_t room)
{
    Chardev *chr = open_opts(text);

    sink_init(room);
    expect(chardev_attach(chr, &sink_frontend, &sink, NULL), "attach");
    return chr;
}

/* ---- what can be asked for ----------------------------------------------------- */

START_TEST(bad_options)
{
    static const struct {
        const char *text, *word;
    } cases[] = {
        { "null", "needs an id: null,id=ID" },
        { "", "needs an id" },
        { "nul,id=a", "did you mean 'null'?" },
        { "id=a", "there is no kind ''; it can be file, null, pty," },
        { "null,id=1a", "identifier" },
        { "null,id=", "identifier" },
        { "null,id=a/b", "identifier" },
        { "null,id=a,path=/x", "no property 'path'" },
        { "null,id=a,mux=maybe", "it takes on or off" },
        { "file,id=a", "path=PATH" },
        { "file,id=a,path=", "path=PATH" },
        { "file,id=a,path", "needs a value" },
        { "file,id=a,paht=x", "did you mean 'path'?" },
        { "file,id=a,path=/nonexistent/x", "cannot open /nonexistent/x: No such" },
        { "file,id=a,path=/dev/null,input-path=/nonexistent/y",
          "cannot open /nonexistent/y: No such" },
        { "null,id=a,logfile=/nonexistent/log",
          "cannot open the log /nonexistent/log: No such" },
        { "ringbuf,id=a,size=1000", "must be power of two" },
        { "ringbuf,id=a,size=0", "must be power of two" },
        { "ringbuf,id=a,size=4G", "'size' cannot be '4G'" },
        { "socket,id=a", "one of path=PATH" },
        { "socket,id=a,path=", "path of the socket is empty" },
        { "socket,id=a,path=/x,host=h,port=1", "one of path=PATH" },
        { "socket,id=a,host=h", "host and port go together" },
        { "socket,id=a,path=/x,port=1", "host and port go together" },
        { "socket,id=a,host=h,port=", "host and port go together" },
        { "socket,id=a,path=/x,telnet=on", "telnet is not spoken" },
        { "socket,id=a,path=/x,wait=on", "only a server can wait" },
        { "socket,id=a,path=/x,server=on,wait=off,reconnect=1",
          "only a client" },
        { "socket,id=a,path=/x,reconnect=4000000", "longer than anybody waits" },
        { "socket,id=a,host=h,port=1,ipv4=off,ipv6=off", "leave no address" },
        { "socket,id=a,host=127.0.0.1,port=1,ipv6", "cannot find 127.0.0.1:1" },
        { "socket,id=a,host=127.0.0.1,port=no-such-service", "cannot find" },
        { "socket,id=a,path=/nonexistent/s", "cannot connect to /nonexistent/s" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *err = NULL;

        expect(!chardev_open_opts(cases[i].text, &err), "'%s' opens",
               cases[i].text);
        expect_error(err, cases[i].word, NULL);
        expect(!chardev_open_opts(cases[i].text, NULL), "'%s' opens",
               cases[i].text);
        expect(!chardev_find("a"), "'%s' stays behind", cases[i].text);
    }
}
END_TEST

START_TEST(bad_tcp_specs)
{
    static const char *const specs[] = {
        "tcp:", "tcp:host", "tcp:host:", "tcp:[::1:5", "tcp:,server", "tcp",
        "socket", "socket:x", "file", "unix", "mon:", "udp:h:1", "telnet:h:1",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(specs); i++) {
        GError *err = NULL;

        expect(!chardev_open("c0", specs[i], &err), "'%s' opens", specs[i]);
        expect_error(err, "chardev 'c0'", NULL);
    }
}
END_TEST

/* "help": everything that the table has. */
START_TEST(help)
{
    g_autofree char *path = path_of("help");
    g_autofree char *text = NULL;
    FILE *out = fopen(path, "w");
    GError *err = NULL;

    chardev_print_backends(out);
    for (const char *const *name = chardev_backends(); *name; name++) {
        fprintf(out, "<%s>\n", *name);
        expect(chardev_print_keys(*name, out, NULL), "%s", *name);
    }
    fclose(out);
    expect(g_file_get_contents(path, &text, NULL, NULL), "no %s", path);
    for (const char *const *name = chardev_backends(); *name; name++) {
        expect(strstr(text, *name), "no %s", *name);
    }
    expect(strstr(text, "reconnect=<number>") && strstr(text, "logfile=<text>") &&
           strstr(text, "(default 64K)"), "%s", text);
    expect(!chardev_print_keys("sock", stdout, &err), "no such kind");
    expect_error(err, "did you mean 'socket'?", NULL);
}
END_TEST

/* Every kind and every key is in the man page. */
START_TEST(man_page)
{
    const char *src = g_getenv("SRC_PATH");
    g_autofree char *man = src ? g_build_filename(src, "docs/flatview.1", NULL)
                               : NULL;
    g_autofree char *path = path_of("keys"), *keys = NULL, *text = NULL;
    g_auto(GStrv) lines = NULL;
    FILE *out = fopen(path, "w");

    for (const char *const *name = chardev_backends(); *name; name++) {
        fprintf(out, "  %s=\n", *name);
        expect(chardev_print_keys(*name, out, NULL), "%s", *name);
    }
    fclose(out);
    if (!man) {
        return; /* run by hand */
    }
    expect(g_file_get_contents(man, &text, NULL, NULL) &&
           g_file_get_contents(path, &keys, NULL, NULL), "no %s", man);
    lines = g_strsplit(keys, "\n", 0);
    for (unsigned i = 0; lines[i] && *lines[i]; i++) {
        *strchr(lines[i], '=') = '\0';
        expect(strstr(text, lines[i] + 2), "it does not tell of%s", lines[i]);
    }
}
END_TEST

START_TEST(ids)
{
    g_autoptr(GPtrArray) list = NULL;
    Chardev *a = open_opts("null,id=a"), *b = chardev_open("b", "null", NULL);
    GError *err = NULL;

    expect(chardev_find("a") == a && chardev_find("b") == b &&
           !chardev_find("c"), "found");
    expect(chardev_open("x", "chardev:b", NULL) == b && !chardev_find("x"),
           "chardev:b");
    expect(!chardev_open("x", "chardev:c", &err), "chardev:c");
    expect_error(err, "'c' not found", "-chardev", NULL);
    err = NULL;
    expect(!chardev_open("a", "null", &err), "twice");
    expect_error(err, "Chardev with id 'a' already exists", NULL);
    err = NULL;
    list = chardev_list();
    expect(list->len == 2 && list->pdata[0] == a && list->pdata[1] == b, "list");

    expect(!chardev_remove("c", &err), "none of that id");
    expect_error(err, "Chardev 'c' not found", NULL);
    err = NULL;
    sink_init(0);
    expect(chardev_attach(b, &sink_frontend, &sink, NULL), "attach");
    expect(!chardev_remove("b", &err), "a frontend has it");
    expect_error(err, "Chardev 'b' is busy", NULL);
    chardev_detach(b, &sink);
    sink_free();
    chardev_hold(b);
    expect(!chardev_remove("b", NULL), "somebody holds it");
    chardev_release(b);
    expect(chardev_remove("b", NULL) && !chardev_find("b"), "remove");
    chardev_close_all();
    expect(!chardev_find("a"), "still there");
    chardev_close_all();
}
END_TEST

/* A property that names one keeps it; a device that goes lets it go. */
START_TEST(held_by_property)
{
    static const int port[] = { 0xe9 };
    GError *err = NULL;

    test_machine_init();
    test_chardev("con", "null");
    test_device("isa-debugcon", port, "chardev", "con", NULL);
    expect(!chardev_remove("con", &err), "a device has it");
    expect_error(err, "busy", NULL);
    port_out(0xe9, 'x', 1);
    g_ptr_array_set_size(test_machine.devices, 0);
    expect(chardev_remove("con", NULL), "nobody has it");
    test_machine_free();
}
END_TEST

START_TEST(objects)
{
    Chardev *chr = open_opts("ringbuf,id=ring");
    Object *obj = object_resolve("/chardevs/ring", NULL);
    g_autoptr(GVariant) connected = NULL;

    expect(obj == (Object *)chr, "it is not in the tree");
    ck_assert_str_eq(obj->type, "chardev-ringbuf");
    connected = g_variant_ref_sink(object_get(obj, "connected", NULL));
    expect(g_variant_get_boolean(connected), "not connected");
    chardev_close(chr);
    expect(!object_resolve("/chardevs/ring", NULL), "it stays in the tree");
}
END_TEST

/* What a monitor asks for: texts of values, and nothing is waited for. */
START_TEST(settings)
{
    g_autofree char *path = path_of("socket");
    g_autoptr(GHashTable) table = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree char *name = NULL, *wanted = NULL;
    GError *err = NULL;
    Chardev *chr;

    expect(!chardev_open_settings("a", "sockt", table, &err), "no such kind");
    expect_error(err, "chardev 'a'", "did you mean 'socket'?", NULL);
    g_hash_table_insert(table, "path", path);
    g_hash_table_insert(table, "server", "on");
    g_hash_table_insert(table, "wait", "on");
    g_hash_table_insert(table, "telnet", "off");
    err = NULL;
    chr = chardev_open_settings("a", "socket", table, &err);
    expect(chr, "%s", err->message);
    name = chardev_filename(chr);
    wanted = g_strdup_printf("disconnected:unix:%s,server=on", path);
    ck_assert_str_eq(name, wanted);
    chardev_close(chr);
}
END_TEST

START_TEST(names)
{
    static const struct {
        const char *spec, *name;
    } cases[] = {
        { "null", "null" }, { "testdev", "testdev" }, { "ringbuf", "ringbuf" },
        { "file:/dev/null", "file" }, { "ringbuf,size=4K", "ringbuf" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Chardev *chr = chardev_open("c0", cases[i].spec, NULL);
        g_autofree char *name = NULL;

        expect(chr, "%s", cases[i].spec);
        name = chardev_filename(chr);
        ck_assert_str_eq(name, cases[i].name);
        expect(chardev_is_connected(chr) && !chardev_has_frontend(chr) &&
               !chardev_is_terminal(chr), "%s", name);
        chardev_close(chr);
    }
}
END_TEST

/* ---- backends without a peer --------------------------------------------------- */

static void ring_expect(Chardev *chr, const char *wanted)
{
    uint8_t buf[64] = { 0 };
    ssize_t n = chardev_ringbuf_read(chr, buf, sizeof(buf) - 1);

    expect(n == (ssize_t)strlen(wanted), "%zd bytes", n);
    ck_assert_str_eq((char *)buf, wanted);
}

START_TEST(ringbuf)
{
    Chardev *chr = open_opts("ringbuf,id=a,size=8"), *other;
    uint8_t buf[4];

    ring_expect(chr, "");
    expect(say(chr, "abc"), "full");
    expect(chardev_ringbuf_read(chr, buf, 2) == 2 && memcmp(buf, "ab", 2) == 0,
           "the oldest first");
    ring_expect(chr, "c");
    expect(say(chr, "0123456789abcdef-XY"), "full");
    ring_expect(chr, "bcdef-XY");
    expect(chardev_ringbuf_write(chr, (const uint8_t *)"12345678", 8) == 8,
           "write");
    ring_expect(chr, "12345678");
    ring_expect(chr, "");
    chardev_close(chr);
    other = open_opts("null,id=a");
    expect(chardev_ringbuf_read(other, buf, 1) == -EINVAL &&
           chardev_ringbuf_write(other, buf, 1) == -EINVAL, "null is none");
    chardev_close(other);
}
END_TEST

START_TEST(file_keys)
{
    g_autofree char *path = path_of("out,put"), *input = path_of("in");
    g_auto(GStrv) halves = g_strsplit(path, ",", 2);
    g_autofree char *text = g_strdup_printf(
        "file,id=a,path=%s,,%s,append=on,input-path=%s", halves[0], halves[1],
        input);
    Chardev *chr;

    expect(g_file_set_contents(path, "before ", -1, NULL) &&
           g_file_set_contents(input, "typed", -1, NULL), "set");
    chr = open_opts_with_sink(text, 3);
    test_loop();
    sink_expect("typ");
    sink_more(chr, 100);
    test_loop();
    sink_expect("typed");
    expect_idle();
    ck_assert_str_eq(sink.events->str, "OE");
    expect(say(chr, "after"), "full");
    close_with_sink(chr);
    expect_file(path, "before after");
}
END_TEST

START_TEST(logfile)
{
    g_autofree char *path = path_of("log");
    g_autofree char *text = g_strdup_printf("null,id=a,logfile=%s", path);
    g_autofree char *more = g_strconcat(text, ",logappend=on", NULL);
    Chardev *chr = open_opts(text);
    int saved = dup(2), null = open("/dev/null", O_WRONLY);

    expect(say(chr, "one ") && say(chr, "two "), "full");
    chardev_close(chr);
    chr = open_opts(more);
    expect(say(chr, "three"), "full");
    chardev_close(chr);
    expect_file(path, "one two three");
    chr = open_opts(text);
    chardev_close(chr);
    expect_file(path, "");

    dup2(null, 2); /* it says so, once */
    chr = open_opts("null,id=a,logfile=/dev/full");
    expect(say(chr, "lost") && say(chr, "lost"), "full");
    chardev_close(chr);
    dup2(saved, 2);
    close(saved);
    close(null);
}
END_TEST

START_TEST(testdev)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = { { "0q", 1 }, { "3q", 7 }, { "q", 1 }, { "zz12q", 25 } };
    Chardev *chr = open_opts("testdev,id=a");

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        memset(&requests, 0, sizeof(requests));
        expect(say(chr, cases[i].text), "full");
        expect(requests.shutdowns == 1 && requests.status == cases[i].status,
               "%s: status %d", cases[i].text, requests.status);
    }
    memset(&requests, 0, sizeof(requests));
    expect(say(chr, "12"), "full");
    expect(requests.shutdowns == 0, "it ends too early");
    chardev_close(chr);
}
END_TEST

/* on_writable from the main loop, without a refusal. */
START_TEST(write_soon)
{
    Chardev *chr = open_opts_with_sink("null,id=a", 0);

    chardev_write_soon(chr);
    chardev_write_soon(chr);
    expect(sink.writable == 0, "at once");
    test_loop_until(sink.writable);
    expect_idle();
    expect(sink.writable == 1, "%u times", sink.writable);
    chardev_write_soon(chr);
    chardev_detach(chr, &sink);
    expect_idle();
    expect(sink.writable == 1, "after it has gone");
    close_with_sink(chr);
}
END_TEST

/* ---- several frontends --------------------------------------------------------- */

static Sink others[FRONTENDS_MAX];

static void other_init(unsigned i, size_t room)
{
    others[i] = (Sink){ .got = g_byte_array_new(), .room = room,
                        .events = g_string_new(NULL) };
}

static void other_expect(unsigned i, const char *got, const char *events)
{
    GByteArray *a = others[i].got;

    expect(a->len == strlen(got) && (!*got || memcmp(a->data, got, a->len) == 0),
           "frontend %u got '%.*s', not '%s'", i, (int)a->len, (char *)a->data,
           got);
    ck_assert_str_eq(others[i].events->str, events);
}

static void others_free(unsigned n)
{
    while (n--) {
        g_byte_array_free(others[n].got, TRUE);
        g_string_free(others[n].events, TRUE);
    }
}

static void type(int fd, const char *keys)
{
    expect(write(fd, keys, strlen(keys)) == (ssize_t)strlen(keys), "write");
    test_loop();
}

/* One end of a socket as "c0" with these options; returns the other. */
static int mux_open(const char *options, Chardev **chr)
{
    int fds[2];
    g_autofree char *text = NULL;

    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
    text = g_strdup_printf("socket,id=c0,fd=%d%s", fds[0], options);
    *chr = open_opts(text);
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    return fds[1];
}

START_TEST(mux)
{
    Chardev *chr;
    int fd = mux_open(",mux=on", &chr);
    char buf[1024];
    ssize_t n;

    for (unsigned i = 0; i < 3; i++) {
        other_init(i, 100);
        expect(chardev_attach(chr, &sink_frontend, &others[i], NULL), "%u", i);
        other_expect(i, "", "O");
    }
    expect(chardev_has_focus(chr, &others[0]) &&
           !chardev_has_focus(chr, &others[1]), "focus");
    type(fd, "a\001cb\001c");
    type(fd, "c\001");
    type(fd, "cd\001\001\001z");
    other_expect(0, "ad\001\001z", "Ooi");
    other_expect(1, "b", "Oio");
    other_expect(2, "c", "Oio");
    type(fd, "\001b\001x");
    other_expect(0, "ad\001\001z", "OoiB");
    expect(requests.shutdowns == 1, "Ctrl-A x");
    memset(&requests, 0, sizeof(requests));

    expect(say(chr, "to all"), "full");
    n = read(fd, buf, sizeof(buf));
    expect(n == 6, "%zd", n);
    type(fd, "\001h");
    n = read(fd, buf, sizeof(buf) - 1);
    expect(n > 0, "no help");
    buf[n] = '\0';
    expect(strstr(buf, "Ctrl-A x") && strstr(buf, "Ctrl-A c"), "%s", buf);

    /* Whoever has the focus goes: the next one gets it. */
    chardev_detach(chr, &others[0]);
    other_expect(1, "b", "Oioi");
    type(fd, "e");
    other_expect(1, "be", "Oioi");
    chardev_detach(chr, &others[2]);
    type(fd, "\001cf");
    other_expect(1, "bef", "Oioi");
    chardev_detach(chr, &others[1]);
    type(fd, "for the next");
    other_init(3, 100);
    expect(chardev_attach(chr, &sink_frontend, &others[3], NULL), "attach");
    other_expect(3, "for the next", "O");
    close(fd);
    test_loop();
    other_expect(3, "for the next", "OC");
    chardev_close(chr);
    others_free(4);
}
END_TEST

/* One that takes nothing keeps neither the keys nor the others from working. */
START_TEST(mux_deaf)
{
    Chardev *chr;
    int fd = mux_open("", &chr);
    char block[4096];
    unsigned sent = 0;

    chardev_set_mux(chr, true);
    other_init(0, 0);
    other_init(1, 100);
    expect(chardev_attach(chr, &sink_frontend, &others[0], NULL) &&
           chardev_attach(chr, &sink_frontend, &others[1], NULL), "attach");
    type(fd, "deaf\001cheard\001c");
    other_expect(0, "", "Ooi");
    other_expect(1, "heard", "Oio");
    others[0].room = 2;
    chardev_accept_input(chr);
    other_expect(0, "de", "Ooi");
    others[0].room = 100;
    chardev_accept_input(chr);
    other_expect(0, "deaf", "Ooi");

    /* What is typed ahead has a bound. */
    others[0].room = 0;
    memset(block, 'x', sizeof(block));
    for (unsigned i = 0; i < 2000; i++) {
        ssize_t n = write(fd, block, sizeof(block));

        sent += MAX(n, 0);
        test_loop();
    }
    expect(sent >= 1 << 20 && sent < 4 << 20, "%u bytes", sent);
    expect_idle();
    close(fd);
    test_loop();
    chardev_close(chr);
    others_free(2);
}
END_TEST

/* What waited for one that goes, or from a peer that is sent away, is for nobody. */
START_TEST(mux_dropped)
{
    Chardev *chr;
    int fd = mux_open(",mux=on", &chr);

    for (unsigned i = 0; i < 3; i++) {
        other_init(i, 0);
    }
    expect(chardev_attach(chr, &sink_frontend, &others[0], NULL) &&
           chardev_attach(chr, &sink_frontend, &others[1], NULL), "attach");
    type(fd, "for 0\001cfor 1");
    chardev_detach(chr, &others[0]);
    others[2].room = 100;
    expect(chardev_attach(chr, &sink_frontend, &others[2], NULL), "attach");
    other_expect(2, "", "O");
    chardev_disconnect(chr);
    others[1].room = 100;
    chardev_accept_input(chr);
    other_expect(1, "", "OiC");
    other_expect(2, "", "OC");
    close(fd);
    chardev_close(chr);
    others_free(3);
}
END_TEST

START_TEST(mux_full)
{
    GError *err = NULL;
    Chardev *chr;
    int fd = mux_open(",mux=on", &chr);

    for (unsigned i = 0; i < FRONTENDS_MAX; i++) {
        other_init(i, 1);
        expect(chardev_attach(chr, &sink_frontend, &others[i], NULL), "%u", i);
    }
    expect(!chardev_attach(chr, &sink_frontend, &sink, &err), "one more");
    expect_error(err, "chardev 'c0'", "as many users as it can", NULL);
    /* A refusal is everybody's, and so is the end of it. */
    while (say(chr, "0123456789")) {
    }
    close(fd);
    test_loop();
    for (unsigned i = 0; i < FRONTENDS_MAX; i++) {
        expect(others[i].writable == 1, "frontend %u: %u", i,
               others[i].writable);
        other_expect(i, "", "OC");
    }
    for (unsigned i = 0; i < FRONTENDS_MAX; i++) {
        chardev_detach(chr, &others[i]);
    }
    expect(!chardev_has_frontend(chr), "somebody stays");
    chardev_close(chr);
    others_free(FRONTENDS_MAX);
}
END_TEST

/* The user turns away, and what was turned away from goes in the same moment. */
static Chardev *leaving;

static void leave_event(void *opaque, ChardevEvent event)
{
    if (event == CHARDEV_FOCUS_OUT || event == CHARDEV_FOCUS_IN ||
        event == CHARDEV_BREAK) {
        chardev_detach(leaving, opaque);
    }
}

static size_t leave_room(void *opaque)
{
    return 1;
}

static void leave_receive(void *opaque, const uint8_t *buf, size_t len)
{
    expect(len == 1, "%zu", len);
    if (*buf == 'd') {
        chardev_detach(leaving, opaque);
    }
}

START_TEST(mux_leaving)
{
    static const ChardevFrontend frontend = {
        .can_receive = leave_room,
        .receive = leave_receive,
        .event = leave_event,
    };
    static const char *const keys[] = { "\001c", "ab\001c", "\001b\001c", "d",
                                        "abd", "dd\001cdd", "\001cdddd\001c\001c" };

    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        static char names[4];
        int fd = mux_open(",mux=on", &leaving);

        for (unsigned n = 0; n < 4; n++) {
            expect(chardev_attach(leaving, &frontend, &names[n], NULL), "%u", n);
        }
        type(fd, keys[i]);
        type(fd, keys[i]);
        expect_idle();
        close(fd);
        expect_idle();
        chardev_close(leaving);
    }
}
END_TEST

START_TEST(not_mux)
{
    GError *err = NULL;
    Chardev *chr;
    int fd = mux_open("", &chr);

    chardev_set_mux(chr, false); /* no terminal: no matter */
    sink_init(100);
    expect(chardev_attach(chr, &sink_frontend, &sink, NULL), "attach");
    expect(!chardev_attach(chr, &sink_frontend, &others[0], &err), "two");
    expect_error(err, "in use by another device", "mux=on", NULL);
    type(fd, "\001x\001c\001");
    sink_expect("\001x\001c\001");
    close(fd);
    close_with_sink(chr);

    chr = chardev_open("c0", "mon:null", NULL);
    chardev_set_mux(chr, false); /* nor does it take back what was asked for */
    sink_init(100);
    other_init(0, 100);
    expect(chardev_attach(chr, &sink_frontend, &sink, NULL) &&
           chardev_attach(chr, &sink_frontend, &others[0], NULL), "mon:");
    close_with_sink(chr);
    others_free(1);
}
END_TEST

TEST_MAIN("chardev-options", bad_options, bad_tcp_specs, help, man_page, ids,
          held_by_property, objects, settings, names, ringbuf, file_keys,
          logfile, testdev, write_soon, mux, mux_deaf, mux_dropped, mux_full,
          mux_leaving, not_mux)
