/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From bytes to JSON values, and back: what is taken, what is refused and in
 * which words, where the next value begins, and that nothing grows without end.
 */
#include "monitor/json-stream.h"

#include <string.h>

#include "monitor/json-text.h"
#include "tests/test-util.h"

#define PARSE "JSON parse error, "

/* What comes of the bytes, given in pieces of @piece: values in JSON, "id:" and
 * the id, errors; one in each line. To be freed. */
static char *stream(const char *bytes, size_t len, size_t piece)
{
    JSONStream *s = json_stream_new();
    GString *out = g_string_new(NULL);
    size_t done = 0;
    JSONText text;

    while (done < len) {
        size_t taken = json_stream_take(s, (const uint8_t *)bytes + done,
                                        MIN(piece, len - done), &text);

        expect(taken <= MIN(piece, len - done), "more than there was");
        expect(taken > 0 || text.root || text.error, "nothing happens");
        done += taken;
        if (text.root) {
            expect(!text.error, "a value and an error");
            json_text_append(out, text.root, false, 0);
            g_string_append_c(out, '\n');
        }
        if (text.id) {
            g_string_append_printf(out, "id:%s\n", text.id);
        }
        if (text.error) {
            g_string_append_printf(out, "%s\n", text.error);
        }
        json_text_clear(&text);
    }
    json_stream_free(s);
    return g_string_free(out, FALSE);
}

static void check_stream(const char *bytes, size_t len, const char *wanted)
{
    static const size_t pieces[] = { 1, 2, 7, 1 << 20 };

    for (unsigned i = 0; i < G_N_ELEMENTS(pieces); i++) {
        char *got = stream(bytes, len, pieces[i]);

        expect(strcmp(got, wanted) == 0, "'%.*s' in pieces of %zu:\n%s not\n%s",
               (int)len, bytes, pieces[i], got, wanted);
        g_free(got);
    }
}

/* A string literal may hold "\0". */
#define CHECK(bytes, wanted) check_stream(bytes, sizeof(bytes) - 1, wanted)

START_TEST(values)
{
    CHECK("{}[]", "{}\n[]\n");
    CHECK(" { \"a\" : [ 1 , -2 , 3.5 ] }\r\n", "{\"a\": [1, -2, 3.5]}\n");
    CHECK("{\"a\":{\"b\":[{},[[]]]}}", "{\"a\": {\"b\": [{}, [[]]]}}\n");
    CHECK("true false null ", "true\nfalse\nnull\n");
    CHECK("[true,false,null]", "[true, false, null]\n");
    CHECK("\"a\"'b'", "\"a\"\n\"b\"\n");
    CHECK("12\n-0 0 1e2 -1.5E-1 ", "12\n0\n0\n100\n-0.14999999999999999\n");
    CHECK("12{}", "12\n{}\n");
    CHECK("[9223372036854775807,-9223372036854775808]",
          "[9223372036854775807, -9223372036854775808]\n");
    CHECK("[18446744073709551615,9223372036854775808]",
          "[-1, -9223372036854775808]\n");
    CHECK("[18446744073709551616,-9223372036854775809]",
          "[1.8446744073709552e+19, -9.2233720368547758e+18]\n");
}
END_TEST

