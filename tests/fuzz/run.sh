#!/bin/bash
# Fuzzes: tests/fuzz/run.sh [seconds, 600 by default] [jobs, one a core] [loader or gym: the loaders, or the gym's desk]. Needs clang-14, libclang-rt-14-dev and libomp-14-dev; builds the preset
# `fuzz`; begins with the corpus and the library; what was found lies in build/fuzz/findings, one file each.
set -euo pipefail
cd "$(dirname "$0")/../.."
what=${3:-loader}
cmake --preset fuzz >/dev/null
ninja -C build/fuzz "urja_fuzz_$what"
seeds=build/fuzz/seeds corpus=build/fuzz/corpus findings=build/fuzz/findings
if [[ $what == gym ]]; then seeds+=_gym corpus+=_gym findings+=_gym; fi
mkdir -p $seeds $corpus $findings
if [[ $what == gym ]]; then
  printf '\6\0\0\0\0\0\6\0\0\0\0\0\7\0\2\0\0\0\11\0\0\0\0\0' >$seeds/steps
  printf '\5\3\0\0\0\0\20\0\0\0\0\0\15\0\0\0\0\0\13\0\0\0\0\0\17\0\0\0\0\0' >$seeds/questions
fi
seed() { { printf %s "$1"; head -c 20000 "$2"; } >"$seeds/$1_$(echo "$2" | tr / _)"; }
for f in tests/corpus/good/*.yaml tests/corpus/bad/*.yaml tests/faults/*.yaml scenarios/*.yaml scenarios/gym/*.yaml; do seed s "$f"; done
for f in tests/corpus/bad_sweeps/*.yaml scenarios/sweeps/*.yaml; do seed p "$f"; done
for f in tests/data/csv/* tests/corpus/data/*.csv; do seed c "$f"; done
for f in tests/data/weather/* scenarios/data/greensboro/*.csv scenarios/data/new_delhi/*.txt; do seed w "$f"; done
# Words of the language: those that the corpus and the library use.
cat tests/corpus/*/*.yaml scenarios/*.yaml | grep -av '^ *#' | grep -aoE '[A-Za-z_]{2,24}:?|[0-9.]+ ?[A-Za-z%/]+' | sort -u | head -800 |
  sed 's/.*/"&"/' >build/fuzz/words.dict
jobs=${2:-$(nproc)}
ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "build/fuzz/tests/urja_fuzz_$what" -fork="$jobs" -max_total_time="${1:-600}" \
  -dict=build/fuzz/words.dict -max_len=20000 -timeout=20 -rss_limit_mb=4000 -malloc_limit_mb=3000 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 \
  -artifact_prefix=$findings/ $corpus $seeds 2>&1 | tail -n 400 >build/fuzz/log.txt || true
tail -n 3 build/fuzz/log.txt
found=$(find $findings -type f | wc -l)
echo "$found findings"
test "$found" = 0
