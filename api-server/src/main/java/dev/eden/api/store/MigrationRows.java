package dev.eden.api.store;

import dev.eden.api.json.Json;
import dev.eden.api.store.MigrationStore.Migration;
import dev.eden.api.store.MigrationStore.Summary;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;

/** How rows of {@code migration} are read. */
final class MigrationRows {
    private MigrationRows() {}

    /** Columns of {@link #migration}, of a migration named {@code m}. */
    static final String COLUMNS = """
            m.*, m.spec::text AS spec_text, m.view::text AS view_text, m.labels::text AS labels_text,
                ARRAY(SELECT i.interlay FROM migration_interlay i WHERE i.migration = m.id ORDER BY i.interlay) AS interlays""";

    static final String SELECT = "SELECT " + COLUMNS + " FROM migration m";

    static final String SUMMARY = """
            SELECT m.id, m.description, m.engine, m.source, m.target, m.phase, m.labels::text AS labels_text,
                m.created_at, m.started_at, m.ended_at, m.updated_at,
                ARRAY(SELECT i.interlay FROM migration_interlay i WHERE i.migration = m.id ORDER BY i.interlay) AS interlays
            FROM migration m""";

    static Summary summary(ResultSet row) throws SQLException {
        return new Summary(
                row.getString("id"),
                row.getString("description"),
                row.getString("engine"),
                row.getString("source"),
                row.getString("target"),
                List.of((String[]) row.getArray("interlays").getArray()),
                row.getString("phase"),
                Labels.of(row.getString("labels_text")),
                time(row, "created_at", ""),
                time(row, "started_at", null),
                time(row, "ended_at", null),
                time(row, "updated_at", ""));
    }

    static Migration migration(ResultSet row) throws SQLException {
        return new Migration(
                row.getString("id"),
                row.getString("description"),
                row.getString("engine"),
                row.getString("source"),
                row.getString("target"),
                List.of((String[]) row.getArray("interlays").getArray()),
                Json.read(row.getString("spec_text"), MigrationDefinition.class),
                row.getString("phase"),
                row.getString("view_text"),
                row.getLong("revision"),
                Labels.of(row.getString("labels_text")),
                row.getString("created_by"),
                time(row, "created_at", ""),
                time(row, "started_at", null),
                time(row, "ended_at", null),
                time(row, "updated_at", ""));
    }

    @org.jspecify.annotations.NullUnmarked
    private static String time(ResultSet row, String column, String otherwise) throws SQLException {
        OffsetDateTime at = row.getObject(column, OffsetDateTime.class);
        return at == null ? otherwise : at.toInstant().toString();
    }
}
