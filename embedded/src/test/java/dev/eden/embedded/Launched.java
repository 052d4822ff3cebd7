package dev.eden.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Another JVM that started a server and waits: the tests kill it and look what becomes of the server. */
record Launched(ServerProcess process, long serverPid, int port, Path directory) implements AutoCloseable {
    static Launched start(String what, Path log) throws Exception {
        ServerProcess process =
                JavaProcess.start(Main.class.getName(), List.of("-Xmx64m"), List.of(what), Map.of(), log);
        process.awaitReady(Duration.ofSeconds(60), () -> !line(log).isEmpty());
        String[] words = line(log).split(" ", 4);
        return new Launched(process, Long.parseLong(words[1]), Integer.parseInt(words[2]), Path.of(words[3]));
    }

    private static String line(Path log) {
        try {
            return Files.readAllLines(log).stream()
                    .filter(line -> line.startsWith("ready "))
                    .findFirst()
                    .orElse("");
        } catch (IOException e) {
            return "";
        }
    }

    @Override
    public void close() {
        process.kill();
    }

    /** Prints "ready", the server's pid, its port and its directory. */
    static final class Main {
        private Main() {}

        public static void main(String[] args) throws Exception {
            switch (args[0]) {
                case "EmbeddedRedis", "EmbeddedRedis.detached" -> {
                    var redis = EmbeddedRedis.start();
                    if (args[0].endsWith("detached")) {
                        redis.detach();
                    }
                    System.out.println("ready " + redis.pid() + " " + redis.port() + " " + redis.directory());
                }
                case "EmbeddedPostgres.suspended" -> {
                    var postgres = EmbeddedPostgres.start();
                    postgres.suspend();
                    System.out.println("ready " + postgres.pid() + " " + postgres.port() + " "
                            + postgres.dataDir().getParent());
                }
                default -> throw new IllegalArgumentException(args[0]);
            }
            Thread.sleep(Duration.ofMinutes(5));
        }
    }
}