START_TEST(strings)
{
    CHECK("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\'\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t'\"\n");
    CHECK("'a\"b' 'c\\'d'", "\"a\\\"b\"\n\"c'd\"\n");
    CHECK("\"\\u0041\\u00e7\\u20AC\\ud83d\\ude00\"",
          "\"A\\u00E7\\u20AC\\uD83D\\uDE00\"\n");
    CHECK("\"\xc3\xa7\xf0\x9f\x98\x80\"", "\"\\u00E7\\uD83D\\uDE00\"\n");
    CHECK("\"\x7f\\u0001\"", "\"\\u007F\\u0001\"\n");
    CHECK("\"\\ud83dx\"", PARSE "\\ud83d is not a valid Unicode character\n");
    CHECK("\"\\ud83d\\n\"", PARSE "\\ud83d is not a valid Unicode character\n");
    CHECK("\"\\ud83d\"", PARSE "\\ud83d is not a valid Unicode character\n");
    CHECK("\"\\ud800\\ud800\"", PARSE "\\ud800 is not a valid Unicode character\n");
    CHECK("\"\\udc00\"", PARSE "\\udc00 is not a valid Unicode character\n");
    CHECK("\"\\u12g4\"", PARSE "\\u12g4 is not a valid Unicode character\n");
    CHECK("\"\\u12\"", PARSE "\\u12 is not a valid Unicode character\n");
    CHECK("\"\\u0000\"", PARSE "\\u0000 is not a valid Unicode character\n");
    CHECK("\"\\x\"", PARSE "invalid escape sequence in string\n");
    CHECK("\"\\\"\"", "\"\\\"\"\n");
    CHECK("\"\xc3\x28\" 1 ", PARSE "invalid UTF-8 sequence in string\n1\n");
    CHECK("\"\xed\xa0\x80\"", PARSE "invalid UTF-8 sequence in string\n");
    CHECK("\"\xc0\x80\"", PARSE "invalid UTF-8 sequence in string\n");
    CHECK("[\"\\x\",[1]] 2 ", PARSE "invalid escape sequence in string\n2\n");
    CHECK("\"a\nb 3 ", PARSE "stray '\"a\n'\n3\n");
}
END_TEST

START_TEST(wrong_places)
{
    CHECK("{\"a\":1 2} 3 ", PARSE "expected separator in dict\n3\n");
    CHECK("[1 2] 3 ", PARSE "expected separator in list\n3\n");
    CHECK("[1:2]", PARSE "expected separator in list\n");
    CHECK("{\"a\":1:2}", PARSE "expected separator in dict\n");
    CHECK("{\"a\" \"b\"}", PARSE "missing : in object pair\n");
    CHECK("{\"a\" {}}1 ", PARSE "missing : in object pair\n1\n");
    CHECK("{\"a\",1}", PARSE "missing : in object pair\n");
    CHECK("{\"a\"}4 ", PARSE "missing : in object pair\n4\n");
    CHECK("{1:2}", PARSE "key is not a string in object\n");
    CHECK("{{}:2}5 ", PARSE "key is not a string in object\n5\n");
    CHECK("{null:2}", PARSE "key is not a string in object\n");
    CHECK("{\"a\":}5 ", PARSE "expecting value\n5\n");
    CHECK("{\"a\":1,}6 ", PARSE "expecting value\n6\n");
    CHECK("{,}7 ", PARSE "expecting value\n7\n");
    CHECK("[1,]8 ", PARSE "expecting value\n8\n");
    CHECK("[,1]9 ", PARSE "expecting value\n9\n");
    CHECK("{:1}", PARSE "expecting value\n");
    CHECK("{\"a\":,}", PARSE "expecting value\n");
    CHECK("{\"a\":1,\"b\":2,\"a\":3}1 ", PARSE "duplicate key\n1\n");
    CHECK("{\"a\":1,\"\\u0061\":3}", PARSE "duplicate key\n");
    CHECK("{\"a\":{\"a\":1},\"b\":{\"a\":1}}",
          "{\"a\": {\"a\": 1}, \"b\": {\"a\": 1}}\n");
    CHECK("}{}", PARSE "expecting value\n{}\n");
    CHECK("],:", PARSE "expecting value\n" PARSE "expecting value\n"
          PARSE "expecting value\n");
    CHECK("{\"a\":[}{}", PARSE "expecting value\n{}\n");
    CHECK("[1}[]", PARSE "expecting value\n[]\n");
    CHECK("[{\"a\":1 [{}, [2]], \"x\": {\"y\": 2}}, 'z']{}",
          PARSE "expected separator in dict\n{}\n");
}
END_TEST

