/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that a user adds: making and deleting them, each kind, what a machine
 * does with one.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hw/core/iothread.h"
#include "hw/core/machine.h"
#include "hw/core/memory-backend.h"
#include "tests/test-util.h"

static GError *err;

/* madvise(@advice) fails: the host cannot do it. 0: it can do all. */
static int refused_advice;

int __real_madvise(void *addr, size_t length, int advice);
int __wrap_madvise(void *addr, size_t length, int advice);

int __wrap_madvise(void *addr, size_t length, int advice)
{
    if (refused_advice && advice == refused_advice) {
        errno = EINVAL;
        return -1;
    }
    return __real_madvise(addr, length, advice);
}

static void expect_refused(bool ok, const char *word1, const char *word2)
{
    expect(!ok, "accepted, where '%s' was to be said", word1);
    expect(strstr(err->message, word1) && strstr(err->message, word2),
           "'%s' lacks '%s' or '%s'", err->message, word1, word2);
    g_clear_error(&err);
}

static void add(const char *text)
{
    expect(user_object_add(text, &err), "%s: %s", text, err->message);
}

static void del(const char *id)
{
    expect(user_object_del(id, &err), "%s: %s", id, err->message);
}

static MemoryBackend *backend(const char *id)
{
    UserObject *obj = user_object_find(id, "memory-backend", &err);

    expect(obj, "%s: %s", id, err->message);
    return (MemoryBackend *)obj;
}

static bool set_bool(const char *id, const char *name, bool value)
{
    Object *obj = object_resolve(id, NULL);
    g_autoptr(GVariant) variant =
        g_variant_ref_sink(g_variant_new_boolean(value));

    return object_set(obj, name, variant, &err);
}

static bool get_bool(const char *id, const char *name)
{
    g_autoptr(GVariant) value =
        g_variant_ref_sink(object_get(object_resolve(id, NULL), name, &err));

    return g_variant_get_boolean(value);
}

/* ---- making and deleting ------------------------------------------------------- */

START_TEST(refusals)
{
    static const struct {
        const char *text, *word1, *word2;
    } cases[] = {
        { "", "Parameter 'qom-type' is missing", "" },
        { "id=a", "Parameter 'qom-type' is missing", "" },
        { "iothread", "Parameter 'id' is missing", "" },
        { "iothread,id", "'id' needs a value", "" },
        { "iothread,id=1", "Parameter 'id' expects an identifier", "'1'" },
        { "iothread,id=", "Parameter 'id' expects an identifier", "''" },
        { "iothraed,id=a", "invalid object type: iothraed",
          "did you mean 'iothread'?" },
        { "teapot,id=a", "invalid object type: teapot", "-object help" },
        { "user-creatable,id=a", "invalid object type", "user-creatable" },
        { "iothread,id=a,size=3", "object 'a' (iothread)", "'size'" },
        { "memory-backend-ram,id=a", "object 'a' (memory-backend-ram)",
          "Parameter 'size' is missing" },
        { "memory-backend-ram,id=a,size=0", "Parameter 'size' is missing", "" },
        { "memory-backend-ram,id=a,size=4095", "'size' cannot be 4095",
          "whole pages" },
        { "memory-backend-ram,id=a,size=lots", "'size' cannot be 'lots'", "" },
        { "memory-backend-ram,id=a,size=1M,share=maybe",
          "'share' cannot be 'maybe'", "on or off" },
        { "memory-backend-ram,id=a,size=1M,shaer=on", "'shaer'",
          "did you mean 'share'?" },
        { "memory-backend-ram,id=a,size=8388608T", "object 'a'", "bytes" },
        { "memory-backend-memfd,id=a,size=1M,share=off",
          "'share' cannot be off", "memory-backend-ram" },
        { "memory-backend-file,id=a,size=1M", "Parameter 'mem-path' is missing",
          "" },
        { "memory-backend-file,id=a,size=1M,mem-path=", "'mem-path' is missing",
          "" },
        { "memory-backend-file,id=a,size=1M,mem-path=/nonexistent/x",
          "'/nonexistent/x' cannot be opened", "object 'a'" },
        { "memory-backend-file,id=a,size=1M,mem-path=/tmp,align=3",
          "alignment 3", "power of two" },
        { "memory-backend-file,id=a,mem-path=/tmp", "'size' is missing", "" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        expect_refused(user_object_add(cases[i].text, &err), cases[i].word1,
                       cases[i].word2);
        expect(!object_resolve("/objects/a", NULL), "%s: something is left",
               cases[i].text);
    }
}
END_TEST

START_TEST(life)
{
    add("memory-backend-ram,id=m0,size=1M");
    add("size=64K,qom-type=memory-backend-ram,id=m1");
    expect_refused(user_object_add("iothread,id=m0", &err),
                   "attempt to add duplicate property 'm0' to object (type "
                   "'container')", "another id");
    expect(object_resolve("/objects/m1", NULL) ==
           &backend("m1")->user.object, "the tree");
    expect_refused(user_object_del("m2", &err), "object 'm2' not found", "");

    user_object_ref(&backend("m0")->user);
    user_object_ref(&backend("m0")->user);
    user_object_unref(&backend("m0")->user);
    expect_refused(user_object_del("m0", &err),
                   "object 'm0' is in use, can not be deleted", "");
    user_object_unref(&backend("m0")->user);
    del("m0");
    expect_refused(user_object_del("m0", &err), "object 'm0' not found", "");
    add("iothread,id=m0");
    expect_refused(user_object_find("m0", "memory-backend", &err) != NULL,
                   "object 'm0' is a 'iothread'", "'memory-backend'");
    user_objects_free();
    expect(!object_resolve("m0", NULL) && !object_resolve("m1", NULL),
           "not all are gone");
    user_objects_free();
}
END_TEST

static void add_id(UserObject *obj, void *opaque)
{
    g_string_append_printf(opaque, "%s ", obj->id);
}

static void expect_all(const char *type, const char *ids)
{
    g_autoptr(GString) found = g_string_new(NULL);

    user_object_foreach(type, add_id, found);
    ck_assert_str_eq(found->str, ids);
}

START_TEST(listing)
{
    expect_all("user-creatable", "");
    add("memory-backend-ram,id=m0,size=1M");
    add("iothread,id=io0");
    add("memory-backend-memfd,id=m1,size=1M");
    expect_all("user-creatable", "m0 io0 m1 ");
    expect_all("memory-backend", "m0 m1 ");
    expect_all("memory-backend-memfd", "m1 ");
    expect_all("iothread", "io0 ");
    expect_all("device", "");
    user_objects_free();
}
END_TEST

START_TEST(help)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    user_object_print_types(out);
    expect(user_object_print_properties("memory-backend-file", out, &err),
           "properties");
    expect_refused(user_object_print_properties("iothred", out, &err),
                   "invalid object type: iothred", "iothread");
    fclose(out);
    expect(strstr(text, "\nmemory-backend-ram     anonymous memory\n"), "%s",
           text);
    expect(strstr(text, "\n  size=<size>  bytes, whole pages\n"), "%s", text);
    for (unsigned i = 0; user_object_types[i]; i++) {
        expect(strstr(text, user_object_types[i]->name), "%s",
               user_object_types[i]->name);
    }
    free(text);
}
END_TEST

