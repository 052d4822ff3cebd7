package dev.eden.api.store;

import dev.eden.activities.store.ValidationLedger;
import dev.eden.api.json.Json;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

/** Validation reports as JSON documents; saving one again under its id replaces it. */
public final class StoredValidationReports implements ValidationLedger {
    private final Jdbi jdbi;

    public StoredValidationReports(Jdbi jdbi) {
        this.jdbi = jdbi;
    }

    @Override
    public void save(Report report) {
        jdbi.useHandle(handle -> handle.createUpdate("""
                        INSERT INTO validation_report (id, migration, report) VALUES (:id, :migration, CAST(:report AS jsonb))
                        ON CONFLICT (id) DO UPDATE SET report = EXCLUDED.report, created_at = clock_timestamp()""")
                .bind("id", report.id())
                .bind("migration", report.migration())
                .bind("report", Json.write(report))
                .execute());
    }

    @Override
    public Optional<Report> latest(String migration) {
        return jdbi.withHandle(handle -> handle.createQuery(
                                "SELECT report::text FROM validation_report WHERE migration = :id ORDER BY created_at DESC LIMIT 1")
                        .bind("id", migration)
                        .mapTo(String.class)
                        .findOne())
                .map(json -> Json.read(json, Report.class));
    }
}