START_TEST(wrong_tokens)
{
    CHECK("[nul]1 ", PARSE "invalid keyword 'nul'\n1\n");
    CHECK("truefalse 1 ", PARSE "invalid keyword 'truefalse'\n1\n");
    CHECK("{\"a\":01}", PARSE "stray '01'\n" PARSE "expecting value\n");
    CHECK("-\n1 ", PARSE "stray '-'\n1\n");
    CHECK("1. 2 ", PARSE "stray '1.'\n2\n");
    CHECK("1.e5 1e 1e+ 1.5.5 1-1 -x ", PARSE "stray '1.e5'\n" PARSE "stray '1e'\n"
          PARSE "stray '1e+'\n" PARSE "stray '1.5.5'\n" PARSE "stray '1-1'\n"
          PARSE "stray '-'\n" PARSE "invalid keyword 'x'\n");
    CHECK("TRUE 1 ", PARSE "stray 'T'\n1\n");
    CHECK("+5 1 ", PARSE "stray '+'\n1\n");
    CHECK(".5 1 ", PARSE "stray '.'\n1\n");
    CHECK("%d 1 ", PARSE "stray '%'\n1\n");
    CHECK("1e400 [1e400,2] -1e400 5 ", PARSE "number out of range\n"
          PARSE "number out of range\n" PARSE "number out of range\n5\n");
    CHECK("\xc3\xa9 1 ", PARSE "stray '\xef\xbf\xbd'\n1\n");
    CHECK("{\"a\":@{}", PARSE "stray '@'\n{}\n");
    CHECK("//{}\n{}", PARSE "stray '/'\n{}\n{}\n");
}
END_TEST

START_TEST(bytes_that_never_are)
{
    char *got = stream("\0{}", 3, 3);

    expect(g_str_has_prefix(got, PARSE "stray '") && g_str_has_suffix(got, "'\n{}\n"),
           "%s", got);
    g_free(got);
    CHECK("{\"a\":\"b\xff{}", PARSE "stray '\"b\xef\xbf\xbd'\n{}\n");
    CHECK("\xff{}", PARSE "stray '\xef\xbf\xbd'\n{}\n");
    CHECK("[[{\"a\":\xff{}", PARSE "stray '\xef\xbf\xbd'\n{}\n");
    CHECK("12\xff{}", "12\n" PARSE "stray '\xef\xbf\xbd'\n{}\n");
    CHECK("@@@\xff{}", PARSE "stray '@'\n" PARSE "stray '\xef\xbf\xbd'\n{}\n");
    CHECK("[1 2 \xff{}", PARSE "expected separator in list\n"
          PARSE "stray '\xef\xbf\xbd'\n{}\n");
    CHECK("[1 2 @ {}", PARSE "expected separator in list\n{}\n");
}
END_TEST

START_TEST(ids)
{
    CHECK("{\"id\":18446744073709551615}", "{\"id\": -1}\nid:18446744073709551615\n");
    CHECK("{\"id\":1.50}", "{\"id\": 1.5}\nid:1.50\n");
    CHECK("{\"x\":1,\"id\" : [ 1,{'a' :\"\\n\\u00e7\"},null ] , \"y\":{\"id\":5}}",
          "{\"x\": 1, \"id\": [1, {\"a\": \"\\n\\u00E7\"}, null], \"y\": {\"id\": 5}}\n"
          "id:[1, {\"a\": \"\\n\\u00E7\"}, null]\n");
    CHECK("{\"x\":{\"id\":1}}[{\"id\":1}]", "{\"x\": {\"id\": 1}}\n[{\"id\": 1}]\n");
    CHECK("{\"id\":null}{}", "{\"id\": null}\nid:null\n{}\n");
    CHECK("{\"id\":1 \xff{\"x\":2}", PARSE "stray '\xef\xbf\xbd'\n{\"x\": 2}\n");
    CHECK("{\"id\":[1 2]}{\"x\":2}", PARSE "expected separator in list\n{\"x\": 2}\n");
}
END_TEST

