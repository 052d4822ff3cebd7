package dev.eden.api.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.Endpoint;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A database whose own login is kept out by a fence is as healthy as before; one that refuses Eden too is not. */
class EndpointHealthIT {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final Backend.Login CONTROL = new Backend.Login("eden_m_control", new Secret("of-the-control-role"));

    @Test
    void aPostgresThatHasTakenSuperusersTheirLoginIsHealthy() {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start()) {
            Endpoint endpoint = new Endpoint(
                    "orders",
                    "postgres",
                    postgres.host(),
                    postgres.port(),
                    false,
                    new Backend.Login(postgres.user(), new Secret(postgres.password())),
                    "eden");
            assertThat(health(endpoint, null)).isEqualTo("healthy");
            try (PostgresSession session = PostgresSession.connect(endpoint, "test", PATIENCE)) {
                session.execute("CREATE ROLE eden_m_control SUPERUSER LOGIN PASSWORD 'of-the-control-role'");
                session.execute("ALTER ROLE " + postgres.user() + " NOLOGIN");
            }
            assertThat(health(endpoint, CONTROL)).isEqualTo("healthy");
            assertThat(health(endpoint, null)).isEqualTo("login_refused");
            assertThat(health(endpoint, new Backend.Login(CONTROL.user(), new Secret("another"))))
                    .isEqualTo("login_refused");
        }
    }

    /** As a fenced server comes back from a restart: its file of users has {@code default} switched off. */
    @Test
    void aRedisWhoseDefaultUserIsOffIsHealthy() {
        try (EmbeddedRedis redis = EmbeddedRedis.start()) {
            Endpoint endpoint = new Endpoint("cache", "redis", "127.0.0.1", redis.port(), false, null);
            try (RespConnection connection = RespConnection.connect(endpoint, "test", PATIENCE)) {
                connection.call(
                        "ACL",
                        "SETUSER",
                        CONTROL.user(),
                        "on",
                        ">" + CONTROL.password().reveal(),
                        "~*",
                        "+@all");
                connection.call("ACL", "SETUSER", "default", "off");
            }
            assertThat(health(endpoint, CONTROL)).isEqualTo("healthy");
            assertThat(health(endpoint, null)).isEqualTo("login_refused");
        }
    }

    private static String health(Endpoint endpoint, Backend.@Nullable Login control) {
        return new EndpointHealth(_ -> endpoint, _ -> Optional.ofNullable(control)).of(endpoint.id());
    }
}
