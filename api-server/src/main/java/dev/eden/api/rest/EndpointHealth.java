package dev.eden.api.rest;

import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.PostgresConnectionException;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.proxy.Backend;
import java.time.Duration;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Whether a database answers, for the status of migrations; asked at most every two seconds each, however many people watch. A status does not
 * wait for a database that takes its time: some milliseconds after the question it has what was known up to ten seconds ago.
 */
public final class EndpointHealth {
    private static final String LOGIN_REFUSED = "login_refused";
    private static final Duration TIMEOUT = Duration.ofMillis(1_000);
    private static final long FRESH_NANOS = Duration.ofSeconds(2).toNanos();
    private static final long USABLE_NANOS = Duration.ofSeconds(10).toNanos();
    private static final long PATIENCE_NANOS = Duration.ofMillis(10).toNanos();

    private final EndpointDirectory endpoints;
    private final Function<String, Optional<Backend.Login>> control;
    private final ConcurrentHashMap<String, Known> known = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, Question> asking = new ConcurrentHashMap<>();

    /** {@code control}: Eden's own login on an endpoint that a migration has prepared; asked where the endpoint's own is refused. */
    public EndpointHealth(EndpointDirectory endpoints, Function<String, Optional<Backend.Login>> control) {
        this.endpoints = endpoints;
        this.control = control;
    }

    private record Known(String state, long nanos) {}

    private record Question(CompletableFuture<String> answer, long atNanos) {}

    /** Begins to ask where what is known is not fresh any more, and waits for nothing: so that several are asked at once. */
    void refresh(@Nullable String endpoint) {
        if (endpoint != null && age(known.get(endpoint)) >= FRESH_NANOS) {
            asking.computeIfAbsent(endpoint, this::begin);
        }
    }

    private static long age(@Nullable Known last) {
        return last == null ? Long.MAX_VALUE : System.nanoTime() - last.nanos();
    }

    /** {@code healthy}, {@code loading}, {@code login_refused}, {@code unreachable}, or {@code unknown} where there is no endpoint yet. */
    public String of(@Nullable String endpoint) {
        if (endpoint == null) {
            return "unknown";
        }
        Known last = known.get(endpoint);
        long age = age(last);
        if (last != null && age < FRESH_NANOS) {
            return last.state();
        }
        Question question = asking.computeIfAbsent(endpoint, this::begin);
        if (last == null || age >= USABLE_NANOS) {
            return question.answer().join();
        }
        try {
            long left = PATIENCE_NANOS - (System.nanoTime() - question.atNanos());
            return question.answer().get(Math.max(0, left), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return last.state();
        } catch (TimeoutException | ExecutionException e) {
            return last.state();
        }
    }

    private Question begin(String endpoint) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        Thread.ofVirtual().name("endpoint-health").start(() -> {
            try {
                String state = ask(endpoint);
                known.put(endpoint, new Known(state, System.nanoTime()));
                asking.remove(endpoint);
                answer.complete(state);
            } catch (RuntimeException e) {
                asking.remove(endpoint);
                answer.completeExceptionally(e);
            }
        });
        return new Question(answer, System.nanoTime());
    }

    private String ask(String id) {
        Endpoint endpoint;
        try {
            endpoint = endpoints.endpoint(id);
        } catch (NoSuchElementException e) {
            return "unknown";
        }
        String state = ask(endpoint);
        if (!state.equals(LOGIN_REFUSED)) {
            return state;
        }
        // A fence keeps the endpoint's own login out, and is none of its health.
        return control.apply(id).map(login -> ask(as(login, endpoint))).orElse(state);
    }

    private static String ask(Endpoint endpoint) {
        return endpoint.engine().equals("postgres") ? postgres(endpoint) : redis(endpoint);
    }

    private static Endpoint as(Backend.Login login, Endpoint endpoint) {
        String database = endpoint.engine().equals("postgres") ? EdenRoles.database(endpoint) : null;
        return new Endpoint(
                endpoint.id(), endpoint.engine(), endpoint.host(), endpoint.port(), endpoint.tls(), login, database);
    }

    private static String postgres(Endpoint endpoint) {
        try (PostgresSession session = PostgresSession.connect(endpoint, "eden:health", TIMEOUT)) {
            session.text("SELECT 1");
            return "healthy";
        } catch (PostgresConnectionException e) {
            return e.sqlState().equals("57P03") ? "loading" : "unreachable";
        } catch (PostgresException e) {
            return switch (e.sqlState()) {
                case "28P01", "28000" -> LOGIN_REFUSED;
                default -> "healthy";
            };
        }
    }

    private static String redis(Endpoint endpoint) {
        try (RespConnection connection = RespConnection.connect(endpoint, "eden:health", TIMEOUT)) {
            connection.call("PING");
            return "healthy";
        } catch (RedisConnectionException e) {
            return "unreachable";
        } catch (RedisException e) {
            return switch (e.code()) {
                case "LOADING" -> "loading";
                case "WRONGPASS", "NOAUTH" -> LOGIN_REFUSED;
                // It answers; what it refuses (a fence does) is not its health.
                default -> "healthy";
            };
        }
    }
}
