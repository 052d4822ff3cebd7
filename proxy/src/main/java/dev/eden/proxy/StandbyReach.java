package dev.eden.proxy;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the standby of an armed attempt answers this proxy: one whose host it does not let in would have no server for its clients after the flip. Asked
 * again and again as long as the attempt is armed, told once. For the thread of {@link RouteFollower}.
 */
final class StandbyReach {
    private static final Logger LOGGER = LoggerFactory.getLogger(StandbyReach.class);

    /** Within the coordinator's patience with proxies that do not say that they are armed. */
    private static final Duration LIMIT = Duration.ofMillis(2_500);

    /** A look at the row is due then, and the lease with it. */
    private static final Duration LOOK = Duration.ofMillis(500);

    private static final Duration AGAIN = Duration.ofMillis(250);
    private static final Pattern ADDRESS = Pattern.compile("\\d+(\\.\\d+){3}(:\\d+)?");

    private final String interlay;
    private final DataPlane loops;
    private final BiConsumer<Route, String> tell;
    private @Nullable CompletableFuture<Optional<String>> trying;
    private long againAt = System.nanoTime();
    private boolean told;

    /** {@code tell} gets the {@link RouteStore.Step#UNREACHED detail}, without addresses: it comes to the attempt's report. */
    StandbyReach(String interlay, DataPlane loops, BiConsumer<Route, String> tell) {
        this.interlay = interlay;
        this.loops = loops;
        this.tell = tell;
    }

    /** A new attempt. */
    void begin() {
        trying = null;
        againAt = System.nanoTime();
        told = false;
    }

    /** Logging in to a server that is far away takes eight round trips, with TLS, so one try goes on over several looks at the row. */
    boolean reached(Route route) {
        CompletableFuture<Optional<String>> answer = trying;
        if (answer == null) {
            if (System.nanoTime() - againAt < 0) {
                return false;
            }
            answer = loops.reach(route, LIMIT);
            trying = answer;
        }
        Optional<String> unreached;
        try {
            unreached = answer.get(LOOK.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            unreached = Optional.of(String.valueOf(e.getCause()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
        if (unreached.isPresent()) {
            trying = null;
            againAt = System.nanoTime() + AGAIN.toNanos();
            tell(route, unreached.get());
        }
        return unreached.isEmpty();
    }

    private void tell(Route route, String why) {
        Backend standby = route.standby();
        if (standby == null || told) {
            return;
        }
        told = true;
        LOGGER.atWarn()
                .addKeyValue("interlay", interlay)
                .addKeyValue("attempt", route.attempt())
                .log(
                        "not armed: {} at {} does not answer this proxy ({}), whose clients would have no server after a flip; check that this host may connect there: routes, firewalls, pg_hba.conf, TLS, max_connections",
                        standby.endpoint(),
                        standby.address(),
                        why);
        String host = "(?<![\\w.-])" + Pattern.quote(standby.host()) + "(?![\\w-])";
        String words = ADDRESS.matcher(why.replaceAll(host, Matcher.quoteReplacement(standby.endpoint())))
                .replaceAll("(not shown)")
                .replaceAll("[\\p{Cntrl}\\\\]", " ")
                .replace("\"", "\\\"");
        tell.accept(route, "{\"why\":\"" + standby.endpoint() + " does not answer it (" + words + ")\"}");
    }
}
