package dev.eden.demo.chaos;

import dev.eden.demo.Cluster;
import dev.eden.demo.DemoException;
import dev.eden.demo.EdenProcess;
import dev.eden.demo.Link;
import dev.eden.embedded.EmbeddedDatabase;
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
    /** A process at a point waits this long (ms) before its next line, while its links are cut. */
    private static final int LONG_ENOUGH_TO_CUT = 25;

    private final Cluster cluster;
    private final Links links;
    private boolean standbyIsTarget = true;

    Injector(Cluster cluster) {
        this.cluster = cluster;
        this.links = new Links(cluster);
    }

    /** Which server the faults of {@link Node#STANDBY} and of ways strike, and bring back, until told otherwise. */
    void standby(boolean isTarget) {
        standbyIsTarget = isTarget;
    }

    private EmbeddedDatabase standby() {
        return cluster.databases().process(standbyIsTarget);
    }

    /** Plants the fault and what leads to it. */
    void plant(Fault fault) {
        String point = fault.point();
        if (point == null) {
            return;
        }
        String action = fault.blow() == Blow.CUT
                ? "delay " + LONG_ENOUGH_TO_CUT
                : fault.self() ? fault.blow().label() : fault.blow().label() + " " + pids(node(fault.victim()));
        for (Node at : fault.reachedBy()) {
            write(at, point, action);
        }
        for (Fault.Primer primer : fault.primers()) {
            write(primer.at(), primer.point(), primer.action());
        }
    }

    private void write(Node at, String point, String action) {
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
    Node hit(String point, List<Node> candidates) {
        for (Node candidate : candidates) {
            if (Files.exists(eden(candidate).failpoints().resolve(point + ".hit"))) {
                return candidate;
            }
        }
        return null;
    }

    /** Takes one back; false where the process has come to it already. */
    boolean withdraw(Node at, String point) {
        try {
            return Files.deleteIfExists(eden(at).failpoints().resolve(point));
        } catch (IOException e) {
            throw new UncheckedIOException("failpoints cannot be removed", e);
        }
    }

    /** Takes back what nobody came to; what was hit is forgotten. */
    void clear() {
        for (Node at : links.eden()) {
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
    List<String> hits(Node at) {
        try (Stream<Path> files = Files.list(eden(at).failpoints())) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".hit"))
                    .map(name -> name.substring(0, name.length() - 4))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("failpoints cannot be read", e);
        }
    }

    void forget(Node at, String point) {
        try {
            Files.deleteIfExists(eden(at).failpoints().resolve(point + ".hit"));
        } catch (IOException e) {
            throw new UncheckedIOException("failpoints cannot be removed", e);
        }
    }

    /** Plants one point in one process. */
    void plant(Node at, String point, boolean kill) {
        write(at, point, kill ? "kill" : "stop");
    }

    /** Strikes the whole process tree; harmless where a failpoint has struck it already. */
    void strike(Victim victim, Blow blow) {
        switch (blow) {
            case CUT -> links.of(victim, standbyIsTarget).forEach(Link::cut);
            case KILL -> {
                Node struck = node(victim);
                switch (struck) {
                    case SERVER, PROXY_1, PROXY_2, PROXY_3 -> eden(struck).kill();
                    case STORE -> cluster.postgres().kill();
                    case TEMPORAL -> cluster.temporal().kill();
                    case STANDBY -> standby().kill();
                }
            }
            case STOP -> {
                Node struck = node(victim);
                switch (struck) {
                    case SERVER, PROXY_1, PROXY_2, PROXY_3 ->
                        eden(struck).process().suspend();
                    case STORE -> cluster.postgres().suspend();
                    case TEMPORAL -> cluster.temporal().suspend();
                    case STANDBY -> standby().suspend();
                }
            }
        }
    }

    /** Returns when the victim serves again, or has its links back. */
    void restore(Victim victim, Blow blow) {
        switch (blow) {
            case CUT -> links.of(victim, standbyIsTarget).forEach(Link::mend);
            case KILL -> {
                Node struck = node(victim);
                switch (struck) {
                    case SERVER, PROXY_1, PROXY_2, PROXY_3 -> eden(struck).restart(START);
                    case STORE -> restartStore();
                    case TEMPORAL -> cluster.temporal().restart();
                    case STANDBY -> standby().restart();
                }
            }
            case STOP -> {
                Node struck = node(victim);
                switch (struck) {
                    case SERVER, PROXY_1, PROXY_2, PROXY_3 ->
                        eden(struck).process().resume();
                    case STORE -> cluster.postgres().resume();
                    case TEMPORAL -> cluster.temporal().resume();
                    case STANDBY -> standby().resume();
                }
            }
        }
    }

    private static Node node(Victim victim) {
        return switch (victim) {
            case Node node -> node;
            case Way way -> throw new DemoException(way.label() + " can be cut and nothing else");
        };
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

    boolean alive(Node victim) {
        return eden(victim).process().isAlive();
    }

    private EdenProcess eden(Node victim) {
        return switch (victim) {
            case SERVER -> cluster.controlPlane();
            case PROXY_1, PROXY_2, PROXY_3 -> cluster.proxyProcesses().get(victim.proxy());
            case STORE, TEMPORAL, STANDBY -> throw new IllegalArgumentException(victim + " has no failpoints");
        };
    }

    private String pids(Node victim) {
        long root = switch (victim) {
            case SERVER, PROXY_1, PROXY_2, PROXY_3 -> eden(victim).process().pid();
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
