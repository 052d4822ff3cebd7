package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.ProxyStore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the row of a proxy away that was killed and will not come back: without it no attempt waits for that proxy any more. Refused while the
 * proxy may still forward: it was heard, or the server that owns writes shows its connections. One that comes back all the same finds its row
 * gone and joins anew before it serves.
 */
public final class ProxyRemoval {
    private static final Logger LOGGER = LoggerFactory.getLogger(ProxyRemoval.class);

    private final ProxyStore proxies;
    private final Connections connections;

    /** Connections of a proxy that an endpoint's server shows; throws where it can't be asked. */
    public interface Connections {
        int count(String endpoint, @Nullable String migration, String proxy);
    }

    public ProxyRemoval(ProxyStore proxies, Connections connections) {
        this.proxies = proxies;
        this.connections = connections;
    }

    /** {@code force}: also where the server can't be asked. Throws {@link Problem}. */
    public void remove(String id, String reason, boolean force, String actor) {
        ProxyStore.Found found = proxies.get(id);
        if (found.silentSeconds() < ProxyStore.SILENCE.toSeconds()) {
            throw ProxyStore.alive(found);
        }
        proxies.remove(found, look(found, force), reason, actor);
        LOGGER.atWarn()
                .addKeyValue("proxy", found.proxy().proxy())
                .addKeyValue("interlay", found.proxy().interlay())
                .addKeyValue("actor", actor)
                .log("a silent proxy was removed");
    }

    private String look(ProxyStore.Found found, boolean force) {
        String active = found.active();
        if (active == null) {
            return "the interlay has no endpoint";
        }
        int shown;
        try {
            shown = connections.count(active, found.migration(), found.proxy().proxy());
        } catch (RuntimeException e) {
            LOGGER.atInfo()
                    .addKeyValue("endpoint", active)
                    .addKeyValue("error", e.getClass().getSimpleName())
                    .log("can't be asked for connections of a proxy");
            if (force) {
                return active + " could not be asked; forced";
            }
            throw new Problem(
                    ErrorCode.PROXY_UNCHECKED,
                    "endpoint " + active + " can't be asked whether proxy "
                            + found.proxy().id() + " is connected");
        }
        if (shown > 0) {
            throw new Problem(
                    ErrorCode.PROXY_CONNECTED,
                    "endpoint " + active + " shows " + shown + (shown == 1 ? " connection" : " connections")
                            + " named eden:" + found.proxy().proxy());
        }
        return active + " shows none of its connections";
    }
}
