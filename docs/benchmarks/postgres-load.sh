#!/usr/bin/env bash
# Full load of three million rows from one PostgreSQL to another: Eden, the servers' own initial synchronisation, pg_dump | pg_restore and, where it is installed, pgcopydb, interleaved, once with the
# primary key alone and once with two more indexes; and the comparison of both sides, beside an md5 aggregate by hand. Prints medians.
# Needs pg_dump and pg_restore of the servers' version (PG_BIN, default Debian's 15), a JDK 25 (JAVA_HOME) and Maven. The servers are embedded ones.
#   docs/benchmarks/postgres-load.sh [rounds] [rows] [version]
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-5} rows=${2:-3000000} version=${3:-15} bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
reports=activities/target/failsafe-reports
rm -f "$reports"/*PostgresLoadBenchmarkIT-output.txt
status=0
mvn -q -B -pl activities -am verify -Dtest=NONE -Dsurefire.failIfNoSpecifiedTests=false -Dfailsafe.failIfNoSpecifiedTests=false \
  -Dit.test=PostgresLoadBenchmarkIT -Dbench="$rounds" -Dbench.rows="$rows" -Dbench.version="$version" -Dbench.bin="$bin" \
  -Dbench.pgcopydb="$(command -v pgcopydb || true)" || status=$?
# What tests say goes to files.
sed -nE 's/.*PostgresLoadBenchmarkIT[^a-z]*(.*(rows\/s|CPU of).*)/\1/p' "$reports"/*PostgresLoadBenchmarkIT-output.txt
exit "$status"
