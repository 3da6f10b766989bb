/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The callback interface of GNU Readline (its manual, section 2.4.12 "Alternate
 * Interface"), over bytes instead of a terminal.
 */
#include "monitor/editor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#define HISTORY_MAX 500

struct Editor {
    const EditorOps *ops;
    void *opaque;
    const char *prompt;
    size_t line_max;
    bool is_editing;  /* a line: it has a handler */
    const uint8_t *keys; /* that Readline may take now */
    size_t keys_len;
    char *line;       /* complete */
    bool is_complete;
};

static Editor *the_editor;

/* Readline keeps them from its set-up to the end of the program. */
static FILE *readline_in, *readline_out;

/* ---- what Readline calls -------------------------------------------------------- */

static int next_key(FILE *in)
{
    Editor *e = the_editor;

    if (!e->keys_len) {
        return EOF; /* in the middle of some longer key: it is given up */
    }
    e->keys_len--;
    return *e->keys++;
}

static int key_is_available(void)
{
    return the_editor->keys_len > 0;
}

static ssize_t write_out(void *cookie, const char *text, size_t len)
{
    Editor *e = the_editor;

    e->ops->write(e->opaque, text, len);
    return (ssize_t)len;
}

static void line_is_complete(char *line)
{
    Editor *e = the_editor;

    rl_callback_handler_remove();
    e->is_editing = false;
    e->is_complete = true;
    e->line = line; /* NULL: Ctrl-D in an empty one */
}

static void leave_terminal_alone(int meta)
{
}

static void leave_terminal_alone_again(void)
{
}

/* Ctrl-C: this line is not wanted. */
static int drop_line(int count, int key)
{
    rl_replace_line("", 1);
    fputs("^C", rl_outstream);
    rl_crlf();
    rl_on_new_line();
    rl_redisplay();
    return 0;
}

/* All that was found, after what they have in common: Readline's form. */
static char **matches_of(const GPtrArray *words)
{
    char **matches = calloc(words->len + 2, sizeof(*matches));
    const char *first = words->pdata[0];
    size_t common = strlen(first);

    if (!matches) {
        return NULL;
    }
    for (guint i = 0; i < words->len; i++) {
        const char *word = words->pdata[i];
        size_t same = 0;

        while (same < common && word[same] == first[same]) {
            same++;
        }
        common = same;
        matches[i + 1] = strdup(word);
    }
    matches[0] = strndup(first, common);
    if (words->len == 1) {
        free(matches[1]);
        matches[1] = NULL;
    }
    return matches;
}

static char **complete_word(const char *text, int start, int end)
{
    Editor *e = the_editor;
    g_autoptr(GPtrArray) words = NULL;
    size_t from, len;

    rl_attempted_completion_over = 1; /* no names of files instead */
    words = e->ops->complete(e->opaque, rl_line_buffer, (size_t)end, &from);
    if (!words->len || from != (size_t)start) {
        return NULL;
    }
    /* What goes on behind it wants no space. */
    len = strlen(words->pdata[0]);
    rl_completion_append_character =
        len && strchr("/=", ((char *)words->pdata[0])[len - 1]) ? 0 : ' ';
    return matches_of(words);
}

/* ---- set-up ----------------------------------------------------------------------- */

/* False: the host refuses a descriptor. */
static bool set_up(void)
{
    static const cookie_io_functions_t functions = { .write = write_out };

    /* It wants a descriptor to ask about. */
    readline_in = fopen("/dev/null", "re");
    if (!readline_in) {
        return false;
    }
    readline_out = fopencookie(NULL, "w", functions);
    if (!readline_out) {
        fclose(readline_in);
        readline_in = NULL;
        return false;
    }
    setvbuf(readline_out, NULL, _IOFBF, BUFSIZ);
    rl_readline_name = "flatview";
    rl_instream = readline_in;
    rl_outstream = readline_out;
    rl_getc_function = next_key;
    rl_input_available_hook = key_is_available;
    rl_prep_term_function = leave_terminal_alone;
    rl_deprep_term_function = leave_terminal_alone_again;
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_change_environment = 0;
    rl_attempted_completion_function = complete_word;
    rl_basic_word_break_characters = " \t";
    rl_completer_quote_characters = "";
    rl_completion_query_items = 0; /* the main loop waits for no answer */
    rl_ignore_completion_duplicates = 0;
    using_history();
    stifle_history(HISTORY_MAX);
    rl_initialize();
    rl_tty_set_echoing(1); /* it would ask the terminal */
    rl_variable_bind("page-completions", "off");
    rl_variable_bind("enable-bracketed-paste", "off");
    rl_variable_bind("convert-meta", "off");
    rl_variable_bind("input-meta", "on");
    rl_variable_bind("output-meta", "on");
    rl_bind_key('C' & 0x1f, drop_line);
    return true;
}

static void fit_to_terminal(void)
{
    struct winsize size;

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row &&
        size.ws_col) {
        rl_set_screen_size(size.ws_row, size.ws_col);
    }
}

/* The prompt is on the screen already. */
static bool begin_line(Editor *e)
{
    if (!readline_out && !set_up()) {
        return false;
    }
    fit_to_terminal();
    rl_already_prompted = 1;
    rl_callback_handler_install(e->prompt, line_is_complete);
    e->is_editing = true;
    return true;
}

Editor *editor_new(const EditorOps *ops, void *opaque, const char *prompt,
                   size_t line_max)
{
    Editor *e;

    if (the_editor) {
        return NULL;
    }
    e = the_editor = g_new0(Editor, 1);
    e->ops = ops;
    e->opaque = opaque;
    e->prompt = prompt;
    e->line_max = line_max;
    return e;
}

void editor_free(Editor *e)
{
    if (!e) {
        return;
    }
    if (e->is_editing) {
        rl_replace_line("", 1);
        rl_callback_handler_remove();
        fflush(readline_out);
    }
    if (readline_out) {
        clear_history();
    }
    the_editor = NULL;
    g_free(e);
}

/* ---- lines ------------------------------------------------------------------------ */

void editor_prompt(Editor *e)
{
    if (e->is_editing) {
        rl_on_new_line();
        rl_redisplay();
        fflush(readline_out);
    } else {
        e->ops->write(e->opaque, e->prompt, strlen(e->prompt));
    }
}

/* Whether @key would make a line longer that is long enough. */
static bool is_too_much(const Editor *e, uint8_t key)
{
    return (size_t)rl_end >= e->line_max && key >= ' ' && key != 0x7f;
}

static void remember(const char *line)
{
    HIST_ENTRY *last = history_length
                       ? history_get(history_base + history_length - 1) : NULL;

    if (*line && (!last || strcmp(last->line, line) != 0)) {
        add_history(line);
    }
}

size_t editor_feed(Editor *e, const uint8_t *keys, size_t len, char **line)
{
    *line = NULL;
    if (!e->is_editing && !begin_line(e)) {
        return len; /* these keys are lost, the next ones may not be */
    }
    e->keys = keys;
    e->keys_len = len;
    e->is_complete = false;
    while (e->keys_len && !e->is_complete) {
        if (is_too_much(e, *e->keys)) {
            e->keys++;
            e->keys_len--;
        } else {
            rl_callback_read_char();
        }
    }
    len -= e->keys_len;
    e->keys_len = 0;
    if (e->is_complete) {
        if (!e->line) {
            rl_crlf();
        } else {
            remember(e->line);
        }
        *line = g_strdup(e->line ? e->line : "");
        free(e->line);
        e->line = NULL;
    }
    fflush(readline_out);
    return len;
}
