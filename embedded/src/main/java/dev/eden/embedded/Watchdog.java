package dev.eden.embedded;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Ends this JVM's servers when this JVM ends, whatever ends it: a shutdown hook does not run on {@code kill -9}. It is a
 * small shell process that reads a pipe whose only writer is this JVM; end of file means the JVM is gone. It then kills the
 * servers it was told of and what they have started, stopped ones too, and removes their temporary directories.
 */
final class Watchdog {
    private static final String SCRIPT = """
            trap "" INT TERM HUP QUIT
            pids=""
            while read -r verb what; do
              case $verb in
                add) pids="$pids $what" ;;
                drop) kept=""; for pid in $pids; do [ "$pid" = "$what" ] || kept="$kept $pid"; done; pids=$kept ;;
                dir) set -- "$@" "$what" ;;
                undir)
                  count=$#
                  while [ $count -gt 0 ]; do
                    dir=$1; shift; [ "$dir" = "$what" ] || set -- "$@" "$dir"; count=$((count - 1))
                  done ;;
              esac
            done
            for pid in $pids; do
              kill -STOP "$pid"
              kill -9 "$pid" $(cat /proc/"$pid"/task/*/children)
            done
            [ $# -gt 0 ] || exit 0
            tries=0
            for pid in $pids; do
              while kill -0 "$pid" && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.05; done
            done
            rm -rf "$@"
            """;

    private static final Object LOCK = new Object();
    private static @Nullable Watchdog instance;

    private final OutputStream pipe;

    private Watchdog(OutputStream pipe) {
        this.pipe = pipe;
    }

    static Watchdog ofThisJvm() {
        synchronized (LOCK) {
            Watchdog present = instance;
            if (present == null) {
                present = launch();
                instance = present;
            }
            return present;
        }
    }

    /** From now on this process dies with the JVM. */
    void add(long pid) {
        tell("add " + pid);
    }

    /** The process has ended, or is to outlive the JVM. */
    void drop(long pid) {
        tell("drop " + pid);
    }

    /** From now on this directory goes when the JVM does. */
    void add(Path temporary) {
        tell("dir " + temporary.toAbsolutePath());
    }

    void drop(Path temporary) {
        tell("undir " + temporary.toAbsolutePath());
    }

    private synchronized void tell(String line) {
        try {
            pipe.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            pipe.flush();
        } catch (IOException e) {
            throw new EmbeddedServerException("the watchdog of the embedded servers is gone", e);
        }
    }

    private static Watchdog launch() {
        var line = new ArrayList<>(Executables.newSession());
        line.add("sh");
        line.add("-c");
        line.add(SCRIPT);
        line.add("eden-watchdog");
        try {
            var builder = new ProcessBuilder(line)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD);
            return new Watchdog(builder.start().getOutputStream());
        } catch (IOException e) {
            throw new EmbeddedServerException("the watchdog of the embedded servers could not be started", e);
        }
    }
}
