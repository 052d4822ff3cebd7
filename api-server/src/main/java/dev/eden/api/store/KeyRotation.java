package dev.eden.api.store;

import dev.eden.api.problem.StartupException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.mapper.RowMapper;

/**
 * Seals everything in the store with the first of the keys. Small transactions, each with its entry in the audit log: what was interrupted
 * is taken up by the next run. Servers and proxies may run: a value that one of them changes meanwhile is left alone and looked at again.
 */
public final class KeyRotation {
    private static final int BATCH = 100;

    /** Twice would do but for values that are changed in between. */
    private static final int PASSES = 10;

    private final Jdbi jdbi;
    private final SecretCipher cipher;
    private final AuditLog audit;

    public KeyRotation(Jdbi jdbi, SecretCipher cipher, AuditLog audit) {
        this.jdbi = jdbi;
        this.cipher = cipher;
        this.audit = audit;
    }

    /** A sealed value and how to write it back where it still is as it was read: {@code :sealed} and {@code :before} are bound. */
    private record Value(String identity, byte[] sealed, String update, Map<String, Object> row) {}

    /** Where sealed values are. The check comes last: a process without a former key is refused until nothing else needs it. */
    private enum Place {
        ENDPOINTS(
                "endpoints' credentials",
                "SELECT id, credentials AS value FROM endpoint WHERE credentials IS NOT NULL ORDER BY id",
                (row, _) -> new Value(
                        Sealed.endpoint(row.getString("id")),
                        row.getBytes("value"),
                        "UPDATE endpoint SET credentials = :sealed WHERE id = :id AND credentials = :before",
                        Map.of("id", row.getString("id")))),
        RECORDS(
                "users, rules and settings on servers",
                "SELECT migration, endpoint, name, value FROM server_record ORDER BY migration, endpoint, name",
                (row, _) -> new Value(
                        Sealed.serverRecord(
                                row.getString("migration"), row.getString("endpoint"), row.getString("name")),
                        row.getBytes("value"),
                        "UPDATE server_record SET value = :sealed"
                                + " WHERE migration = :migration AND endpoint = :endpoint AND name = :name AND value = :before",
                        Map.of(
                                "migration", row.getString("migration"),
                                "endpoint", row.getString("endpoint"),
                                "name", row.getString("name")))),
        ATTEMPTS(
                "what attempts have to undo",
                "SELECT id, undo AS value FROM attempt WHERE undo IS NOT NULL ORDER BY id",
                (row, _) -> new Value(
                        Sealed.attempt(row.getLong("id")),
                        row.getBytes("value"),
                        "UPDATE attempt SET undo = :sealed WHERE id = :id AND undo = :before",
                        Map.of("id", row.getLong("id")))),
        INTERLAY_USERS(
                "passwords of interlays' users",
                "SELECT interlay, name, secret AS value FROM interlay_user ORDER BY interlay, name",
                (row, _) -> new Value(
                        Sealed.interlayUser(row.getString("interlay"), row.getString("name")),
                        row.getBytes("value"),
                        "UPDATE interlay_user SET secret = :sealed"
                                + " WHERE interlay = :interlay AND name = :name AND secret = :before",
                        Map.of("interlay", row.getString("interlay"), "name", row.getString("name")))),
        INTERLAY_SEEDS(
                "seeds of interlays' salts",
                "SELECT interlay, seed AS value FROM interlay_login ORDER BY interlay",
                (row, _) -> new Value(
                        Sealed.interlaySeed(row.getString("interlay")),
                        row.getBytes("value"),
                        "UPDATE interlay_login SET seed = :sealed WHERE interlay = :interlay AND seed = :before",
                        Map.of("interlay", row.getString("interlay")))),
        PAYLOAD_KEYS(
                "keys of Temporal's payloads",
                "SELECT id, value FROM payload_key ORDER BY id",
                (row, _) -> new Value(
                        Sealed.payloadKey(row.getString("id")),
                        row.getBytes("value"),
                        "UPDATE payload_key SET value = :sealed WHERE id = :id AND value = :before",
                        Map.of("id", row.getString("id")))),
        CHECK(
                "the store's own check",
                "SELECT value FROM encryption_check",
                (row, _) -> new Value(
                        Sealed.CHECK,
                        row.getBytes("value"),
                        "UPDATE encryption_check SET value = :sealed WHERE value = :before",
                        Map.of()));

