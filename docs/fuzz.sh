#!/usr/bin/env bash
# Everything that reads the wire, of both engines, with inputs that are wrong in all ways: random bytes and frames, mutated and truncated ones, lengths that are wrong,
# huge or negative. Each is read in one piece and again in pieces (at random places, or at every byte), in one process without a network; a server that answers
# everything stands behind PostgreSQL's clients, and is strict about what it is sent. Fails at the first input that is not read or refused: another exception, a
# buffer that nobody gives back, memory for what is only claimed, another result in pieces; and says how to repeat it. On one core some ten minutes for ten million.
#   docs/fuzz.sh [COUNT, default 10000000] [SEED, default another each time] [FIRST: number of the first input]
set -euo pipefail
cd "$(dirname "$0")/.."
classpath=${EDEN_PROXY_CLASSPATH:-}
if [ -z "$classpath" ]; then
  file=$(mktemp)
  trap 'rm -f "$file"' EXIT
  mvn -q -B -pl proxy -am test-compile dependency:build-classpath -Dmdep.outputFile="$file" >/dev/null
  classpath="proxy/target/classes:proxy/target/test-classes:$(cat "$file")"
fi
"${JAVA_HOME:-/usr}/bin/java" -XX:ActiveProcessorCount=1 -Xmx256m --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  -Dio.netty.allocator.type=unpooled -Dio.netty.leakDetection.level=disabled -cp "$classpath" dev.eden.proxy.fuzz.DecoderFuzz "$@"
