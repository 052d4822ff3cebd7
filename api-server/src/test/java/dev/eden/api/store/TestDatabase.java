package dev.eden.api.store;

import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.proxy.Secret;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import java.util.Map;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** Eden's store, empty, on a PostgreSQL of its own. */
record TestDatabase(EmbeddedPostgres postgres, Database database) implements AutoCloseable {
    static TestDatabase start() {
        EmbeddedPostgres postgres = EmbeddedPostgres.start();
        return new TestDatabase(
                postgres,
                Database.open(
                        Database.Settings.of(postgres.jdbcUrl(), postgres.user(), new Secret(postgres.password()))));
    }

    Jdbi jdbi() {
        return database.jdbi();
    }

    /** One of a Redis, not started. */
    static MigrationStore.Migration create(MigrationStore migrations, String id, Strategy strategy) {
        return create(migrations, id, strategy, null);
    }

    /** The same, of which somebody is told. */
    static MigrationStore.Migration create(
            MigrationStore migrations, String id, Strategy strategy, MigrationDefinition.@Nullable Notify notify) {
        return migrations.create(
                id,
                "d",
                new MigrationDefinition(
                        strategy,
                        new MigrationSpec.Data("scan", "auto", "replace"),
                        MigrationSpec.Gates.defaults(),
                        "pause",
                        new MigrationSpec.CutoverBudget(100, 1),
                        null,
                        notify),
                Map.of(),
                "ada");
    }

    @Override
    public void close() {
        database.close();
        postgres.close();
    }
}
