package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.store.ConnectFailure;
import dev.eden.activities.store.Endpoint;
import dev.eden.proxy.Backend;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything of the source's schema that comes before the rows, by {@code pg_dump} into {@code psql}, in one transaction: all of it or nothing. What comes
 * after the rows stays the catalogue copier's, which knows when. Only for a target that has nothing of its own.
 */
final class SchemaDump {
    private static final Logger LOGGER = LoggerFactory.getLogger(SchemaDump.class);
    /** A last resort: what is given up by people ends through {@code stillWanted}. */
    private static final Duration LIMIT = Duration.ofHours(2);

    private static final int MOST_SAID = 300;
    private static final int TRANSACTION_TIMEOUT_SINCE = 17;
    private static final Pattern COLUMN_OPTIONS = Pattern.compile(
            "^(ALTER (?:FOREIGN )?TABLE ONLY .+ ALTER COLUMN .+ SET \\()([^()']+)\\);$", Pattern.MULTILINE);
    private static final Pattern OPTION_SEPARATOR = Pattern.compile(", ");

    private final Pair pair;

    SchemaDump(Pair pair) {
        this.pair = pair;
    }

    /**
     * Nothing happens where it was done, or where it cannot be: then the catalogue copier does what it can. {@code stillWanted} ends it by what it throws.
     *
     * @throws SchemaException where it fails, and the catalogue copier would leave out what plan said is copied
     */
    void copy(PostgresSession source, PostgresSession target, Runnable stillWanted) {
        if (done(target, pair.names()) || !TargetObjects.there(source, target).isEmpty()) {
            return;
        }
        ClientTools.find(source.major(), target.major()).ifPresent(tools -> {
            try (Scratch scratch = Scratch.open()) {
                TrustedRoots.write(scratch.roots());
                copy(tools, source, target, scratch, stillWanted);
            } catch (IOException e) {
                failed(source, String.valueOf(e.getMessage()));
            }
        });
    }

    /** Files of one copy; {@code words}: what a tool says. */
    private record Scratch(Path script, Path roots, Path words) implements Closeable {
        static Scratch open() throws IOException {
            return new Scratch(
                    Files.createTempFile("eden-schema-", ".sql"),
                    Files.createTempFile("eden-roots-", ".pem"),
                    Files.createTempFile("eden-words-", ".txt"));
        }

        @Override
        public void close() throws IOException {
            Files.delete(script);
            Files.delete(roots);
            Files.delete(words);
        }
    }

    static boolean done(PostgresSession target, EdenObjects names) {
        return target.is("SELECT to_regclass(?) IS NOT NULL", Sql.name(names.schema(), "dumped"));
    }

    private void copy(
            ClientTools tools, PostgresSession source, PostgresSession target, Scratch scratch, Runnable stillWanted)
            throws IOException {
        Path script = scratch.script();
        List<String> dump = new ArrayList<>(List.of(
                tools.directory().resolve("pg_dump").toString(),
                "--section=pre-data",
                "--no-publications",
                "--no-subscriptions",
                "--no-tablespaces",
                "--exclude-schema=" + pair.names().schema(),
                "--file=" + script));
        String said = run(dump, Role.SOURCE, scratch, stillWanted);
        if (said.isEmpty()) {
            Files.writeString(script, script(Files.readString(script), target.major()));
            said = run(
                    List.of(
                            tools.directory().resolve("psql").toString(),
                            "--no-psqlrc",
                            "--quiet",
                            "--set=ON_ERROR_STOP=1",
                            "--single-transaction",
                            "--output=/dev/null",
                            "--command=SET check_function_bodies = off",
                            "--file=" + script,
                            "--command=CREATE TABLE " + Sql.name(pair.names().schema(), "dumped") + " ()"),
                    Role.TARGET,
                    scratch,
                    stillWanted);
        }
        if (said.isEmpty()) {
            LOGGER.atInfo()
                    .addKeyValue("migration", pair.migration())
                    .log("schema of PostgreSQL {} copied by pg_dump {}", source.major(), tools.major());
        } else {
            failed(source, said);
        }
    }

    /**
     * As that version of a server takes it: it has the schema public already, and may not know every setting that the client does. A client older than
     * {@link Details#SERVERS_OWN} takes them for people's.
     */
    static String script(String dumped, int major) {
        String script = COLUMN_OPTIONS
                .matcher(dumped.replace("\nCREATE SCHEMA public;\n", "\n"))
                .replaceAll(SchemaDump::withoutServersOwn);
        return major >= TRANSACTION_TIMEOUT_SINCE
                ? script
                : script.replaceFirst("\nSET transaction_timeout = 0;\n", "\n");
    }

    private static String withoutServersOwn(MatchResult statement) {
        Predicate<String> serversOwn = Pattern.compile(Details.SERVERS_OWN).asPredicate();
        String options = OPTION_SEPARATOR
                .splitAsStream(statement.group(2))
                .filter(serversOwn.negate())
                .collect(Collectors.joining(", "));
        return options.isEmpty() ? "" : Matcher.quoteReplacement(statement.group(1) + options + ");");
    }

    private void failed(PostgresSession source, String why) {
        List<String> lost = NotCopied.kinds(source);
        if (!lost.isEmpty()) {
            throw new SchemaException(
                    "pg_dump could not copy the schema, and without it these would be left out: "
                            + String.join(", ", lost) + "; it says: " + why,
                    null);
        }
        LOGGER.atWarn()
                .addKeyValue("migration", pair.migration())
                .log("pg_dump could not copy the schema, so the catalogues do: {}", why);
    }

    /** What it complained of; empty: it succeeded. */
    private String run(List<String> command, Role side, Scratch scratch, Runnable stillWanted) throws IOException {
        Endpoint endpoint = pair.endpoint(side);
        Backend.Login login = EdenRoles.controlLogin(pair.migration(), endpoint, pair.records());
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(scratch.words().toFile());
        builder.environment().put("PGHOST", endpoint.host());
        builder.environment().put("PGPORT", Integer.toString(endpoint.port()));
        builder.environment().put("PGUSER", login.user());
        builder.environment().put("PGPASSWORD", login.password().reveal());
        builder.environment().put("PGDATABASE", EdenRoles.database(endpoint));
        builder.environment().put("PGSSLMODE", endpoint.tls() ? "verify-full" : "disable");
        builder.environment().put("PGSSLROOTCERT", scratch.roots().toString());
        builder.environment().put("PGAPPNAME", pair.names().session("schema"));
        builder.environment().put("PGCLIENTENCODING", "UTF8");
        builder.environment().put("PGOPTIONS", "-c client_min_messages=warning");
        Process process = builder.start();
        try {
            process.getOutputStream().close();
            long end = System.nanoTime() + LIMIT.toNanos();
            while (!process.waitFor(1, TimeUnit.SECONDS)) {
                stillWanted.run();
                if (System.nanoTime() > end) {
                    return "no answer";
                }
            }
            String said = ConnectFailure.withoutNamed(
                    new String(Files.readAllBytes(scratch.words()), StandardCharsets.UTF_8).strip());
            String shown = said.substring(0, Math.min(MOST_SAID, said.length()));
            return process.exitValue() == 0 ? "" : shown.isEmpty() ? "exit " + process.exitValue() : shown;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        } finally {
            process.destroyForcibly();
        }
    }
}
