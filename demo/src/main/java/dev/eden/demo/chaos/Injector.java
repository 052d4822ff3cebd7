package dev.eden.demo.chaos;

import dev.eden.demo.Cluster;
import dev.eden.demo.DemoException;
import dev.eden.demo.EdenProcess;
import dev.eden.demo.engine.DatabaseProcess;
import dev.eden.embedded.EmbeddedServerException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Plants failpoints, strikes processes and brings them back. */
final class Injector {
    private static final Duration START = Duration.ofSeconds(240);
    private static final int STORE_STARTS = 20;

    private final Cluster cluster;
    private boolean standbyIsTarget = true;

    Injector(Cluster cluster) {
        this.cluster = cluster;
    }

    /** Which server the faults of {@link Victim#STANDBY} strike, and bring back, until told otherwise. */
    void standby(boolean isTarget) {
        standbyIsTarget = isTarget;
    }

    private DatabaseProcess standby() {
        return cluster.databases().process(standbyIsTarget);
    }

    /** Plants the fault and what leads to it. */
    void plant(Fault fault) {
        String point = fault.point();
        if (point == null) {
            return;
        }
        String action = fault.self() ? fault.action() : fault.action() + " " + pids(fault.victim());
        for (Victim at : fault.reachedBy()) {
            write(at, point, action);
        }
        for (Fault.Primer primer : fault.primers()) {
            write(primer.at(), primer.point(), primer.action());
        }
    }

    private void write(Victim at, String point, String action) {
        Path directory = eden(at).failpoints();
        try {
            Files.deleteIfExists(directory.resolve(point + ".hit"));
            Path draft = Files.writeString(directory.resolve(".draft"), action);
            Files.move(draft, directory.resolve(point), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("failpoint " + point + " cannot be planted", e);
        }
    }

    /** Who reached the point, or null while nobody has. */
    @Nullable
    Victim hit(String point, List<Victim> candidates) {
        for (Victim candidate : candidates) {
            if (Files.exists(eden(candidate).failpoints().resolve(point + ".hit"))) {
                return candidate;
            }
        }
        return null;
    }

    /** Takes one back; false where the process has come to it already. */
    boolean withdraw(Victim at, String point) {
        try {
            return Files.deleteIfExists(eden(at).failpoints().resolve(point));
        } catch (IOException e) {
            throw new UncheckedIOException("failpoints cannot be removed", e);
        }
    }

    /** Takes back what nobody came to; what was hit is forgotten. */
    void clear() {
        for (Victim at : List.of(Victim.SERVER, Victim.PROXY_1, Victim.PROXY_2)) {
            try (Stream<Path> files = Files.list(eden(at).failpoints())) {
                for (Path file : files.toList()) {
                    Files.deleteIfExists(file);
                }
            } catch (IOException e) {
                throw new UncheckedIOException("failpoints cannot be removed", e);
            }
        }
    }

    /** Names of the points that were reached since they were planted. */
    List<String> hits(Victim at) {
        try (Stream<Path> files = Files.list(eden(at).failpoints())) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".hit"))
                    .map(name -> name.substring(0, name.length() - 4))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("failpoints cannot be read", e);
        }
    }

    void forget(Victim at, String point) {
        try {
            Files.deleteIfExists(eden(at).failpoints().resolve(point + ".hit"));
        } catch (IOException e) {
            throw new UncheckedIOException("failpoints cannot be removed", e);
        }
    }

    /** Plants one point in one process. */
    void plant(Victim at, String point, boolean kill) {
        write(at, point, kill ? "kill" : "stop");
    }

    /** SIGKILL or SIGSTOP to the whole process tree; harmless where a failpoint has struck it already. */
    void strike(Victim victim, boolean kill) {
        switch (victim) {
            case SERVER, PROXY_1, PROXY_2 -> {
                if (kill) {
                    eden(victim).kill();
                } else {
                    eden(victim).process().suspend();
                }
            }
            case STORE -> {
                if (kill) {
                    cluster.postgres().kill();
                } else {
                    cluster.postgres().suspend();
                }
            }
            case TEMPORAL -> {
                if (kill) {
                    cluster.temporal().kill();
                } else {
                    cluster.temporal().suspend();
                }
            }
            case STANDBY -> {
                if (kill) {
                    standby().kill();
                } else {
                    standby().suspend();
                }
            }
        }
    }

    /** Returns when the victim serves again. */
    void restore(Victim victim, boolean kill) {
        switch (victim) {
            case SERVER, PROXY_1, PROXY_2 -> {
                if (kill) {
                    eden(victim).restart(START);
                } else {
                    eden(victim).process().resume();
                }
            }
            case STORE -> {
                if (kill) {
                    restartStore();
                } else {
                    cluster.postgres().resume();
                }
            }
            case TEMPORAL -> {
                if (kill) {
                    cluster.temporal().restart();
                } else {
                    cluster.temporal().resume();
                }
            }
            case STANDBY -> {
                if (kill) {
                    standby().restart();
                } else {
                    standby().resume();
                }
            }
        }
    }

    /** A postmaster does not start while a backend of the one before still has its shared memory. */
    private void restartStore() {
        for (int i = 1; ; i++) {
            try {
                cluster.postgres().restart();
                return;
            } catch (EmbeddedServerException stillThere) {
                if (i == STORE_STARTS) {
                    throw stillThere;
                }
                sleep(250);
            }
        }
    }

    boolean alive(Victim victim) {
        return eden(victim).process().isAlive();
    }

    private EdenProcess eden(Victim victim) {
        return switch (victim) {
            case SERVER -> cluster.controlPlane();
            case PROXY_1 -> cluster.proxyProcesses().get(0);
            case PROXY_2 -> cluster.proxyProcesses().get(1);
            case STORE, TEMPORAL, STANDBY -> throw new IllegalArgumentException(victim + " has no failpoints");
        };
    }

    private String pids(Victim victim) {
        long root = switch (victim) {
            case SERVER, PROXY_1, PROXY_2 -> eden(victim).process().pid();
            case STORE -> cluster.postgres().pid();
            case STANDBY -> standby().pid();
            case TEMPORAL ->
                cluster.temporal()
                        .process()
                        .orElseThrow(() -> new DemoException("Temporal is no process of this one"))
                        .pid();
        };
        ProcessHandle handle = ProcessHandle.of(root).orElseThrow(() -> new DemoException(victim + " is not running"));
        return Stream.concat(Stream.of(handle), handle.descendants())
                .map(each -> Long.toString(each.pid()))
                .collect(Collectors.joining(" "));
    }

    static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DemoException("interrupted", e);
        }
    }
}