/* ---- memory -------------------------------------------------------------------- */

START_TEST(anonymous_memory)
{
    MemoryBackend *m;
    uint8_t *host;

    add("memory-backend-ram,id=m0,size=1M");
    m = backend("m0");
    host = memory_region_get_ram_ptr(&m->mr);
    expect(memory_region_size(&m->mr) == 1 << 20 && host[0] == 0 &&
           memory_region_get_fd(&m->mr) < 0, "the region");
    ck_assert_str_eq(memory_region_name(&m->mr), "m0");
    host[(1 << 20) - 1] = 1;
    add("memory-backend-ram,id=m1,size=1M,share=on");
    expect(memory_region_get_fd(&backend("m1")->mr) >= 0, "nothing to share");
    add("memory-backend-memfd,id=m2,size=1M");
    expect(memory_region_get_fd(&backend("m2")->mr) >= 0, "nothing to share");
    expect(get_bool("m2", "share") && !get_bool("m0", "share"), "share");
    user_objects_free();
}
END_TEST

START_TEST(memory_in_a_file)
{
    g_autofree char *dir = g_dir_make_tmp("flatview-objects-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "ram", NULL);
    g_autofree char *content = NULL, *text = NULL;
    gsize len;
    uint8_t *host;

    text = g_strdup_printf("memory-backend-file,id=f0,size=8K,mem-path=%s,"
                           "share=on", path);
    add(text);
    host = memory_region_get_ram_ptr(&backend("f0")->mr);
    host[8191] = 'z';
    del("f0");
    expect(g_file_get_contents(path, &content, &len, NULL) && len == 8192 &&
           content[8191] == 'z', "the file of %zu bytes", len);

    /* Private: the content is there, what is written stays here. */
    g_free(text);
    text = g_strdup_printf("memory-backend-file,id=f0,size=8K,mem-path=%s", path);
    add(text);
    host = memory_region_get_ram_ptr(&backend("f0")->mr);
    expect(host[8191] == 'z', "the content");
    host[8191] = 'y';
    del("f0");
    g_free(g_steal_pointer(&content));
    expect(g_file_get_contents(path, &content, &len, NULL) &&
           content[8191] == 'z', "written to the file");
    unlink(path);
    rmdir(dir);
}
END_TEST

/* Pages of the file that is mapped at @host, as the kernel counts them. */
static uint64_t smaps_value(const void *host, const char *key, char *flags)
{
    g_autofree char *smaps = NULL;
    g_auto(GStrv) lines = NULL;
    uint64_t value = UINT64_MAX;
    bool here = false;

    expect(g_file_get_contents("/proc/self/smaps", &smaps, NULL, NULL),
           "no /proc/self/smaps");
    lines = g_strsplit(smaps, "\n", 0);
    for (char **line = lines; *line; line++) {
        unsigned long start, end;

        if (sscanf(*line, "%lx-%lx ", &start, &end) == 2) {
            here = start <= (uintptr_t)host && (uintptr_t)host < end;
        } else if (here && g_str_has_prefix(*line, key)) {
            value = g_ascii_strtoull(*line + strlen(key), NULL, 10);
        } else if (here && g_str_has_prefix(*line, "VmFlags:")) {
            g_strlcpy(flags, *line, 256);
        }
    }
    return value;
}

START_TEST(settings_reach_the_host)
{
    char flags[256];
    void *host;

    add("memory-backend-ram,id=m0,size=4M");
    host = memory_region_get_ram_ptr(&backend("m0")->mr);
    expect_hex(smaps_value(host, "Rss:", flags), 0);
    expect(!strstr(flags, " dd") && !strstr(flags, " mg"), "%s", flags);
    expect(set_bool("m0", "dump", false), "%s", err ? err->message : "?");
    smaps_value(host, "Rss:", flags);
    expect(strstr(flags, " dd"), "%s", flags);
    expect(set_bool("m0", "dump", true), "%s", err ? err->message : "?");
    smaps_value(host, "Rss:", flags);
    expect(!strstr(flags, " dd"), "%s", flags);
    if (set_bool("m0", "merge", true)) {
        smaps_value(host, "Rss:", flags);
        expect(strstr(flags, " mg") && get_bool("m0", "merge"), "%s", flags);
        expect(set_bool("m0", "merge", false), "%s", err ? err->message : "?");
        smaps_value(host, "Rss:", flags);
        expect(!strstr(flags, " mg"), "%s", flags);
    } else { /* a host without KSM: said so, and the value is as before */
        expect_refused(false, "'merge' cannot be set", "KSM");
        expect(!get_bool("m0", "merge"), "merge is on");
    }
    add("memory-backend-ram,id=m1,size=4M,prealloc=on,dump=off");
    host = memory_region_get_ram_ptr(&backend("m1")->mr);
    expect_hex(smaps_value(host, "Rss:", flags), 4096);
    expect(strstr(flags, " dd"), "%s", flags);
    user_objects_free();
}
END_TEST

/* The value stays what it was, and what cannot be made is not there. */
START_TEST(a_host_that_cannot)
{
    add("memory-backend-ram,id=m0,size=1M");
    refused_advice = MADV_MERGEABLE;
    expect_refused(set_bool("m0", "merge", true), "'merge' cannot be set: "
                   "Invalid argument", "object 'm0' (memory-backend-ram)");
    expect(!get_bool("m0", "merge"), "merge is on");
    expect_refused(user_object_add("memory-backend-ram,id=m1,size=1M,merge=on",
                                   &err), "'merge' cannot be set", "KSM");
    refused_advice = MADV_DONTDUMP;
    expect_refused(set_bool("m0", "dump", false), "'dump' cannot be set",
                   "huge pages");
    expect(get_bool("m0", "dump"), "dump is off");
    refused_advice = 23; /* MADV_POPULATE_WRITE */
    expect_refused(user_object_add("memory-backend-memfd,id=m1,size=1M,"
                                   "prealloc=on", &err),
                   "cannot be allocated now", "leave prealloc off");
    expect(!object_resolve("m1", NULL), "m1 is there");
    refused_advice = 0;
    add("memory-backend-ram,id=m1,size=1M,prealloc=on");
    user_objects_free();
}
END_TEST

START_TEST(what_can_be_set_later)
{
    g_autoptr(GArray) list = NULL;
    unsigned writable = 0;

    add("memory-backend-ram,id=m0,size=1M");
    list = object_properties(object_resolve("m0", NULL));
    for (guint i = 0; i < list->len; i++) {
        ObjectProperty *p = &g_array_index(list, ObjectProperty, i);

        expect(p->writable == (strcmp(p->name, "merge") == 0 ||
                               strcmp(p->name, "dump") == 0), "%s", p->name);
        writable += p->writable;
    }
    expect(writable == 2, "%u can be set", writable);
    expect_refused(set_bool("m0", "share", true), "cannot change property share "
                   "of memory-backend-ram", "");
    expect(!get_bool("m0", "share"), "changed");
    expect_refused(set_bool("m0", "what", true),
                   "Property 'memory-backend-ram.what' not found", "");
    expect_refused(object_set(object_resolve("m0", NULL), "dump",
                              g_variant_new_string("off"), &err),
                   "Invalid parameter type for 'dump', expected: boolean", "");
    add("iothread,id=io0");
    expect_refused(set_bool("io0", "thread-id", true),
                   "cannot change property thread-id of iothread", "");
    user_objects_free();
}
END_TEST

/* ---- threads ------------------------------------------------------------------- */

static pid_t ran_in;
static GMainContext *ran_context;
static GMutex ran_lock;
static GCond ran;

static gboolean note_thread(gpointer opaque)
{
    g_mutex_lock(&ran_lock);
    ran_in = gettid();
    ran_context = g_main_context_get_thread_default();
    g_cond_signal(&ran);
    g_mutex_unlock(&ran_lock);
    return G_SOURCE_REMOVE;
}

START_TEST(threads)
{
    g_autoptr(GVariant) id = NULL;
    g_autofree char *task = NULL;
    UserObject *io;
    GSource *source = g_idle_source_new();

    add("iothread,id=io0");
    add("iothread,id=io1");
    io = user_object_find("io1", "iothread", &err);
    id = g_variant_ref_sink(object_get(&io->object, "thread-id", &err));
    g_source_set_callback(source, note_thread, NULL, NULL);
    g_source_attach(source, iothread_context(io));
    g_source_unref(source);
    g_mutex_lock(&ran_lock);
    while (!ran_in) {
        g_cond_wait(&ran, &ran_lock);
    }
    g_mutex_unlock(&ran_lock);
    expect(ran_in != getpid() && g_variant_get_int64(id) == ran_in,
           "it ran in thread %d", ran_in);
    expect(ran_context == iothread_context(io), "what is made there has another "
           "loop");
    task = g_strdup_printf("/proc/self/task/%d", ran_in);
    expect(g_file_test(task, G_FILE_TEST_EXISTS), "no %s", task);
    del("io1");
    expect(!g_file_test(task, G_FILE_TEST_EXISTS), "%s is still there", task);
    for (unsigned i = 0; i < 50; i++) { /* made and at once deleted */
        add("iothread,id=io1");
        del("io1");
    }
    user_objects_free();
}
END_TEST

/* ---- as a machine's RAM -------------------------------------------------------- */

static Machine *machine_with(const char *id, uint64_t ram_size)
{
    Machine *machine = machine_new(machine_type_find("microvm", NULL));

    expect(machine_set(machine, "memory-backend", id, &err), "memory-backend");
    machine->ram_size = ram_size;
    return machine;
}

START_TEST(ram_of_a_machine)
{
    Machine *machine;
    uint8_t *host;

    add("memory-backend-ram,id=m0,size=32M");
    host = memory_region_get_ram_ptr(&backend("m0")->mr);
    for (unsigned i = 0; i < 2; i++) { /* with -m, and without */
        machine = machine_with("m0", i ? 32 << 20 : 0);
        expect(machine_init(machine, &err), "%s", err ? err->message : "?");
        expect_hex(machine->ram_size, 32 << 20);
        address_space_stl(&machine->memory, 0x1234560, 0x11223344,
                          MEMTXATTRS_UNSPECIFIED, NULL);
        expect_hex(*(uint32_t *)(host + 0x1234560), 0x11223344);
        expect_refused(user_object_del("m0", &err), "object 'm0' is in use", "");
        machine_free(machine);
        memset(host, 0, 32 << 20);
    }
    del("m0");
}
END_TEST

START_TEST(ram_that_does_not_fit)
{
    Machine *machine = machine_with("m0", 0);

    expect(!machine_init(machine, &err), "no such object");
    ck_assert_str_eq(err->message, "memory-backend 'm0': object 'm0' not found");
    g_clear_error(&err);
    machine_free(machine);

    add("memory-backend-ram,id=m0,size=32M");
    machine = machine_with("m0", 64 << 20);
    expect_refused(machine_init(machine, &err), "memory-backend 'm0'",
                   "33554432 bytes is not that of -m, 67108864");
    machine_free(machine);

    machine = machine_with("m0", 0);
    machine->mem_path = g_strdup("/tmp");
    expect_refused(machine_init(machine, &err), "memory-backend 'm0'",
                   "-mem-path exclude");
    machine_free(machine);

    add("iothread,id=io0");
    machine = machine_with("io0", 0);
    expect_refused(machine_init(machine, &err), "'io0' is a 'iothread'", "");
    machine_free(machine);
    del("m0"); /* nobody holds it */
    del("io0");
}
END_TEST

TEST_MAIN("user-object", refusals, life, listing, help, anonymous_memory,
          memory_in_a_file, settings_reach_the_host, a_host_that_cannot,
          what_can_be_set_later,
          threads, ram_of_a_machine, ram_that_does_not_fit)
