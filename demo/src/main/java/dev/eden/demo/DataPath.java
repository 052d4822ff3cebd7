package dev.eden.demo;

import dev.eden.embedded.FreePort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The ways to the two databases, a {@link Link} for each process that uses them. Eden knows one address of a database, a name and a port; to which link it leads,
 * the process' own file of hosts says: on the same port of another loopback address listens another link. The databases, which have no such file, find
 * each other at 127.0.0.1.
 */
final class DataPath implements AutoCloseable {
    /** Who comes from one database to the other. */
    static final String DATABASES = "databases";

    /** Resolved to 127.0.0.1 by everything that has no file of hosts of its own. */
    private static final String NAME = "localhost";

    private final Path directory;
    private final URI source;
    private final URI target;
    private final Map<String, Ways> ways = new HashMap<>();

    private record Ways(String address, Link toSource, Link toTarget) {}

    /**
     * @param directory for the files of hosts
     * @param processes names of Eden's processes
     */
    DataPath(Path directory, List<String> processes, URI source, URI target) {
        this.directory = directory;
        this.source = relayed(source);
        this.target = relayed(target);
        List<String> all = new ArrayList<>(processes);
        all.addFirst(DATABASES);
        for (int i = 0; i < all.size(); i++) {
            String address = i == 0 ? "127.0.0.1" : "127.0.1." + i;
            ways.put(
                    all.get(i),
                    new Ways(address, link(address, this.source, source), link(address, this.target, target)));
        }
    }

    private static URI relayed(URI real) {
        try {
            return new URI(
                    real.getScheme(), real.getUserInfo(), NAME, FreePort.find(), real.getPath(), real.getQuery(), null);
        } catch (URISyntaxException e) {
            throw new IllegalStateException("no address for a link", e);
        }
    }

    private static Link link(String address, URI relayed, URI real) {
        return new Link(
                new InetSocketAddress(address, relayed.getPort()),
                new InetSocketAddress(real.getHost(), real.getPort()));
    }

    /** Where Eden is told that the database is. */
    String uri(boolean ofTarget) {
        return (ofTarget ? target : source).toString();
    }

    Link link(String process, boolean toTarget) {
        Ways own = of(process);
        return toTarget ? own.toTarget : own.toSource;
    }

    /** What the JVM of a process must be told to take its own ways. */
    String jvmFlag(String process) {
        try {
            Path hosts =
                    Files.writeString(directory.resolve(process + ".hosts"), of(process).address + " " + NAME + "\n");
            return "-Djdk.net.hosts.file=" + hosts;
        } catch (IOException e) {
            throw new UncheckedIOException("no file of hosts", e);
        }
    }

    private Ways of(String process) {
        Ways own = ways.get(process);
        if (own == null) {
            throw new IllegalArgumentException("no way leads from " + process + " to a database");
        }
        return own;
    }

    @Override
    public void close() throws IOException {
        for (Ways each : ways.values()) {
            each.toSource.close();
            each.toTarget.close();
        }
    }
}
