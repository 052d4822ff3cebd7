package dev.eden.api.notify;

import dev.eden.api.config.Receiver;
import dev.eden.api.store.AuditLog;
import dev.eden.api.store.NotificationStore;
import dev.eden.api.store.NotificationStore.Claim;
import dev.eden.api.temporal.WebUi;
import dev.eden.proxy.OutageLog;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the audit log as an outbox and tells receivers: each of each migration in order and at least once, whichever server is there. A thread for each
 * receiver, so that a slow one holds up nobody else; none holds anything of the store while it sends.
 */
public final class Notifier implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(Notifier.class);
    private static final int PAGE = 100;

    private final Map<String, Receiver> receivers = new LinkedHashMap<>();
    private final NotificationStore store;
    private final AuditLog audit;
    private final Notification notification;
    private final MeterRegistry registry;
    private final Terms terms;
    private final Delivery delivery;
    private final ScheduledThreadPoolExecutor threads;

    /**
     * How patient it is.
     *
     * @param look how often it looks for what is new
     * @param timeout of one request
     * @param lease for which nobody else tries; longer than {@code timeout}
     * @param first wait after a failure; it doubles up to {@code longest}
     * @param patience after which something that was never taken is given up
     */
    public record Terms(
            Duration look, Duration timeout, Duration lease, Duration first, Duration longest, Duration patience) {
        public static final Terms DEFAULT = new Terms(
                Duration.ofSeconds(1),
                Duration.ofSeconds(10),
                Duration.ofSeconds(30),
                Duration.ofSeconds(5),
                Duration.ofMinutes(5),
                Duration.ofHours(24));

        /** Before the next try, after so many failures in a row. */
        Duration wait(int failures) {
            Duration wait = first.multipliedBy(1L << Math.min(20, failures - 1));
            return wait.compareTo(longest) < 0 ? wait : longest;
        }
    }

    /** What a try has come to. */
    private enum Result {
        DELIVERED,
        RETRIED,
        GIVEN_UP;

        String label() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    private Notifier(
            List<Receiver> receivers,
            NotificationStore store,
            AuditLog audit,
            Notification notification,
            MeterRegistry registry,
            Terms terms) {
        receivers.forEach(receiver -> this.receivers.put(receiver.name(), receiver));
        this.store = store;
        this.audit = audit;
        this.notification = notification;
        this.registry = registry;
        this.terms = terms;
        this.delivery = new Delivery(terms.timeout());
        this.threads = new ScheduledThreadPoolExecutor(
                receivers.size(),
                Thread.ofPlatform().name("notifier-", 0).daemon().factory());
    }

    /**
     * Begins to look.
     *
     * @param publicUrl base URI of the API as people reach it; null: nobody has said
     * @param ui Temporal's pages; null: there are none
     */
    public static Notifier start(
            List<Receiver> receivers,
            NotificationStore store,
            AuditLog audit,
            @Nullable String publicUrl,
            @Nullable WebUi ui,
            MeterRegistry registry,
            Terms terms) {
        Notifier notifier = new Notifier(receivers, store, audit, new Notification(publicUrl, ui), registry, terms);
        notifier.begin();
        return notifier;
    }

    /** Names of those that may be told. */
    public Set<String> names() {
        return receivers.keySet();
    }

    /** What came of a trial. */
    public record Trial(
            String receiver,
            boolean delivered,
            @Nullable Integer status,
            @Nullable String problem) {}

    /** Sends one of those that are there something of no migration, once; empty where there is none of that name. */
    public Optional<Trial> test(String name, String actor) {
        Receiver receiver = receivers.get(name);
        if (receiver == null) {
            return Optional.empty();
        }
        try {
            Delivery.Outcome outcome = delivery.post(receiver, notification.test(name, actor));
            return Optional.of(new Trial(name, outcome.taken(), outcome.status(), outcome.problem()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.of(new Trial(name, false, null, "the server ends"));
        }
    }

    /** Ends at once: what is being sent may arrive, and is sent again. */
    @Override
    public void close() throws InterruptedException {
        threads.shutdownNow();
        threads.awaitTermination(5, TimeUnit.SECONDS);
        delivery.close();
    }

    private void begin() {
        for (Receiver receiver : receivers.values()) {
            for (Result result : Result.values()) {
                counter(receiver, result);
            }
            threads.scheduleWithFixedDelay(new Loop(receiver), 0, terms.look().toMillis(), TimeUnit.MILLISECONDS);
        }
        try {
            List<String> unknown = store.unknown(receivers.keySet());
            if (!unknown.isEmpty()) {
                LOGGER.atWarn()
                        .addKeyValue("receivers", unknown)
                        .log("migrations name receivers that this server does not have; nobody is told here");
            }
        } catch (RuntimeException e) {
            LOGGER.atDebug().setCause(e).log("the store does not say which receivers migrations name");
        }
    }

    /** One receiver's. Where the audit log has nothing new, it looks for what is to be tried again, and more seldom: that looks at each migration ever told. */
    private final class Loop implements Runnable {
        private final Receiver receiver;
        private final OutageLog outage = new OutageLog(
                LOGGER, "what receivers are to be told can't be read", "what receivers are to be told is read again");
        private long head = -1;
        private long lookedNanos;

        Loop(Receiver receiver) {
            this.receiver = receiver;
        }

        @Override
        public void run() {
            try {
                long present = audit.head();
                if (present != head
                        || System.nanoTime() - lookedNanos >= terms.first().toNanos()) {
                    tellAll();
                    head = present;
                    lookedNanos = System.nanoTime();
                }
                outage.answered();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (RuntimeException | Error e) {
                // What is thrown from here ends the loop for good.
                if (!threads.isShutdown()) {
                    outage.failed(e);
                }
            }
        }

        private void tellAll() throws InterruptedException {
            boolean more = true;
            while (more && !Thread.currentThread().isInterrupted()) {
                Optional<Claim> claim = store.claim(receiver.name(), terms.lease());
                more = claim.isPresent();
                if (more) {
                    tell(receiver, claim.get());
                }
            }
        }
    }

    /** The next event that the receiver is to be told of, or that there is none among the next ones. */
    private void tell(Receiver receiver, Claim claim) throws InterruptedException {
        long passed = claim.position();
        for (AuditLog.Event event : audit.events(claim.migration(), claim.position(), PAGE)) {
            Optional<NotificationKind> kind =
                    NotificationKind.of(event).filter(one -> claim.on().contains(one.label()));
            if (kind.isPresent()) {
                send(receiver, claim, passed, event, notification.of(event, kind.get()));
                return;
            }
            passed = event.id();
        }
        store.passed(claim, passed);
    }

    private void send(Receiver receiver, Claim claim, long passed, AuditLog.Event event, String body)
            throws InterruptedException {
        Delivery.Outcome outcome;
        try {
            outcome = delivery.post(receiver, body);
        } catch (InterruptedException e) {
            // Another server need not wait for the claim's end.
            store.passed(claim, passed);
            throw e;
        }
        String problem = outcome.problem();
        if (problem == null) {
            if (store.told(claim, event.id())) {
                done(receiver, claim, event, Result.DELIVERED);
            }
        } else if (claim.failingFor(terms.patience()) && isOld(event, claim.now())) {
            if (store.givenUp(claim, event, problem, terms.first())) {
                done(receiver, claim, event, Result.GIVEN_UP);
                LOGGER.atError()
                        .addKeyValue("receiver", receiver.name())
                        .addKeyValue("migration", claim.migration())
                        .addKeyValue("event", event.id())
                        .addKeyValue("problem", problem)
                        .log("a receiver was not told of an event, for so long that it never will be");
            }
        } else if (store.failed(claim, passed, terms.wait(claim.failures() + 1))) {
            done(receiver, claim, event, Result.RETRIED);
            LOGGER.atWarn()
                    .addKeyValue("receiver", receiver.name())
                    .addKeyValue("migration", claim.migration())
                    .addKeyValue("event", event.id())
                    .addKeyValue("failures", claim.failures() + 1)
                    .addKeyValue("problem", problem)
                    .log("a receiver was not told of an event; tried again");
        }
    }

    private boolean isOld(AuditLog.Event event, Instant now) {
        return !Instant.parse(event.at()).plus(terms.patience()).isAfter(now);
    }

    private void done(Receiver receiver, Claim claim, AuditLog.Event event, Result result) {
        counter(receiver, result).increment();
        LOGGER.atDebug()
                .addKeyValue("receiver", receiver.name())
                .addKeyValue("migration", claim.migration())
                .addKeyValue("event", event.id())
                .log("a notification was {}", result.label());
    }

    private Counter counter(Receiver receiver, Result result) {
        return Counter.builder("eden_notifications")
                .description("notifications to receivers, by what became of each try")
                .tags("receiver", receiver.name(), "outcome", result.label())
                .register(registry);
    }
}
