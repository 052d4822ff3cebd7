package dev.eden.demo.engine;

import dev.eden.embedded.EmbeddedDatabase;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.function.Supplier;

/** The source and the target of a run, as the cluster starts them and Eden is told of them. */
public interface Databases {
    /** As Eden's API calls it. */
    String engine();

    /** For people, for instance {@code PostgreSQL 15}. */
    String source();

    String target();

    /** Id of the interlay in front of them. */
    default String interlay() {
        return "demo_" + engine();
    }

    /** Each starts a server and returns when it serves; they run side by side. */
    List<Supplier<? extends AutoCloseable>> starters();

    /** Prepares the running servers for the run. */
    void prepare();

    /** A running server. */
    EmbeddedDatabase process(boolean ofTarget);

    /** With credentials. */
    String sourceUri();

    String targetUri();

    /** Members of the request that makes a migration of them, each followed by a comma; may be empty. */
    String migration();

    /** True where a proxy of the interlay serves clients. */
    boolean answers(InetSocketAddress proxy);

    /** How a person reaches the servers and the proxies in front of them, one line each. */
    List<String> addresses(List<InetSocketAddress> proxies);
}