        private final String label;
        private final String select;
        private final RowMapper<Value> mapper;

        Place(String label, String select, RowMapper<Value> mapper) {
            this.label = label;
            this.select = select;
            this.mapper = mapper;
        }
    }

    /** @param unreadable identities of values that no key opens */
    public record Count(String place, int current, int former, List<String> unreadable) {}

    /** What is sealed with which key. Changes nothing. */
    public List<Count> counts() {
        List<Count> counts = new ArrayList<>();
        for (Place place : Place.values()) {
            int current = 0;
            int former = 0;
            List<String> unreadable = new ArrayList<>();
            for (Value value : values(place)) {
                try {
                    if (cipher.keyOf(value.identity(), value.sealed()) == 0) {
                        current++;
                    } else {
                        former++;
                    }
                } catch (SecretCipher.UnreadableSecretException e) {
                    unreadable.add(value.identity());
                }
            }
            counts.add(new Count(place.label, current, former, List.copyOf(unreadable)));
        }
        return counts;
    }

    /** Identities of what no key of this process opens. */
    public List<String> unreadable() {
        return counts().stream().flatMap(count -> count.unreadable().stream()).toList();
    }

    /** How many values of each place were sealed anew. Throws {@link StartupException}, having changed nothing, where one can't be opened. */
    public Map<String, Integer> rotate(String actor) {
        List<String> unreadable = unreadable();
        if (!unreadable.isEmpty()) {
            throw new StartupException(
                    unreadable.size() + " values of the store can't be opened with these keys: "
                            + String.join(", ", unreadable.subList(0, Math.min(5, unreadable.size())))
                            + (unreadable.size() > 5 ? " …" : ""),
                    "give the former key too, after the new one (EDEN_ENCRYPTION_KEY=NEW,FORMER); nothing was changed");
        }
        Map<String, Integer> sealed = new LinkedHashMap<>();
        for (Place place : Place.values()) {
            int done = 0;
            for (int pass = 0; pass < PASSES; pass++) {
                List<Value> left = values(place).stream()
                        .filter(value -> cipher.keyOf(value.identity(), value.sealed()) != 0)
                        .toList();
                if (left.isEmpty()) {
                    break;
                }
                for (int from = 0; from < left.size(); from += BATCH) {
                    done += batch(place, left.subList(from, Math.min(from + BATCH, left.size())), actor);
                }
            }
            if (done > 0) {
                sealed.put(place.label, done);
            }
        }
        return sealed;
    }

    private int batch(Place place, List<Value> values, String actor) {
        return jdbi.inTransaction(handle -> {
            int changed = 0;
            for (Value value : values) {
                changed += seal(handle, value);
            }
            if (changed > 0) {
                audit.append(
                        handle,
                        AuditLog.Entry.of(
                                actor,
                                "encryption.resealed",
                                "encryption",
                                null,
                                Map.of(
                                        "what",
                                        place.label,
                                        "values",
                                        changed,
                                        "key",
                                        cipher.fingerprints().getFirst())));
            }
            return changed;
        });
    }

    private int seal(Handle handle, Value value) {
        return handle.createUpdate(value.update())
                .bindMap(value.row())
                .bind("before", value.sealed())
                .bind("sealed", cipher.seal(value.identity(), cipher.open(value.identity(), value.sealed())))
                .execute();
    }

    private List<Value> values(Place place) {
        return jdbi.withHandle(
                handle -> handle.createQuery(place.select).map(place.mapper).list());
    }
}
