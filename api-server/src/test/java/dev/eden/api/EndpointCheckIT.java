package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.store.Endpoint;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Why a database refuses, in words of Eden's own that say what to do. */
class EndpointCheckIT {
    @Test
    void aPostgresThatRefuses() {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start()) {
            Endpoint good = endpoint(postgres, postgres.user(), postgres.password(), "eden");
            assertThat(EndpointCheck.of(good)).isNotNull();
            try (PostgresSession session = PostgresSession.connect(good, "test", Duration.ofSeconds(5))) {
                session.execute("CREATE ROLE shut NOLOGIN PASSWORD 'p'");
                session.execute("CREATE ROLE crowded LOGIN PASSWORD 'p' CONNECTION LIMIT 0");
            }
            assertThat(refusal(endpoint(postgres, "shut", "p", "eden"))).isEqualTo(ErrorCode.ENDPOINT_PLAIN_REFUSED);
            assertThat(refusal(endpoint(postgres, postgres.user(), "another", "eden")))
                    .isEqualTo(ErrorCode.ENDPOINT_LOGIN_REFUSED);
            assertThat(refusal(endpoint(postgres, postgres.user(), postgres.password(), "nowhere")))
                    .isEqualTo(ErrorCode.ENDPOINT_DATABASE_MISSING);
            assertThat(refusal(endpoint(postgres, "crowded", "p", "eden"))).isEqualTo(ErrorCode.ENDPOINT_FULL);
            assertThat(ErrorCode.ENDPOINT_PLAIN_REFUSED.remedy()).contains("?sslmode=verify-full");
        }
    }

    @Test
    void aRedisThatRefusesAndNobodyAtAll() {
        try (EmbeddedRedis redis = EmbeddedRedis.start()) {
            Backend.Login wrong = new Backend.Login("nobody", new Secret("wrong"));
            assertThat(refusal(new Endpoint("e", "redis", "127.0.0.1", redis.port(), false, wrong)))
                    .isEqualTo(ErrorCode.ENDPOINT_LOGIN_REFUSED);
        }
        assertThat(refusal(new Endpoint("e", "redis", "127.0.0.1", 1, false, null)))
                .isEqualTo(ErrorCode.ENDPOINT_UNREACHABLE);
        assertThat(refusal(new Endpoint("e", "postgres", "127.0.0.1", 1, false, null)))
                .isEqualTo(ErrorCode.ENDPOINT_UNREACHABLE);
    }

    private static Endpoint endpoint(EmbeddedPostgres postgres, String user, String password, String database) {
        return new Endpoint(
                "e",
                "postgres",
                postgres.host(),
                postgres.port(),
                false,
                new Backend.Login(user, new Secret(password)),
                database);
    }

    private static ErrorCode refusal(Endpoint endpoint) {
        return catchThrowableOfType(Problem.class, () -> EndpointCheck.of(endpoint))
                .code();
    }
}
