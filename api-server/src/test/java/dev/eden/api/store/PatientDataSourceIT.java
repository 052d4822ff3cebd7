package dev.eden.api.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.proxy.Secret;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PatientDataSourceIT {
    private static EmbeddedPostgres postgres;

    @BeforeAll
    static void start() {
        postgres = EmbeddedPostgres.start();
    }

    @AfterAll
    static void stop() {
        postgres.close();
    }

    /** Two seconds of refusals and more: a pool of its own would have come to pauses of seconds by then. */
    @Test
    void whoeverWaitsForAConnectionGetsItWhenTheServerIsBack() throws Exception {
        try (Database database = Database.connect(
                Database.Settings.of(postgres.jdbcUrl(), postgres.user(), new Secret(postgres.password())))) {
            one(database);
            postgres.kill();
            assertThatThrownBy(() -> one(database)).isInstanceOf(Exception.class);
            var answer = CompletableFuture.supplyAsync(() -> one(database));
            postgres.restart();
            assertThat(answer.get()).isEqualTo(1);
        }
    }

    @Test
    void aRefusedLoginIsSaidAtOnce() {
        Properties wrong = new Properties();
        wrong.setProperty("user", postgres.user());
        wrong.setProperty("password", "not it");
        assertThatThrownBy(() -> new PatientDataSource(postgres.jdbcUrl(), wrong).getConnection())
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"));
    }

    @Test
    void anInterruptEndsTheWait() throws Exception {
        AtomicReference<SQLException> thrown = new AtomicReference<>();
        Thread waiting = Thread.ofVirtual().start(() -> {
            try (Connection _ =
                    new PatientDataSource("jdbc:postgresql://127.0.0.1:1/none", new Properties()).getConnection()) {
                throw new AssertionError("nothing listens there");
            } catch (SQLException e) {
                thrown.set(e);
            }
        });
        waiting.interrupt();
        await().atMost(Duration.ofSeconds(10)).until(() -> !waiting.isAlive());
        assertThat(thrown.get().getSQLState()).startsWith("08");
    }

    private static int one(Database database) {
        return database.jdbi()
                .withHandle(h -> h.createQuery("SELECT 1").mapTo(Integer.class).one());
    }
}
