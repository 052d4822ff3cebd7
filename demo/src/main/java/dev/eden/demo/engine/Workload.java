package dev.eden.demo.engine;

import dev.eden.demo.history.History;
import dev.eden.demo.load.Load;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;

/** What the clients of one engine do, and the judge of what they were told. */
public interface Workload {
    /** What there is many of: keys or rows. */
    String units();

    /** What the clients send so many of a second. */
    String requestUnits();

    /** Gets the times in which reads may be served by a copy. */
    History history();

    /** The times of every request, by the clients' clocks. */
    History requests();

    /** How many units can be damaged at most. */
    int mostDamage();

    /** Puts into the source what an application had gathered before anything begins. */
    void fill() throws Exception;

    /** Starts the clients, spread over the proxies. */
    Load start(List<InetSocketAddress> proxies);

    /** Damages that many units of the target behind Eden's back; gives the way of each by its name in Eden's validation reports. */
    Map<String, String> damage(int count) throws Exception;

    /** The name under which {@link #damage} gives what a validation report calls so. */
    default String named(String reported) {
        return reported;
    }

    /**
     * Reads the final state and holds it against what the clients were told, after the load was closed.
     *
     * @param onTarget who owns the writes
     * @param completed false where the migration has not come to its end, so that a server may be fenced
     * @param planted as {@link #damage} gave it
     */
    Judgement judge(boolean onTarget, boolean completed, List<InetSocketAddress> proxies, Map<String, String> planted)
            throws Exception;
}
