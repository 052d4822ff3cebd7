package dev.eden.activities.postgres.schema;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Constraints that a prepared target had, and that were dropped before the load because the source has some of that name without validation. A
 * migration that is taken back makes them again.
 */
public final class OwnConstraints {
    private static final Logger LOGGER = LoggerFactory.getLogger(OwnConstraints.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SAVED = "saved:constraints";
    private static final String NO_SCHEMA = "3F000";
    private static final String TOO_LONG = "57014";

    private static final String PRESENT = """
            SELECT format('constraint %s.%I', conrelid::regclass, conname), format('ALTER TABLE %s', conrelid::regclass), quote_ident(conname),
                pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE conrelid <> 0
            UNION ALL SELECT format('domain constraint %s.%I', contypid::regtype, conname), format('ALTER DOMAIN %s', contypid::regtype), quote_ident(conname),
                pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE contypid <> 0""";

    private final Pair pair;

    public OwnConstraints(Pair pair) {
        this.pair = pair;
    }

    /** @param alter the statement's beginning; names are quoted */
    record Own(String identity, String alter, String name, String definition, boolean validated) {
        Own {
            identity = PlainText.names(identity);
        }
    }

    /** Before they are dropped. Whatever was remembered of one stays. */
    void remember(PostgresSession target, Set<String> identities) {
        List<Own> all = new ArrayList<>(saved());
        Set<String> known = new HashSet<>();
        all.forEach(own -> known.add(own.identity()));
        boolean more = false;
        for (Own own : present(target)) {
            if (identities.contains(own.identity()) && known.add(own.identity())) {
                more = all.add(own);
            }
        }
        if (more) {
            pair.records().put(pair.migration(), pair.target(), SAVED, encode(all));
        }
    }

    /** Idempotent. Not validated where rows that stay don't allow it, or where that takes longer than a statement of this session may. */
    public void putBack(PostgresSession target) {
        List<Own> present = present(target);
        for (Own own : saved()) {
            if (!present.contains(own)) {
                putBack(target, own);
            }
        }
    }

    private void putBack(PostgresSession target, Own own) {
        try {
            target.transaction(() -> {
                target.execute(own.alter() + " DROP CONSTRAINT IF EXISTS " + own.name());
                target.execute(own.alter() + " ADD CONSTRAINT " + own.name() + " " + own.definition()
                        + (own.validated() ? " NOT VALID" : ""));
            });
        } catch (PostgresException e) {
            // What it was of is gone, or another thing.
            passOver(own, e, e.sqlState().startsWith("42") || e.sqlState().equals(NO_SCHEMA));
            return;
        }
        if (own.validated()) {
            try {
                target.execute(own.alter() + " VALIDATE CONSTRAINT " + own.name());
            } catch (PostgresException e) {
                passOver(own, e, e.sqlState().startsWith("23") || e.sqlState().equals(TOO_LONG));
            }
        }
    }

    private void passOver(Own own, PostgresException e, boolean possible) {
        if (!possible) {
            throw e;
        }
        LOGGER.atWarn()
                .addKeyValue("migration", pair.migration())
                .log("the target's own {} is not what it was: {}", own.identity(), e.getMessage());
    }

    private static List<Own> present(PostgresSession target) {
        return target.query(
                PRESENT,
                row -> new Own(
                        row.getString(1), row.getString(2), row.getString(3), row.getString(4), row.getBoolean(5)));
    }

    private List<Own> saved() {
        String json = pair.records().get(pair.migration(), pair.target(), SAVED).orElse("[]");
        try {
            return JSON.readValue(json, new TypeReference<List<Own>>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the target's own constraints cannot be read", e);
        }
    }

    private static String encode(List<Own> all) {
        try {
            return JSON.writeValueAsString(all);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
