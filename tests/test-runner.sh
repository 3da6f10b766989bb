#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The test of run-tests itself: what each kind of program is counted as.

runner=$(cd "$(dirname "$0")" && pwd)/run-tests
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
unset TEST_TOTALS

number=0
# expect WHAT STATUS TOTALS WORDS [OPTION...]: runs the program on standard input.
expect() {
    what=$1 status=$2 totals=$3 words=$4
    shift 4
    number=$((number + 1))
    { echo '#!/bin/sh'; cat; } >program
    chmod +x program
    output=$("$runner" "$@" ./program 2>&1)
    actual=$?
    if [ "$actual" = "$status" ] && [ "$(echo "$output" | tail -n 1)" = "$totals" ] &&
        echo "$output" | grep -q -e "$words"; then
        echo "ok $number - $what"
    else
        echo "not ok $number - $what: status $actual"
        echo "$output" | sed 's/^/# /'
    fi
}

expect "TAP on standard output" 0 "2 passed, 0 failed, 0 skipped" "^PASS" <<'END'
echo 1..2; echo ok 1 - a; echo ok 2
END
expect "a failing point" 1 "1 passed, 1 failed, 0 skipped" "not ok 2 - b" <<'END'
echo ok 1 - a; echo not ok 2 - b; echo why it failed; echo 1..2; exit 1
END
expect "the log of a failure is shown" 1 "0 passed, 1 failed, 0 skipped" "| why it" <<'END'
echo not ok 1 - b; echo why it failed >&2
END
expect "a crash after a pass" 1 "1 passed, 1 failed, 0 skipped" "signal 11" <<'END'
echo ok 1 - a; kill -SEGV $$
END
expect "a program that hangs" 1 "1 passed, 1 failed, 0 skipped" "after 1 s" --timeout 1 <<'END'
echo ok 1 - a; sleep 30
END
expect "no test at all" 1 "0 passed, 1 failed, 0 skipped" "no test" <<'END'
echo hello
END
expect "an empty program" 1 "0 passed, 1 failed, 0 skipped" "no test" </dev/null
expect "a status without a failed point" 1 "1 passed, 1 failed, 0 skipped" "status 3" <<'END'
echo ok 1 - a; exit 3
END
expect "fewer points than announced" 1 "1 passed, 1 failed, 0 skipped" "announced 2" <<'END'
echo 1..2; echo ok 1 - a
END
expect "bailing out" 1 "1 passed, 1 failed, 0 skipped" "Bail out! disk full" <<'END'
echo ok 1 - a; echo 'Bail out! disk full'
END
expect "a skipped point" 0 "1 passed, 0 failed, 1 skipped" "skipped: no such file" <<'END'
echo 1..2; echo ok 1 - a; echo 'ok 2 - b # SKIP no such file'
END
expect "a whole plan skipped" 0 "0 passed, 0 failed, 1 skipped" "skipped: no disk" <<'END'
echo '1..0 # SKIP no disk'
END
expect "status 77" 0 "0 passed, 0 failed, 1 skipped" "skipped: no /dev/kvm" <<'END'
echo 'SKIP: no /dev/kvm'; exit 77
END
expect "status 77 after a failure" 1 "0 passed, 1 failed, 1 skipped" "not ok 1" <<'END'
echo not ok 1 - a; echo 'SKIP: rest'; exit 77
END
expect "Check's log wins over what is printed" 1 "1 passed, 1 failed, 0 skipped" "not ok 2" <<'END'
printf 'ok 1 - a\nnot ok 2 - b\n1..2\n' >"$CK_TAP_LOG_FILE_NAME"; echo ok 1; exit 1
END
expect "a point of Check's that says it cannot run" 0 "1 passed, 0 failed, 1 skipped" \
    "skipped: no KVM" <<'END'
printf 'ok 1 - a\nok 2 - b\n1..2\n' >"$CK_TAP_LOG_FILE_NAME"; echo 'SKIP: no KVM'
END

expect "a log that is gone" 1 "0 passed, 1 failed, 0 skipped" "^FAIL" <<'END'
echo ok 1 - a; rm -r tests
END

expect "a run elsewhere" 1 "3 passed, 1 failed, 2 skipped" "FAIL " <<'END'
echo 'PASS  tests/test-x'; echo '3 passed, 1 failed, 2 skipped'; exit 1
END

number=$((number + 1))
if output=$("$runner" ./missing) || [ "${output##*
}" != "0 passed, 1 failed, 0 skipped" ]; then
    echo "not ok $number - a program that is missing: $output"
else
    echo "ok $number - a program that is missing"
fi

number=$((number + 1))
if output=$("$runner" 2>&1); then
    echo "not ok $number - no programs"
else
    echo "ok $number - no programs"
fi
echo "1..$number"
