/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of settings: what each group becomes, and what is refused, with the
 * name and line of what is wrong.
 */
#include "readconfig.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test-util.h"

static char *path;
static GString *heard;

static void open_file(void)
{
    int fd = g_file_open_tmp("readconfig-XXXXXX", &path, NULL);

    ck_assert_int_ge(fd, 0);
    close(fd);
    heard = g_string_new(NULL);
}

static void close_file(void)
{
    g_remove(path);
    g_free(path);
    g_string_free(heard, TRUE);
}

static bool hear(const char *group, const char *text, void *opaque,
                 GError **err)
{
    g_string_append_printf(heard, "%s %s;", group, text);
    if (strcmp(group, "bad") == 0) {
        g_set_error(err, g_quark_from_static_string("test"), 0, "no");
        return false;
    }
    return true;
}

static void expect_groups(const char *file, const char *groups)
{
    GError *err = NULL;

    ck_assert(g_file_set_contents(path, file, -1, NULL));
    g_string_truncate(heard, 0);
    ck_assert_msg(readconfig(path, hear, NULL, &err), "%s",
                  err ? err->message : "no reason");
    ck_assert_str_eq(heard->str, groups);
}

/* @message begins behind the path. */
static void expect_refusal(const char *file, gssize len, const char *message)
{
    GError *err = NULL;
    char *found;

    ck_assert(g_file_set_contents(path, file, len, NULL));
    g_string_truncate(heard, 0);
    ck_assert(!readconfig(path, hear, NULL, &err));
    found = strstr(err->message, path);
    ck_assert_msg(found, "%s", err->message);
    ck_assert_str_eq(found + strlen(path), message);
    g_error_free(err);
}

START_TEST(test_groups)
{
    open_file();
    expect_groups("", "");
    expect_groups("# nothing\n\n   \n", "");
    expect_groups("[machine]\n type = \"microvm\"\n", "machine type=microvm;");
    expect_groups("[device \"d0\"]\r\n\tdriver = \"x\"\r\n\tport= 5\r\n",
           "device driver=x,port=5,id=d0;");
    expect_groups("[a]\nk=\"1\"\n[a]\nk=\"2\"", "a k=1;a k=2;");
    expect_groups("[a]\n[b]\n", "a ;b ;");
    close_file();
}
END_TEST

/* What would end the value on a command line is doubled. */
START_TEST(test_values)
{
    open_file();
    expect_groups("[a \"x,y\"]\nk = \"1,2\"\n", "a k=1,,2,id=x,,y;");
    expect_groups("[a]\nk = \"with blanks = and # signs\"\n",
           "a k=with blanks = and # signs;");
    expect_groups("[a]\nk = \"\"\n", "a k=;");
    expect_groups("[a]\nchar.dev-x_1/y:z = v\n", "a char.dev-x_1/y:z=v;");
    close_file();
}
END_TEST

START_TEST(test_refused)
{
    open_file();
    expect_refusal("k = \"1\"\n", -1, ":1: 'k' stands before the first [GROUP]");
    expect_refusal("\n[a\n", -1, ":2: a group is [NAME] or [NAME \"ID\"]");
    expect_refusal("[]\n", -1, ":1: a group is [NAME] or [NAME \"ID\"]");
    expect_refusal("[a \"x]\n", -1, ":1: a group is [NAME] or [NAME \"ID\"]");
    expect_refusal("[a] b\n", -1, ":1: a group is [NAME] or [NAME \"ID\"]");
    expect_refusal("[a]\nk\n", -1, ":2: a setting is KEY = \"VALUE\"");
    expect_refusal("[a]\nk = \"v\n", -1, ":2: a setting is KEY = \"VALUE\"");
    expect_refusal("[a]\nk = v w\n", -1, ":2: a setting is KEY = \"VALUE\"");
    expect_refusal("[a]\n= v\n", -1, ":2: a setting is KEY = \"VALUE\"");
    expect_refusal("[a]\nk\0 = v\n", 11, "' holds a NUL byte: no file of settings");
    close_file();
}
END_TEST

/* What the option itself says gets the place; nothing after it is heard. */
START_TEST(test_option_refuses)
{
    open_file();
    expect_refusal("[good]\nk=1\n\n[bad]\nk=2\n[good]\n", -1, ":4: [bad]: no");
    ck_assert_str_eq(heard->str, "good k=1;bad k=2;");
    close_file();
}
END_TEST

START_TEST(test_no_file)
{
    GError *err = NULL;
    char *large = g_strnfill((1 << 20) + 1, '\n');

    open_file();
    ck_assert(!readconfig("/nonexistent/x", hear, NULL, &err));
    ck_assert_str_eq(err->message, "cannot read '/nonexistent/x': "
                                   "No such file or directory");
    g_clear_error(&err);
    ck_assert(!readconfig("/", hear, NULL, &err));
    ck_assert_str_eq(err->message, "cannot read '/': Is a directory");
    g_clear_error(&err);
    expect_refusal(large, -1, "' has more than 1048576 bytes: no file of settings");
    g_free(large);
    /* Without end, and without a reader to wait for. */
    ck_assert(!readconfig("/dev/zero", hear, NULL, &err));
    g_clear_error(&err);
    close_file();
}
END_TEST

TEST_MAIN("readconfig", test_groups, test_values, test_refused,
          test_option_refuses, test_no_file)
