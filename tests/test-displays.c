/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Displays as modules: found and loaded, given their settings, opened and closed; by
 * way of tests/ui-probe.c, and of files that are no modules.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/device-util.h"
#include "tests/ui-probe.h"

static char *log_path; /* of the probes */

static void start(void)
{
    log_path = g_build_filename(test_folder(), "log", NULL);
}

static void stop(void)
{
    displays_close();
    g_free(log_path);
}

/* Open one. */
static void probe(const char *settings)
{
    g_autofree char *text = g_strdup_printf("probe,%s%s", log_path, settings);
    GError *err = NULL;

    expect(display_open(text, "de", &err), "%s: %s", text, err ? err->message : "?");
}

static void add(Display *display, void *opaque)
{
    g_ptr_array_add(opaque, display);
}

/* All that are open of @type, to be freed. */
static GPtrArray *all_open(const char *type)
{
    GPtrArray *list = g_ptr_array_new();

    displays_foreach(type, add, list);
    return list;
}

static void open_fails(const char *text, const char *first, const char *second)
{
    g_autoptr(GPtrArray) before = all_open(NULL), after = NULL;
    GError *err = NULL;

    expect(!display_open(text, NULL, &err), "%s is opened", text);
    expect_error(err, first, second, NULL);
    after = all_open(NULL);
    ck_assert_uint_eq(after->len, before->len);
}

START_TEST(settings)
{
    g_autoptr(GPtrArray) list = NULL;
    Probe *first, *second, *third;

    start();
    probe("");
    probe(",number=3");
    probe(",id=mine");
    list = all_open("probe");
    ck_assert_uint_eq(list->len, 3);
    first = list->pdata[0];
    second = list->pdata[1];
    third = list->pdata[2];
    ck_assert_str_eq(first->display.id, "default");
    ck_assert_str_eq(second->display.id, "probe2");
    ck_assert_str_eq(third->display.id, "mine");
    ck_assert_str_eq(first->display.keyboard, "de");
    ck_assert_str_eq(first->log, log_path);
    ck_assert_uint_eq(first->number, 7);
    ck_assert_uint_eq(second->number, 3);
    expect(first->display.type->size == sizeof(Probe), "its type");

    g_ptr_array_unref(list);
    list = all_open("other");
    ck_assert_uint_eq(list->len, 0);
    expect(display_find("probe", NULL, NULL) == &first->display, "the first");
    expect(display_find("probe", "mine", NULL) == &third->display, "by id");
    stop();
}
END_TEST

START_TEST(closing)
{
    g_autofree char *said = NULL;
    GError *err = NULL;

    start();
    probe("");
    probe("");
    displays_close();
    expect(g_file_get_contents(log_path, &said, NULL, NULL), "nothing was closed");
    ck_assert_str_eq(said, "close probe2\nclose default\n");
    expect(!display_find("probe", NULL, &err), "one is left");
    expect_error(err, "'probe'", "-display probe", NULL);
    err = NULL;
    expect(!display_find("probe", "mine", &err), "one is left");
    expect_error(err, "'probe'", "'mine'", NULL);
    probe(""); /* and again */
    expect(display_find("probe", "default", NULL), "it is open");
    stop();
}
END_TEST

START_TEST(refusals)
{
    start();
    open_fails("probe", "display 'probe': ", "told to refuse");
    open_fails("probe,refuse", "display 'probe': ", "told to refuse");
    open_fails("probe,log=x,number=10", "display 'probe'", "number");
    open_fails("probe,log=x,nmber=1", "display 'probe'", "'number'");
    open_fails("probe,log=x,id=0", "0", "letter");
    open_fails("probe,log=x,id", "display 'probe'", "id");
    probe(",id=a");
    open_fails("probe,log=x,id=a", "'a'", "another id");
    open_fails("nosuch", "there is no display 'nosuch'", "ui-nosuch.so");
    open_fails("nosuch", "/lib/flatview", "probe");
    open_fails("prob", "did you mean 'probe'", "there are: ");
    open_fails("", "no display ''", "there are: ");
    open_fails("../tests/ui-probe", "no display '../tests/ui-probe'", "there are: ");
    stop();
}
END_TEST

/* The path of a module @name of our own beside this program, to be freed. */
static char *module_beside(const char *name)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program);

    return g_strdup_printf("%s/ui-%s.so", folder, name);
}

/* Files called like modules that are none. */
START_TEST(no_modules)
{
    g_autofree char *name = g_strdup_printf("junk%d", getpid());
    g_autofree char *path = module_beside(name), *probe_path = module_beside("probe");
    static const char junk[4096];
    char *output = NULL;
    size_t len;
    FILE *out;

    start();
    expect(g_file_set_contents(path, junk, sizeof(junk), NULL), "%s", path);
    open_fails(name, name, "invalid ELF header");
    expect(!display_available(name), "it is available");
    out = open_memstream(&output, &len);
    display_print_types(out);
    fclose(out);
    expect(strstr(output, "probe                  writes down") &&
               strstr(output, "invalid ELF header"), "%s", output);
    free(output);

    g_unlink(path);
    ck_assert_int_eq(symlink(probe_path, path), 0);
    open_fails(name, path, "is no module of this program");
    g_unlink(path);
    stop();
}
END_TEST

START_TEST(help)
{
    char *output = NULL;
    GError *err = NULL;
    size_t len;
    FILE *out = open_memstream(&output, &len);

    expect(display_available("probe") && !display_available("nosuch"), "available");
    expect(display_print_properties("probe", out, NULL), "its properties");
    fclose(out);
    expect(g_str_has_prefix(output, "probe: writes down what it is asked\n") &&
               strstr(output, "number") && strstr(output, "a number up to 9"), "%s",
           output);
    free(output);
    expect(!display_print_properties("nosuch", stderr, &err), "of none");
    expect_error(err, "'nosuch'", NULL);
}
END_TEST

static GPtrArray *ends_new(const char *service)
{
    DisplayClient *end = g_new0(DisplayClient, 1);
    GPtrArray *list =
        g_ptr_array_new_with_free_func((GDestroyNotify)display_client_free);

    end->host = g_strdup("::1");
    end->service = g_strdup(service);
    end->family = g_strdup("ipv6");
    g_ptr_array_add(list, end);
    return list;
}

START_TEST(info)
{
    DisplayInfo *info = g_new0(DisplayInfo, 1);

    display_info_free(NULL);
    info->id = g_strdup("default");
    info->auth = "none";
    info->servers = ends_new("5900");
    info->clients = ends_new("33333");
    display_info_free(info); /* a sanitizer sees what is left */
}
END_TEST

TEST_MAIN("displays", settings, closing, refusals, no_modules, help, info)
