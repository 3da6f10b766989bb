#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The examples in docs/ are the files in docs/examples/, compile, and print what
# is said there; prints TAP. In a text, these blocks of lines indented by four:
#
#   [docs/examples/NAME.c]      that file from its first #include on
#   [NAME prints]               its output
#   [NAME is built with]        the command that makes NAME from NAME.c
#
# And the files that README.md and docs/layout.md name are there.
#
# Needs SRC_PATH, BUILD_PATH, CC, CFLAGS and SANITIZERS, which make check sets.

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/text" "$scratch/tree" "$scratch/tree/bin"
cd "$scratch" || exit 1

# text/NAME.c, text/NAME.out and text/NAME.build, as the texts have them.
extract() {
    awk '
    function finish() {
        sub(/\n+$/, "", block)
        if (file) print block >"text/" file
        file = block = ""
    }
    /^\[docs\/examples\/[a-z-]*\.c\]$/ { finish(); file = substr($1, 16, length($1) - 16); next }
    /^\[[a-z-]* prints\]$/ { finish(); file = substr($1, 2) ".out"; next }
    /^\[[a-z-]* is built with\]$/ { finish(); file = substr($1, 2) ".build"; next }
    file && /^    / { block = block substr($0, 5) "\n"; next }
    file && /^$/ { if (block) block = block "\n"; next }
    { finish() }
    END { finish() }' "$@"
}

number=0
point() { # WHAT COMMAND...: the command prints why it fails
    what=$1
    shift
    number=$((number + 1))
    if "$@" >why 2>&1; then
        echo "ok $number - $what"
    else
        echo "not ok $number - $what"
        sed 's/^/# /' why
    fi
}

from_include() {
    sed -n '/^#include/,$p' "$1"
}

same_text() { # NAME
    from_include "$SRC_PATH/docs/examples/$1.c" >file.c
    diff -u "text/$1.c" file.c
}

compiles() { # NAME
    # shellcheck disable=SC2046,SC2086
    $CC $CFLAGS -Werror -o "$1" "$SRC_PATH/docs/examples/$1.c" \
        "$BUILD_PATH/libmemory-core.a" $(pkg-config --libs glib-2.0 liburcu-bp)
}

prints() { # NAME [PROGRAM]
    timeout 60 "${2:-./$1}" >output 2>&1 || { cat output; return 1; }
    sed -e ':a' -e '/^\n*$/{$d;N;ba' -e '}' output | diff -u "text/$1.out" -
}

# The command works in a folder like that of a build in the source tree.
builds_as_told() { # NAME
    ln -sf "$SRC_PATH/docs" "$SRC_PATH"/*.h "$BUILD_PATH/libmemory-core.a" tree
    # This build's compiler and sanitizers; the name cc may be its own, too.
    printf '#!/bin/sh\nPATH=%s exec %s %s "$@"\n' "'$PATH'" "$CC" \
        "${SANITIZERS:+-fsanitize=$SANITIZERS}" >tree/bin/cc
    chmod +x tree/bin/cc
    (cd tree && PATH=$PWD/bin:$PATH sh -e "../text/$1.build") && prints "$1" "tree/$1"
}

# Words in `...` with the name of a source, a text or a folder; patterns, too.
# shellcheck disable=SC2016 # no expansion is meant
named_files() { # TEXT
    grep -o '`[^` ]*`\|](docs[^)]*)' "$SRC_PATH/$1" | tr -d '`]()' |
        grep '\.[chS]$\|\.sh$\|\.md$\|\.txt$\|\.1$\|/$\|^scripts/' | grep -v '[<A-Z]' | sort -u
}

files_exist() { # TEXT
    missing=0
    for file in $(named_files "$1"); do
        # shellcheck disable=SC2086 # a pattern
        ls -d "$SRC_PATH"/$file >/dev/null || missing=1
    done
    return $missing
}

extract "$SRC_PATH"/docs/*.txt "$SRC_PATH"/docs/*.md
for text in text/*.c; do
    name=$(basename "$text" .c)
    point "$name: the text is the file" same_text "$name"
    point "$name compiles" compiles "$name"
    point "$name prints what the text says" prints "$name"
done
for text in text/*.build; do
    name=$(basename "$text" .build)
    point "$name is built with that command" builds_as_told "$name"
done
for file in "$SRC_PATH"/docs/examples/*; do
    name=docs/examples/$(basename "$file")
    point "$name is in a text" grep -lF "$name" "$SRC_PATH"/docs/*.txt "$SRC_PATH"/docs/*.md
done
for text in README.md docs/layout.md; do
    point "$text names files that exist" files_exist "$text"
done
echo "1..$number"
