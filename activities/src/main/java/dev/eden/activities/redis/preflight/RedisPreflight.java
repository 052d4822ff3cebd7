package dev.eden.activities.redis.preflight;

import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.PreparationActivities.Preflight;
import java.time.Duration;
import java.util.Optional;

/**
 * What {@code plan} says about a pair of Redis servers before anything is changed. Ids of findings are stable: people and programs
 * refer to them.
 */
public final class RedisPreflight {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final long SAMPLE_MILLIS = 2_000;

    /** Values above this stop the load (bytes of the serialised value). */
    public static final long DEFAULT_VALUE_LIMIT = 64L << 20;

    private static final String RAISE =
            "Split the value, or raise server.max_value_mib (EDEN_MAX_VALUE_MIB; 512 at most) of every Eden server.";

    private final EndpointDirectory endpoints;
    private final long valueLimit;

    public RedisPreflight(EndpointDirectory endpoints) {
        this(endpoints, DEFAULT_VALUE_LIMIT);
    }

    public RedisPreflight(EndpointDirectory endpoints, long valueLimit) {
        this.endpoints = endpoints;
        this.valueLimit = valueLimit;
    }

    /** Never throws for what a server says or fails to say: that is a finding. Takes up to about five seconds. */
    public Preflight preflight(MigrationSpec spec) {
        Findings findings = new Findings();
        Optional<ServerView> source = look("source", endpoints.endpoint(spec.source()), findings);
        Optional<ServerView> target = look("target", endpoints.endpoint(spec.target()), findings);
        source.ifPresent(view -> {
            new ServerFindings(view, findings).check();
            new SourceFindings(view, findings).check();
        });
        target.ifPresent(view -> {
            new ServerFindings(view, findings).check();
            new TargetFindings(view, findings).check(spec.data().replace());
        });
        if (source.isPresent() && target.isPresent()) {
            boolean loginForClients = endpoints.endpoint(spec.target()).loginForClients();
            new PairFindings(source.get(), target.get(), loginForClients, findings).check();
            sample(endpoints.endpoint(spec.source()), source.get(), findings);
        }
        new MechanismFindings(findings).check(spec.data(), source);
        return new Preflight(findings.list());
    }

    private static Optional<ServerView> look(String side, Endpoint endpoint, Findings findings) {
        try (RespConnection connection = RespConnection.connect(endpoint, "eden:preflight", TIMEOUT)) {
            return Optional.of(ServerView.read(side, endpoint.id(), connection));
        } catch (RedisConnectionException e) {
            findings.failure(
                    "redis.endpoint.unreachable",
                    "The " + side + " cannot be reached: " + e.getMessage(),
                    "Check address, port, TLS and the network between Eden and the server.");
        } catch (RedisException e) {
            findings.failure(
                    "redis.endpoint.login_refused",
                    "The " + side + " refuses Eden: " + e.getMessage(),
                    "Give the endpoint a login that may run every command Eden needs, ACL SETUSER above all.");
        }
        return Optional.empty();
    }

    private void sample(Endpoint endpoint, ServerView view, Findings findings) {
        ValueSample sample;
        try (RespConnection connection = RespConnection.connect(endpoint, "eden:preflight", TIMEOUT)) {
            sample = ValueSample.take(connection, view.info(), SAMPLE_MILLIS);
        } catch (RedisConnectionException | RedisException e) {
            findings.warning(
                    "redis.values.not_sampled",
                    "The source's values could not be sampled: " + e.getMessage(),
                    "Allow SCAN, STRLEN and MEMORY USAGE, or know that no value is above the limit.");
            return;
        }
        String seen = sample.keysSeen() + " of " + view.keys() + " keys looked at";
        if (sample.reservedKeys() > 0) {
            findings.failure(
                    "redis.keys.reserved",
                    "The source has keys that begin with \"eden:{\" (" + sample.reservedKeys() + " met, " + seen
                            + "): Eden keeps that prefix for itself and would not copy them.",
                    "Rename or delete these keys, or finish the clean-up of an earlier migration.");
        }
        if (sample.largestBytes() > valueLimit) {
            String message = "The value of " + sample.largestKey() + " takes " + sample.largestBytes()
                    + " bytes; a value larger than " + valueLimit + " bytes stops the load (" + seen + ").";
            if (sample.exact()) {
                findings.failure("redis.value.too_large", message, RAISE);
            } else {
                findings.warning(
                        "redis.value.too_large",
                        message + " This is memory, the serialised form may be smaller.",
                        RAISE);
            }
        } else if (!sample.complete()) {
            findings.info(
                    "redis.values.sampled", "No value above the limit was met; " + seen + " in the time allowed.");
        }
    }
}
