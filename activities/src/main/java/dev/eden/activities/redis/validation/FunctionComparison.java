package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Function libraries belong to no key and no database (Redis documentation, "Redis functions"), so the scan of the keys never meets them:
 * they are compared by name and code, at an equal position of both sides where replication runs in this process, so that one being loaded now
 * is no difference.
 */
final class FunctionComparison {
    private static final Logger LOGGER = LoggerFactory.getLogger(FunctionComparison.class);
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int ATTEMPTS = 10;
    private static final Object[] LIST = {"FUNCTION", "LIST", "WITHCODE"};
    private static final Object[] DUMP = {"FUNCTION", "DUMP"};

    private final String migration;
    private final RespConnection source;
    private final RespConnection target;
    private final Optional<EqualPositions> positions;
    private final ValidationTally tally;
    private final boolean repair;
    private final boolean extrasCount;
    private int compared;

    /** @param extrasCount false where the target's own libraries are to stay */
    FunctionComparison(
            String migration,
            RespConnection source,
            RespConnection target,
            Optional<EqualPositions> positions,
            ValidationTally tally,
            boolean repair,
            boolean extrasCount) {
        this.migration = migration;
        this.source = source;
        this.target = target;
        this.positions = positions;
        this.tally = tally;
        this.repair = repair;
        this.extrasCount = extrasCount;
    }

    /** Both servers must be 7.0 or later. Throws {@link EqualPositions.UnsettledException} like the comparison of keys. */
    void run() {
        Map<String, Verdict.Different> different = new LinkedHashMap<>();
        Map<String, Verdict.Different> remaining =
                positions.isPresent() ? atRest(positions.get(), different) : apart(different);
        tally.librariesCompared(compared);
        different.forEach((library, difference) -> {
            boolean mended = !remaining.containsKey(library);
            tally.library(library, difference, mended);
            LOGGER.atWarn()
                    .addKeyValue("migration", migration)
                    .addKeyValue("library", library)
                    .addKeyValue("kind", difference.kind())
                    .log("function library {}: {}", mended ? "repaired" : "remains different", difference.detail());
        });
    }

    /** Fills {@code different}; answers what of it remains. */
    private Map<String, Verdict.Different> atRest(EqualPositions equal, Map<String, Verdict.Different> different) {
        for (int attempt = 1; ; attempt++) {
            try {
                return equal.at(List.of(LIST, DUMP), LIMIT, replies -> {
                    Map<String, String> here = libraries(replies.get(0));
                    different.clear();
                    different.putAll(compare(here, libraries(target.ask(LIST))));
                    if (!repair || different.isEmpty()) {
                        return Map.copyOf(different);
                    }
                    mend(different, replies.get(1));
                    return compare(here, libraries(target.ask(LIST)));
                });
            } catch (EqualPositions.UnsettledException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
                Pause.millis(20L * attempt);
            }
        }
    }

    /** Without the applier's help: a difference has to last, and is somebody else's to repair. */
    private Map<String, Verdict.Different> apart(Map<String, Verdict.Different> different) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            different.clear();
            different.putAll(compare(libraries(source.ask(LIST)), libraries(target.ask(LIST))));
            if (different.isEmpty()) {
                break;
            }
            Pause.millis(20L * attempt);
        }
        if (repair && !different.isEmpty()) {
            // Another server may be the one that replicates: whoever tries next may be that one.
            throw new EqualPositions.UnsettledException(different.size()
                    + " function libraries can be repaired only where replication runs, which is not in this process");
        }
        return different;
    }

    private void mend(Map<String, Verdict.Different> different, Reply dump) {
        if (dump instanceof Reply.Error refusal) {
            throw new RedisException(refusal.message());
        }
        boolean restore = false;
        for (Map.Entry<String, Verdict.Different> one : different.entrySet()) {
            if (one.getValue().kind().equals("extra")) {
                target.call("FUNCTION", "DELETE", one.getKey());
            } else {
                restore = true;
            }
        }
        if (restore) {
            target.call("FUNCTION", "RESTORE", dump.bytes(), "REPLACE");
        }
    }

    private Map<String, Verdict.Different> compare(Map<String, String> here, Map<String, String> there) {
        compared = here.size();
        Map<String, Verdict.Different> different = new TreeMap<>();
        here.forEach((library, code) -> {
            String other = there.get(library);
            if (other == null) {
                different.put(library, new Verdict.Different("missing", "a function library that the target lacks"));
            } else if (!other.equals(code)) {
                different.put(library, new Verdict.Different("value", "a function library with other code"));
            }
        });
        if (extrasCount) {
            there.keySet().stream()
                    .filter(library -> !here.containsKey(library))
                    .forEach(library -> different.put(
                            library, new Verdict.Different("extra", "a function library that only the target has")));
        }
        return different;
    }

    /** Code by name, the engine before it. */
    private static Map<String, String> libraries(Reply list) {
        if (list instanceof Reply.Error refusal) {
            throw new RedisException(refusal.message());
        }
        Map<String, String> libraries = new TreeMap<>();
        for (Reply library : list.items()) {
            Map<String, Reply> fields = new LinkedHashMap<>();
            List<Reply> flat = library.items();
            for (int i = 0; i + 1 < flat.size(); i += 2) {
                fields.put(flat.get(i).text(), flat.get(i + 1));
            }
            libraries.put(
                    field(fields, "library_name").text(),
                    field(fields, "engine").text() + "\n"
                            + new String(field(fields, "library_code").bytes(), StandardCharsets.ISO_8859_1));
        }
        return libraries;
    }

    private static Reply field(Map<String, Reply> fields, String name) {
        Reply value = fields.get(name);
        if (value == null) {
            throw new IllegalStateException("FUNCTION LIST WITHCODE answered without " + name);
        }
        return value;
    }
}
