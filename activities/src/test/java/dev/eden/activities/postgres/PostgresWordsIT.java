package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.eden.activities.store.Endpoint;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a failure says reaches logs, the store and Temporal: enough to act on, and nothing of the rows or of where servers are. */
class PostgresWordsIT {
    private static final String VALUE = "kim@example.org";
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private static EmbeddedPostgres server;
    private static PostgresSession session;

    @BeforeAll
    static void start() {
        server = EmbeddedPostgres.start(EmbeddedPostgres.Options.defaults());
        session = PostgresSession.connect(endpoint(), "test", LIMIT);
        session.execute("CREATE TABLE public.people (email text PRIMARY KEY, age int CHECK (age > 0));"
                + "CREATE TABLE public.orders (email text);"
                + "INSERT INTO public.orders VALUES ('" + VALUE + "')");
    }

    @AfterAll
    static void stop() {
        session.close();
        server.close();
    }

    @Test
    void aForeignKeyThatDoesNotHoldIsNamedWithoutTheRow() {
        PostgresException e = failing(() -> session.execute("ALTER TABLE public.orders ADD CONSTRAINT orders_people"
                + " FOREIGN KEY (email) REFERENCES public.people"));
        assertThat(e.sqlState()).isEqualTo("23503");
        assertThat(e).hasMessageContaining("SQLSTATE 23503, constraint orders_people, table public.orders");
    }

    @Test
    void valuesThatAMessageQuotesAreLeftOut() {
        assertThat(failing(() -> session.number("SELECT ?::text::int", VALUE))).hasMessageContaining("SQLSTATE 22P02");
        assertThat(failing(() -> session.number("SELECT email FROM public.orders")))
                .as("the driver's own conversion")
                .hasMessageContaining("SQLSTATE 22");
        assertThat(failing(() -> session.execute("DO $$ BEGIN RAISE EXCEPTION 'not for " + VALUE + "'; END $$")))
                .hasMessageContaining("SQLSTATE P0001");
        assertThat(failing(() -> {
                    try {
                        session.copy().copyIn("COPY public.people FROM STDIN", new StringReader(VALUE + "\t-1\n"));
                    } catch (SQLException thrown) {
                        throw PostgresException.of(thrown);
                    } catch (java.io.IOException thrown) {
                        throw new java.io.UncheckedIOException(thrown);
                    }
                }))
                .hasMessageContaining("SQLSTATE 23514, constraint people_age_check, table public.people");
        assertThat(failing(() -> session.executeAll(java.util.List.of(
                        "INSERT INTO public.people VALUES ('" + VALUE + "', 1)",
                        "INSERT INTO public.people VALUES ('" + VALUE + "', 2)"))))
                .hasMessageContaining("SQLSTATE 23505, constraint people_pkey, table public.people");
    }

    @Test
    void whatIsAwayIsNamedByItsId() {
        EmbeddedPostgres away = EmbeddedPostgres.start(EmbeddedPostgres.Options.defaults());
        away.close();
        Endpoint gone = new Endpoint("gone", "postgres", away.host(), away.port(), false, null, "eden");
        PostgresException e =
                failing(() -> PostgresSession.connect(gone, "test", LIMIT).close());
        assertThat(e)
                .isInstanceOf(PostgresConnectionException.class)
                .hasMessage("endpoint gone can't be reached: Connection refused (SQLSTATE 08001)");
        PostgresException subscription = failing(() -> session.execute("CREATE SUBSCRIPTION s CONNECTION 'host="
                + away.host() + " port=" + away.port() + " dbname=eden' PUBLICATION p"));
        assertThat(subscription).hasMessageContaining("Connection refused");
        for (PostgresException one : java.util.List.of(e, subscription)) {
            assertThat(written(one)).doesNotContain(away.host(), Integer.toString(away.port()));
        }
    }

    @Test
    void aSessionThatEndsIsNamedByItsEndpoint() {
        try (PostgresSession other = PostgresSession.connect(endpoint(), "test", LIMIT)) {
            session.is("SELECT pg_terminate_backend(?)", other.pid());
            assertThat(failing(() -> other.execute("SELECT 1")))
                    .isInstanceOf(PostgresConnectionException.class)
                    .hasMessageContaining("endpoint here: ");
        }
    }

    /** The driver answers that with an error that is no exception. */
    @Test
    void aSessionThatEndsWithinABatchIsLostLikeAnyOther() {
        try (PostgresSession other = PostgresSession.connect(endpoint(), "test", LIMIT)) {
            session.is("SELECT pg_terminate_backend(?, 5000)", other.pid());
            assertThat(failing(() -> other.executeAll(java.util.List.of("SELECT 1", "SELECT 2"))))
                    .isInstanceOf(PostgresConnectionException.class)
                    .hasMessageContaining("endpoint here: ");
        }
    }

    private static PostgresException failing(Runnable work) {
        PostgresException e = catchThrowableOfType(PostgresException.class, work::run);
        assertThat(written(e)).doesNotContain(VALUE).doesNotContain("kim");
        return e;
    }

    /** As a log has it, causes and all. */
    private static String written(Throwable e) {
        StringWriter text = new StringWriter();
        e.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    private static Endpoint endpoint() {
        return new Endpoint(
                "here",
                "postgres",
                server.host(),
                server.port(),
                false,
                new Backend.Login(server.user(), new Secret(server.password())),
                "eden");
    }
}