/* @nr times @piece between the two. */
static void check_many(const char *start, const char *piece, size_t nr,
                       const char *end, const char *wanted)
{
    GString *text = g_string_new(start);
    char *got;

    for (size_t i = 0; i < nr; i++) {
        g_string_append(text, piece);
    }
    g_string_append(text, end);
    got = stream(text->str, text->len, 4096);
    if (wanted) {
        ck_assert_str_eq(got, wanted);
    } else {
        expect(!strstr(got, "error") && !strstr(got, "exceeded"), "%zu of '%s'",
               nr, piece);
    }
    g_free(got);
    g_string_free(text, TRUE);
}

START_TEST(limits)
{
    static const char bytes[] = "JSON token size limit exceeded\n7\n";
    static const char tokens[] = "JSON token count limit exceeded\n7\n";
    static const char depth[] = "JSON nesting depth limit exceeded\n7\n";
    char *closing = g_strnfill(JSON_DEPTH_MAX + 1, ']');
    char *end = g_strconcat(closing, "7 ", NULL);

    check_many("\"", "x", JSON_BYTES_MAX, "\"7 ", bytes);
    check_many("\"", "x", JSON_BYTES_MAX - 16, "\"", NULL);
    check_many("\"", "\\\\", JSON_BYTES_MAX, "\"7 ", bytes);
    check_many("[[\"a", "xxxxxxxx", JSON_BYTES_MAX, "\"],{\"]\":\"}\"}]7 ", bytes);
    check_many("", "1", JSON_BYTES_MAX + 10, " 7 ", bytes);
    check_many("", "x", JSON_BYTES_MAX + 10, " 7 ", bytes);
    check_many("[", "      ", JSON_BYTES_MAX, "]7 ", bytes);
    check_many("[0", ",0", JSON_TOKENS_MAX, "]7 ", tokens);
    check_many("[0", ",0", JSON_TOKENS_MAX / 2 - 1, "]", NULL);
    check_many("[0", ",[]", JSON_TOKENS_MAX, "]7 ", tokens);
    check_many("", "[", JSON_DEPTH_MAX + 1, end, depth);
    check_many("", "[", JSON_DEPTH_MAX, end + 1, NULL);
    check_many("", " ", 2 * JSON_BYTES_MAX, "7 ", "7\n"); /* between values */
    g_free(closing);
    g_free(end);
}
END_TEST

START_TEST(reset_forgets)
{
    JSONStream *s = json_stream_new();
    JSONText text;

    json_stream_take(s, (const uint8_t *)"{\"id\": [\"x", 10, &text);
    json_stream_reset(s);
    expect(json_stream_take(s, (const uint8_t *)"{}", 2, &text) == 2, "taken");
    expect(text.root && !text.id, "an old one");
    json_text_clear(&text);
    json_stream_free(s);
    json_stream_free(NULL);
}
END_TEST

static char *written(const char *json, bool pretty)
{
    JsonNode *node = json_from_string(json, NULL);
    GString *text = g_string_new(NULL);

    json_text_append(text, node, pretty, 0);
    json_node_unref(node);
    return g_string_free(text, FALSE);
}

START_TEST(writing)
{
    GString *text = g_string_new(NULL);
    char *got;

    got = written("{\"a\":[],\"b\":{},\"c\":[1,true,null,\"x\"]}", false);
    ck_assert_str_eq(got, "{\"a\": [], \"b\": {}, \"c\": [1, true, null, \"x\"]}");
    g_free(got);
    got = written("{\"a\":[],\"c\":[1,{\"d\":2}]}", true);
    ck_assert_str_eq(got, "{\r\n    \"a\": [],\r\n    \"c\": [\r\n        1,\r\n"
                     "        {\r\n            \"d\": 2\r\n        }\r\n    ]\r\n}");
    g_free(got);
    json_text_append_string(text, "a\xff\xc3");
    ck_assert_str_eq(text->str, "\"a\\uFFFD\\uFFFD\"");
    g_string_free(text, TRUE);
}
END_TEST

TEST_MAIN("json-stream", values, strings, wrong_places, wrong_tokens,
          bytes_that_never_are, ids, limits, reset_forgets, writing)
