#!/bin/sh
# compare.sh PROGRAM           runs glyphdiff_digests on 1 and on 2 threads and holds what it prints against expected.txt
# compare.sh PROGRAM --update  writes expected.txt anew, for a change that alters results on purpose:
#                              tests/digests/compare.sh build/release/tests/digests/glyphdiff_digests --update
# compare.sh --skip REASON     says that there is nothing to compare
# It ends with 0 if all digests are there and as expected, with 77 if this machine can't tell (ctest: skipped), else with 1.
set -u
expected=$(dirname "$0")/expected.txt
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

skip() {
  echo "digests: SKIPPED, nothing was compared: $1"
  exit 77
}

[ "$1" != --skip ] || skip "$2"
program=$1
for threads in 1 2; do
  OMP_NUM_THREADS=$threads OMP_WAIT_POLICY=passive "$program" >"$scratch/$threads" 2>"$scratch/errors"
  status=$?
  if [ $status -eq 2 ] && grep -q 'which this CPU lacks' "$scratch/errors"; then
    skip "$(cat "$scratch/errors")"
  elif [ $status -ne 0 ]; then
    echo "digests: on $threads threads the program ended with $status:"
    tail -n 3 "$scratch/$threads" "$scratch/errors"
    exit 1
  fi
done

# differences EXPECTED FOUND WHERE: one line for each digest that is another one, missing, new or there twice.
differences() {
  awk -v where="$3" '
    /^#/ || NF == 0 { next }
    FNR == NR { expected[$1] = $2; next }
    seen[$1]++ { print $1 ": printed twice " where; wrong = 1; next }
    !($1 in expected) { print $1 ": not in expected.txt, " $2 " found " where; wrong = 1; next }
    expected[$1] != $2 { print $1 ": " expected[$1] " expected, " $2 " found " where; wrong = 1 }
    END {
      for (name in expected) if (!(name in seen)) { print name ": expected, but not printed " where; wrong = 1 }
      exit wrong
    }' "$1" "$2"
}

if [ "${2-}" = --update ]; then
  if ! differences "$scratch/1" "$scratch/2" "on 2 threads"; then
    echo "digests: those of 1 and 2 threads differ; expected.txt is left alone"
    exit 1
  fi
  {
    echo "# What glyphdiff_digests prints. compare.sh beside this file compares, and says how to write it anew."
    cat "$scratch/1"
  } >"$expected"
  echo "$(grep -vc '^#' "$expected") digests written to $expected"
  exit 0
fi

count=$(grep -vc '^#' "$expected")
[ "$count" -gt 0 ] || { echo "digests: $expected has none"; exit 1; }
wrong=0
for threads in 1 2; do
  differences "$expected" "$scratch/$threads" "on $threads threads" || wrong=1
done
if [ $wrong -ne 0 ]; then
  echo "expected.txt is of:   $(grep -m 1 '^# g++' "$expected")"
  echo "this program is of:   $(grep -m 1 '^# g++' "$scratch/1")"
  exit 1
fi
echo "$count digests are as expected on 1 and on 2 threads"
